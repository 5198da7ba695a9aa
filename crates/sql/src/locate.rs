use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::parse::ParsedStatement;
use crate::source::Place;

/// Finds places in one statement by what is written there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Locator<'a> {
    statement: &'a ParsedStatement,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(statement: &'a ParsedStatement) -> Locator<'a> {
        Locator { statement }
    }

    /// The statement's first token.
    pub(crate) fn start(&self) -> Option<Place> {
        self.statement.start()
    }

    /// The first of these keywords that occurs.
    pub(crate) fn keyword(&self, keywords: &[&str]) -> Option<Place> {
        let is_keyword = |word: &Word| {
            word.quote_style.is_none() && keywords.iter().any(|keyword| word.value.eq_ignore_ascii_case(keyword))
        };
        self.word(is_keyword)
    }

    /// The first identifier that folds to this name. The name of the view itself, which comes first, is passed over
    /// if the name occurs again.
    pub(crate) fn identifier(&self, name: &str) -> Option<Place> {
        let is_name = |word: &Word| match word.quote_style {
            Some(_) => word.value == name,
            None => word.value.eq_ignore_ascii_case(name),
        };
        let body = self.tokens().iter().position(|token| is_select(&token.token)).unwrap_or(0);
        let found = |tokens: &[TokenWithSpan]| tokens.iter().find_map(|token| place_if(token, is_name));
        found(&self.tokens()[body..]).or_else(|| found(&self.tokens()[..body]))
    }

    /// The first function call or identifier that a message names.
    pub(crate) fn mentioned(&self, message: &str) -> Option<Place> {
        let words = message.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.filter(|word| word.len() > 1).find_map(|word| {
            let is_word = |written: &Word| written.value.eq_ignore_ascii_case(word);
            self.tokens().windows(2).find_map(|pair| {
                let is_call = pair[1].token == Token::LParen;
                place_if(&pair[0], is_word).filter(|_| is_call)
            })
        })
    }

    fn tokens(&self) -> &'a [TokenWithSpan] {
        &self.statement.tokens
    }

    fn word(&self, matches: impl Fn(&Word) -> bool) -> Option<Place> {
        self.tokens().iter().find_map(|token| place_if(token, &matches))
    }
}

fn place_if(token: &TokenWithSpan, matches: impl Fn(&Word) -> bool) -> Option<Place> {
    match &token.token {
        Token::Word(word) if matches(word) => Place::of(token.span),
        _ => None,
    }
}

fn is_select(token: &Token) -> bool {
    let is_start = |word: &Word| ["select", "with"].iter().any(|start| word.value.eq_ignore_ascii_case(start));
    matches!(token, Token::Word(word) if word.quote_style.is_none() && is_start(word))
}
