use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use headwater_types::limits::SQL_BYTES_MAX;

use crate::balance::balance_statement;
use crate::bounds::{PARENTHESES_MAX, PARSER_DEPTH_MAX, TOKENS_PER_STATEMENT_MAX};
use crate::dialect::HeadwaterDialect;
use crate::source::{Place, Refusal};

/// One statement and the tokens it was read from, blanks and comments left out.
#[derive(Debug)]
pub(crate) struct ParsedStatement {
    pub(crate) ast: Statement,
    pub(crate) tokens: Vec<TokenWithSpan>,
}

impl ParsedStatement {
    /// Where the statement begins.
    pub(crate) fn start(&self) -> Option<Place> {
        self.tokens.first().and_then(|token| Place::of(token.span))
    }

    /// Just behind the statement's last token.
    pub(crate) fn end(&self) -> Option<Place> {
        self.tokens.last().and_then(|token| Place::at(token.span.end))
    }
}

/// Reads all statements of a text. Empty statements are skipped.
pub(crate) fn parse(text: &str) -> Result<Vec<ParsedStatement>, Refusal> {
    if text.len() > SQL_BYTES_MAX {
        let message = format!("the text has {} bytes, the most is {SQL_BYTES_MAX}", text.len());
        return Err(Refusal::new("too_large", message));
    }
    let dialect = HeadwaterDialect::for_tokens(0);
    let mut tokenizer = Tokenizer::new(&dialect, text);
    let tokens = tokenizer.tokenize_with_location().map_err(|error| {
        Refusal::new("syntax", lower_first(&error.message)).at_place(Place::at(error.location))
    })?;
    let is_meant = |token: &TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    let meant: Vec<TokenWithSpan> = tokens.into_iter().filter(is_meant).collect();
    meant
        .split(|token| token.token == Token::SemiColon)
        .filter(|tokens| !tokens.is_empty())
        .map(|tokens| parse_statement(tokens.to_vec()))
        .collect()
}

fn parse_statement(tokens: Vec<TokenWithSpan>) -> Result<ParsedStatement, Refusal> {
    check_size(&tokens)?;
    let end = tokens.last().and_then(|token| Place::at(token.span.end));
    let dialect = HeadwaterDialect::for_tokens(tokens.len());
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(tokens.clone());
    let mut ast = parser.parse_statement().map_err(|error| {
        let refusal = syntax_refusal(&error, end);
        if dialect.is_exhausted() { unreadable(&refusal) } else { refusal }
    })?;
    let next = parser.next_token();
    if next.token != Token::EOF {
        let message = format!("unexpected {}", next.token);
        return Err(Refusal::new("syntax", message).hint("end each statement with ';'").at(next.span));
    }
    balance_statement(&mut ast);
    Ok(ParsedStatement { ast, tokens })
}

/// Refuses what would cost the parser too much, before it starts.
fn check_size(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    if let Some(token) = tokens.get(TOKENS_PER_STATEMENT_MAX) {
        let message = format!("the statement has more than {TOKENS_PER_STATEMENT_MAX} tokens");
        return Err(Refusal::new("too_large", message)
            .hint("put long lists into a table and join it")
            .at(token.span));
    }
    let mut open = 0usize;
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => open += 1,
            Token::RParen | Token::RBracket | Token::RBrace => open = open.saturating_sub(1),
            _ => {}
        }
        if open > PARENTHESES_MAX {
            let message = format!("parentheses nest deeper than {PARENTHESES_MAX}");
            return Err(too_deep(message).at(token.span));
        }
    }
    Ok(())
}

pub(crate) fn too_deep(message: String) -> Refusal {
    Refusal::new("too_deep", message).hint("simplify it, or split it over materialized views")
}

/// The parser was stopped: the last place it was at is as good as any.
fn unreadable(last: &Refusal) -> Refusal {
    too_deep("the statement nests too deep to tell what is wrong with it".to_owned()).at_place(last.place)
}

/// The parser's messages end in ` at Line: l, Column: c`, unless the text ended too early.
fn syntax_refusal(error: &ParserError, end: Option<Place>) -> Refusal {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return too_deep(format!("the statement nests deeper than {PARSER_DEPTH_MAX}")).at_place(end);
        }
    };
    let (message, place) = match text.rsplit_once(" at Line: ") {
        Some((message, numbers)) => (message, numbers.split_once(", Column: ").and_then(read_place)),
        None => (text.as_str(), None),
    };
    let message = lower_first(message).replace("found: EOF", "found: the end of the statement");
    Refusal::new("syntax", message).at_place(place.or(end))
}

fn read_place((line, column): (&str, &str)) -> Option<Place> {
    Place::new(line.parse().ok()?, column.trim().parse().ok()?)
}

/// Messages start in lower case, unless their first word is an acronym or a keyword.
pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(_), Some(second)) if second.is_uppercase() => text.to_owned(),
        (Some(first), _) => first.to_lowercase().chain(chars).collect(),
        (None, _) => String::new(),
    }
}
