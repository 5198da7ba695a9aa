use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

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

    /// The token behind the one with this span.
    pub(crate) fn behind(&self, span: Span) -> Option<Place> {
        let index = self.tokens().iter().position(|token| token.span == span)?;
        Place::of(self.tokens().get(index + 1)?.span)
    }

    /// The first of these keywords that occurs.
    pub(crate) fn keyword(&self, keywords: &[&str]) -> Option<Place> {
        let is_keyword = |word: &Word| {
            word.quote_style.is_none()
                && keywords.iter().any(|keyword| word.value.eq_ignore_ascii_case(keyword))
        };
        self.word(is_keyword)
    }

    /// The first identifier in the SELECT that folds to this name; failing that, the first in the statement.
    pub(crate) fn identifier(&self, name: &str) -> Option<Place> {
        let body = self.tokens().iter().position(|token| is_select(&token.token)).unwrap_or(0);
        let (head, body) = self.tokens().split_at(body);
        identifiers(body, name).next().or_else(|| identifiers(head, name).next())
    }

    /// The first text in quotes that reads like this.
    pub(crate) fn quoted(&self, text: &str) -> Option<Place> {
        let is_text = |token: &&TokenWithSpan| matches!(&token.token, Token::SingleQuotedString(written) if written == text);
        self.tokens().iter().find(is_text).and_then(|token| Place::of(token.span))
    }

    /// The second identifier in the statement that folds to this name, if there are two.
    pub(crate) fn second_identifier(&self, name: &str) -> Option<Place> {
        identifiers(self.tokens(), name).nth(1)
    }

    /// The first function call that a message names, or else the first identifier that it quotes.
    pub(crate) fn mentioned(&self, message: &str) -> Option<Place> {
        let words = message.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let call = |name: &str| {
            let is_name = |written: &Word| written.value.eq_ignore_ascii_case(name);
            self.tokens().windows(2).find_map(|pair| {
                let is_call = pair[1].token == Token::LParen;
                place_if(&pair[0], is_name).filter(|_| is_call)
            })
        };
        let quoted = || message.split(['\'', '"']).skip(1).step_by(2);
        words
            .filter(|word| word.len() > 1)
            .find_map(call)
            .or_else(|| quoted().find_map(|text| self.identifier(text.rsplit('.').next().unwrap_or(text))))
    }

    fn tokens(&self) -> &'a [TokenWithSpan] {
        &self.statement.tokens
    }

    fn word(&self, matches: impl Fn(&Word) -> bool) -> Option<Place> {
        self.tokens().iter().find_map(|token| place_if(token, &matches))
    }
}

/// The places where an identifier folds to this name.
fn identifiers<'a>(tokens: &'a [TokenWithSpan], name: &'a str) -> impl Iterator<Item = Place> + 'a {
    let is_name = move |word: &Word| match word.quote_style {
        Some(_) => word.value == name,
        None => word.value.to_ascii_lowercase() == name,
    };
    tokens.iter().filter_map(move |token| place_if(token, is_name))
}

fn place_if(token: &TokenWithSpan, matches: impl Fn(&Word) -> bool) -> Option<Place> {
    match &token.token {
        Token::Word(word) if matches(word) => Place::of(token.span),
        _ => None,
    }
}

fn is_select(token: &Token) -> bool {
    let is_start =
        |word: &Word| ["select", "with"].iter().any(|start| word.value.eq_ignore_ascii_case(start));
    matches!(token, Token::Word(word) if word.quote_style.is_none() && is_start(word))
}
