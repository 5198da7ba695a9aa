use headwater_types::limits::JSON_DEPTH_MAX;

use super::string::{self, RawString};
use crate::problem::Problem;
use crate::values::number::Number;

/// A place in a JSON text that is known to be UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

/// Where a text stops being JSON, and what is wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// Why a record could not be read.
#[derive(Debug)]
pub(crate) enum Fault {
    Syntax(SyntaxError),
    Value(Box<Problem>),
}

impl From<SyntaxError> for Fault {
    fn from(error: SyntaxError) -> Fault {
        Fault::Syntax(error)
    }
}

impl From<Box<Problem>> for Fault {
    fn from(problem: Box<Problem>) -> Fault {
        Fault::Value(problem)
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), SyntaxError> {
        if self.take(byte) { Ok(()) } else { Err(self.error(what)) }
    }

    /// Passes over a quoted text if it stands here, exactly so.
    #[inline]
    pub(crate) fn take_quoted(&mut self, text: &str) -> bool {
        let length = text.len();
        let Some(quoted) = self.bytes.get(self.at..self.at + length + 2) else {
            return false;
        };
        let found = quoted[0] == b'"' && quoted[length + 1] == b'"' && &quoted[1..=length] == text.as_bytes();
        if found {
            self.at += length + 2;
        }
        found
    }

    #[cold]
    pub(crate) fn error(&self, what: &'static str) -> SyntaxError {
        let what = if self.at >= self.bytes.len() { "the text ends too early" } else { what };
        SyntaxError { at: self.at, what }
    }

    /// Passes over `"name" :`.
    pub(crate) fn take_name(&mut self) -> Result<RawString<'a>, SyntaxError> {
        let name = self.take_string("a field name in quotes is expected")?;
        self.take_colon()?;
        Ok(name)
    }

    /// Passes over the colon after a name and the space around it.
    #[inline]
    pub(crate) fn take_colon(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        self.expect(b':', "':' is expected after a field name")?;
        self.skip_whitespace();
        Ok(())
    }

    #[inline]
    pub(crate) fn take_string(&mut self, what: &'static str) -> Result<RawString<'a>, SyntaxError> {
        self.expect(b'"', what)?;
        string::scan(self)
    }

    #[inline]
    pub(crate) fn take_number(&mut self) -> Result<Number<'a>, SyntaxError> {
        let number = Number::scan(self.rest()).ok_or_else(|| self.error("this is not a number of JSON"))?;
        self.at += number.text.len();
        Ok(number)
    }

    #[inline]
    pub(crate) fn take_literal(&mut self, literal: &'static str) -> Result<(), SyntaxError> {
        if !self.rest().starts_with(literal.as_bytes()) {
            return Err(self.error("a value is expected"));
        }
        self.at += literal.len();
        Ok(())
    }

    /// After a member of an object or array: whether another follows. Passes over the comma or the closing bracket.
    #[inline]
    pub(crate) fn another_follows(&mut self, closing: u8) -> Result<bool, SyntaxError> {
        self.skip_whitespace();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_whitespace();
                Ok(true)
            }
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.error(if closing == b'}' {
                "',' or '}' is expected"
            } else {
                "',' or ']' is expected"
            })),
        }
    }

    /// Passes over one value, checking all of its syntax. `depth` is the number of objects and arrays around it.
    pub(crate) fn skip_value(&mut self, depth: usize) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"') => self.take_string("").map(drop),
            Some(b'-' | b'0'..=b'9') => self.take_number().map(drop),
            Some(b't') => self.take_literal("true"),
            Some(b'f') => self.take_literal("false"),
            Some(b'n') => self.take_literal("null"),
            Some(b'{' | b'[') if depth == JSON_DEPTH_MAX => {
                Err(self.error("objects and arrays are nested too deep"))
            }
            Some(b'{') => self.skip_members(b'}', |cursor| {
                cursor.take_name()?;
                cursor.skip_value(depth + 1)
            }),
            Some(b'[') => self.skip_members(b']', |cursor| cursor.skip_value(depth + 1)),
            _ => Err(self.error("a value is expected")),
        }
    }

    fn skip_members(
        &mut self,
        closing: u8,
        skip_member: impl Fn(&mut Cursor<'a>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        self.at += 1;
        self.skip_whitespace();
        if self.take(closing) {
            return Ok(());
        }
        loop {
            skip_member(self)?;
            if !self.another_follows(closing)? {
                return Ok(());
            }
        }
    }

    /// Checks that nothing but space follows.
    pub(crate) fn expect_end(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        if self.at < self.bytes.len() { Err(self.error("text follows the end of the value")) } else { Ok(()) }
    }

    /// Checks that a text is one JSON value and nothing else.
    pub(crate) fn check_whole(text: &[u8]) -> Result<(), SyntaxError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_whitespace();
        cursor.skip_value(0)?;
        cursor.expect_end()
    }
}
