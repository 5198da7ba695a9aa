//! CSV bodies. The header row names columns, in any order; columns that it leaves out are absent from every record.
//!
//! An empty field without quotes is NULL, also for VARCHAR; `""` is the empty text. Blank lines are passed over.

use csv::{ByteRecord, Reader, ReaderBuilder};
use headwater_types::{Decoded, RecordErrorCode};

use crate::body_error::BodyError;
use crate::problem::Problem;
use crate::records::Records;
use crate::rows::row_builder::RowBuilder;

mod quoting;

use quoting::{QuoteError, quoted_fields};

/// Decodes records of one table.
pub(crate) fn decode_csv(body: &[u8], rows: RowBuilder<'_>) -> Result<Decoded, BodyError> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = ByteRecord::new();
    if !read_record(&mut reader, &mut record) {
        return Err(BodyError::Empty);
    }
    check_quotes(raw_text(body, 0, &reader), &mut Vec::new())
        .map_err(|problem| BodyError::columns(*problem))?;
    let header = read_header(&record, &rows).map_err(|problem| BodyError::columns(*problem))?;
    let mut records = Records::new(rows);
    let mut quoted = Vec::new();
    loop {
        let start = reader.position().byte() as usize;
        if !read_record(&mut reader, &mut record) {
            return Ok(records.finish());
        }
        let raw = raw_text(body, start, &reader);
        let line = record.position().map_or(0, csv::Position::line);
        let read = check_quotes(raw, &mut quoted)
            .map_err(|problem| on_line(problem, line))
            .and_then(|()| read_fields(&record, &quoted, &header, line, &mut records.sink));
        records.end(raw, read)?;
        records.reserve_after_first(raw.len() + 1, body.len());
    }
}

/// Reads from memory, with any number of fields per record: nothing is left that could go wrong.
fn read_record(reader: &mut Reader<&[u8]>, record: &mut ByteRecord) -> bool {
    reader.read_byte_record(record).expect("memory can be read, and any number of fields is taken")
}

/// The record that was read last, as it stands in the body, without its line end.
fn raw_text<'b>(body: &'b [u8], start: usize, reader: &Reader<&[u8]>) -> &'b [u8] {
    let end = (reader.position().byte() as usize).min(body.len());
    let line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let text = &body[start.min(end)..end];
    let text = &text[text.iter().take_while(|byte| line_end(byte)).count()..];
    &text[..text.len() - text.iter().rev().take_while(|byte| line_end(byte)).count()]
}

/// The column of each field.
fn read_header(record: &ByteRecord, rows: &RowBuilder<'_>) -> Result<Vec<usize>, Box<Problem>> {
    let mut header = Vec::with_capacity(record.len());
    for field in record {
        let name = std::str::from_utf8(field)
            .map_err(|_| Problem::new(RecordErrorCode::Syntax, "the header row is not UTF-8"))?;
        let column = rows.find(name)?;
        if header.contains(&column) {
            let message = format!("the header row names '{name}' twice");
            return Err(Problem::new(RecordErrorCode::DuplicateField, message).at(name));
        }
        header.push(column);
    }
    Ok(header)
}

fn read_fields(
    record: &ByteRecord,
    quoted: &[bool],
    header: &[usize],
    line: u64,
    rows: &mut RowBuilder<'_>,
) -> Result<(), Box<Problem>> {
    if record.len() != header.len() {
        let message = format!("line {line} has {} fields, the header row has {}", record.len(), header.len());
        return Err(Problem::new(RecordErrorCode::Syntax, message));
    }
    for (place, (field, &column)) in record.iter().zip(header).enumerate() {
        let text = std::str::from_utf8(field)
            .map_err(|_| Problem::new(RecordErrorCode::Syntax, format!("line {line} is not UTF-8")))?;
        let (plan, values) = rows.begin_field(column)?;
        if !plan.kept {
            continue;
        }
        let is_null = text.is_empty() && !quoted.get(place).is_some_and(|quoted| *quoted);
        if is_null {
            plan.check_null()?;
            values.push_null();
        } else {
            values.push_untyped(text).map_err(|problem| problem.at(plan.name))?;
        }
    }
    Ok(())
}

/// Notes which fields stand in quotes. None are noted where there are no quotes at all.
fn check_quotes(raw: &[u8], quoted: &mut Vec<bool>) -> Result<(), Box<Problem>> {
    quoted.clear();
    if memchr::memchr(b'"', raw).is_none() {
        return Ok(());
    }
    quoted_fields(raw, quoted).map_err(|error| {
        let (message, hint) = match error {
            QuoteError::Unclosed => {
                ("a quoted field has no closing quote", "close it; records after it were lost with it")
            }
            QuoteError::Inside => {
                ("a quote stands inside a field", "put the field in quotes and double the quotes inside")
            }
            QuoteError::TextAfter => {
                ("text follows a closing quote", "double quotes that are part of the text")
            }
        };
        Problem::new(RecordErrorCode::Syntax, message).hint(hint)
    })
}

fn on_line(mut problem: Box<Problem>, line: u64) -> Box<Problem> {
    problem.message = format!("invalid CSV at line {line}: {}", problem.message);
    problem
}
