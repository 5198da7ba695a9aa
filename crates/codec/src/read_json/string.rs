use std::borrow::Cow;

use super::cursor::{Cursor, SyntaxError};

/// The text between two quotes, its escapes checked but not replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawString<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> RawString<'a> {
    /// The text itself, in UTF-8.
    #[inline]
    pub(crate) fn decoded(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// The text itself.
    pub(crate) fn decoded_str(&self) -> Cow<'a, str> {
        match self.decoded() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Reads to the closing quote, from behind the opening one.
#[inline]
pub(crate) fn scan<'a>(cursor: &mut Cursor<'a>) -> Result<RawString<'a>, SyntaxError> {
    let start = cursor.at;
    cursor.at += plain_prefix(cursor.rest());
    if cursor.take(b'"') {
        return Ok(RawString { raw: &cursor.bytes[start..cursor.at - 1], escaped: false });
    }
    scan_escaped(cursor, start)
}

fn scan_escaped<'a>(cursor: &mut Cursor<'a>, start: usize) -> Result<RawString<'a>, SyntaxError> {
    loop {
        match cursor.peek() {
            Some(b'"') => {
                cursor.at += 1;
                return Ok(RawString { raw: &cursor.bytes[start..cursor.at - 1], escaped: true });
            }
            Some(b'\\') => scan_escape(cursor)?,
            _ => return Err(cursor.error("a control character in a string must be escaped")),
        }
        cursor.at += plain_prefix(cursor.rest());
    }
}

fn scan_escape(cursor: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    const LONE: &str = "half of a surrogate pair stands alone";
    match cursor.bytes.get(cursor.at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            cursor.at += 2;
            Ok(())
        }
        Some(b'u') => match hex_unit(cursor.bytes, cursor.at) {
            None => Err(cursor.error("\\u is followed by four hexadecimal digits")),
            Some(0xd800..=0xdbff) => match hex_unit(cursor.bytes, cursor.at + 6) {
                Some(0xdc00..=0xdfff) => {
                    cursor.at += 12;
                    Ok(())
                }
                _ => Err(cursor.error(LONE)),
            },
            Some(0xdc00..=0xdfff) => Err(cursor.error(LONE)),
            Some(_) => {
                cursor.at += 6;
                Ok(())
            }
        },
        _ => Err(cursor.error("this escape does not exist")),
    }
}

/// The value of `\uXXXX` at a place.
fn hex_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    if &escape[..2] != b"\\u" {
        return None;
    }
    escape[2..].iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}

/// Replaces escapes that have been checked.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + length]);
        at += length;
        let character = match raw[at + 1] {
            b'u' => {
                let (character, width) = unescape_unit(raw, at);
                at += width;
                character
            }
            plain => {
                at += 2;
                simple_escape(plain)
            }
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(&raw[at..]);
    out
}

fn simple_escape(letter: u8) -> char {
    match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        itself => char::from(itself),
    }
}

fn unescape_unit(raw: &[u8], at: usize) -> (char, usize) {
    let unit = |at| hex_unit(raw, at).expect("escapes were checked when the string was scanned");
    let first = unit(at);
    let (code, width) = if (0xd800..0xdc00).contains(&first) {
        (0x10000 + ((first - 0xd800) << 10) + (unit(at + 6) - 0xdc00), 12)
    } else {
        (first, 6)
    };
    (char::from_u32(code).expect("surrogates were checked to be pairs"), width)
}

/// How many bytes stand before the first quote, backslash or control character, or the end.
///
/// Eight at a time: in each mask the lowest set bit marks the first such byte exactly, as borrows only run upwards.
#[inline]
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGHS;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    words.len() * 8 + tail.iter().take_while(|byte| plain(byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_plain_prefix_ends_at_the_first_special_byte(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            let expected = bytes.iter().position(special).unwrap_or(bytes.len());
            prop_assert_eq!(plain_prefix(&bytes), expected);
        }
    }
}
