use headwater_types::{Decoded, Operation, RecordErrorCode};

use super::cursor::{Cursor, Fault, SyntaxError};
use super::row::read_row;
use crate::body_error::BodyError;
use crate::problem::Problem;
use crate::records::{RecordSink, Records};
use crate::rows::row_builder::RowBuilder;

/// Reads the values of one JSON record.
pub(crate) trait ReadRecord: RecordSink {
    /// Reads one record and leaves the cursor behind it. After an error the cursor may be anywhere.
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault>;
}

impl ReadRecord for RowBuilder<'_> {
    #[inline]
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        read_row(cursor, self, 0)
    }
}

impl RecordSink for RowBuilder<'_> {
    #[inline]
    fn commit(&mut self, index: u32, operations: &mut Vec<Operation>) -> Result<(), Box<Problem>> {
        RowBuilder::commit(self, index, operations)
    }

    fn abandon(&mut self) {
        RowBuilder::abandon(self);
    }

    fn flush(&mut self, operations: &mut Vec<Operation>) {
        RowBuilder::flush(self, operations);
    }

    #[inline]
    fn decoded_bytes(&self) -> usize {
        RowBuilder::decoded_bytes(self)
    }

    fn reserve(&mut self, records: usize, bytes_max: usize) {
        RowBuilder::reserve(self, records, bytes_max);
    }
}

/// Decodes one object, an array of objects, or lines of objects, whichever it is.
pub(crate) fn decode_json<S: ReadRecord>(body: &[u8], sink: S) -> Result<Decoded, BodyError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace()).ok_or(BodyError::Empty)?;
    if *first == b'[' {
        check_utf8(body)?;
        return decode_array(body, sink);
    }
    if is_one_record(body) {
        check_utf8(body)?;
        let mut records = Records::new(sink);
        read_whole(&mut records, body, 1)?;
        return Ok(records.finish());
    }
    decode_lines(body, sink)
}

/// Decodes one record per line. Lines without text are passed over.
pub(crate) fn decode_lines<S: ReadRecord>(body: &[u8], sink: S) -> Result<Decoded, BodyError> {
    let is_utf8 = simdutf8::basic::from_utf8(body).is_ok();
    let mut records = Records::new(sink);
    let mut line_number = 0;
    let mut start = 0;
    while start < body.len() {
        let end = memchr::memchr(b'\n', &body[start..]).map_or(body.len(), |length| start + length);
        let line = &body[start..end];
        line_number += 1;
        start = end + 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if is_utf8 || simdutf8::basic::from_utf8(line).is_ok() {
            read_whole(&mut records, line, line_number)?;
        } else {
            let message = format!("line {line_number} is not UTF-8");
            records.end(line, Err(Problem::new(RecordErrorCode::Syntax, message)))?;
        }
        records.reserve_after_first(end + 1, body.len());
    }
    Ok(records.finish())
}

fn decode_array<S: ReadRecord>(body: &[u8], sink: S) -> Result<Decoded, BodyError> {
    let mut records = Records::new(sink);
    let mut cursor = Cursor::new(body);
    cursor.skip_whitespace();
    cursor.at += 1;
    cursor.skip_whitespace();
    let mut start = cursor.at;
    if let Err(error) = read_elements(&mut records, &mut cursor, &mut start)? {
        // Nothing after broken syntax can be told apart, so the rest counts as one record.
        let text = &body[start.min(body.len())..];
        records.end(text, Err(syntax_problem(body, error, 1)))?;
    }
    Ok(records.finish())
}

/// Reads all elements and what follows the array. `start` is kept at the element being read.
fn read_elements<S: ReadRecord>(
    records: &mut Records<S>,
    cursor: &mut Cursor<'_>,
    start: &mut usize,
) -> Result<Result<(), SyntaxError>, BodyError> {
    if cursor.take(b']') {
        return Ok(cursor.expect_end());
    }
    loop {
        *start = cursor.at;
        let read = match records.sink.read(cursor) {
            Ok(()) => Ok(()),
            Err(fault) => {
                // What was read of the element is dropped before anything else may end a record.
                records.sink.abandon();
                cursor.at = *start;
                if let Err(error) = cursor.skip_value(0) {
                    return Ok(Err(error));
                }
                Err(value_problem(fault, cursor.bytes))
            }
        };
        records.end(&cursor.bytes[*start..cursor.at], read)?;
        records.reserve_after_first(cursor.at + 1, cursor.bytes.len());
        *start = cursor.at;
        match cursor.another_follows(b']') {
            Ok(true) => {}
            Ok(false) => {
                *start = cursor.at;
                return Ok(cursor.expect_end());
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Reads a text that is one record and nothing else.
#[inline]
fn read_whole<S: ReadRecord>(
    records: &mut Records<S>,
    text: &[u8],
    first_line: usize,
) -> Result<(), BodyError> {
    let mut cursor = Cursor::new(text);
    cursor.skip_whitespace();
    let read = records.sink.read(&mut cursor).and_then(|()| Ok(cursor.expect_end()?));
    let read = read.map_err(|fault| match Cursor::check_whole(text) {
        Err(error) => syntax_problem(text, error, first_line),
        Ok(()) => value_problem(fault, text),
    });
    records.end(text.trim_ascii(), read)
}

/// Whether a body that does not begin as an array is one record over several lines, and not lines of records.
///
/// A body of one line is both. Where the text is no JSON at all, a second line that begins like a record
/// makes it lines.
fn is_one_record(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    let Some(first_line_end) = memchr::memchr(b'\n', text) else {
        return false;
    };
    if Cursor::check_whole(&text[..first_line_end]).is_ok() {
        return false;
    }
    match Cursor::check_whole(text) {
        Ok(()) => true,
        Err(error) => {
            error.at > first_line_end && text[first_line_end..].trim_ascii_start().first() != Some(&b'{')
        }
    }
}

fn check_utf8(body: &[u8]) -> Result<(), BodyError> {
    if simdutf8::basic::from_utf8(body).is_ok() {
        return Ok(());
    }
    let offset = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    Err(BodyError::NotUtf8 { offset })
}

#[cold]
fn value_problem(fault: Fault, text: &[u8]) -> Box<Problem> {
    match fault {
        Fault::Value(problem) => problem,
        Fault::Syntax(error) => syntax_problem(text, error, 1),
    }
}

#[cold]
fn syntax_problem(text: &[u8], error: SyntaxError, first_line: usize) -> Box<Problem> {
    let before = &text[..error.at.min(text.len())];
    let line = first_line + memchr::memchr_iter(b'\n', before).count();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    // Columns are counted in characters: continuation bytes are passed over.
    let column = 1 + before[line_start..].iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
    let message = format!("invalid JSON at line {line}, column {column}: {}", error.what);
    Problem::new(RecordErrorCode::Syntax, message)
}
