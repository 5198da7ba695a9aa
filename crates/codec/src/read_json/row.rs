use headwater_types::{ColumnType, RecordErrorCode};

use super::cursor::{Cursor, Fault, SyntaxError};
use crate::problem::Problem;
use crate::rows::column_builder::ColumnBuilder;
use crate::rows::from_text::wrong_type;
use crate::rows::row_builder::RowBuilder;
use crate::values::scaled::integer;

/// Reads one object into the columns of a row. `depth` is the number of objects and arrays around it.
pub(crate) fn read_row(
    cursor: &mut Cursor<'_>,
    rows: &mut RowBuilder<'_>,
    depth: usize,
) -> Result<(), Fault> {
    begin_object(cursor)?;
    if cursor.take(b'}') {
        return Ok(());
    }
    loop {
        let column = read_name(cursor, rows)?;
        read_value(cursor, rows, column, depth + 1)?;
        if !cursor.another_follows(b'}')? {
            return Ok(());
        }
    }
}

/// Passes over the opening brace and the space after it.
pub(crate) fn begin_object(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    match cursor.peek() {
        Some(b'{') => {
            cursor.at += 1;
            cursor.skip_whitespace();
            Ok(())
        }
        None => Err(cursor.error("a record is expected").into()),
        Some(_) => {
            let problem = Problem::new(RecordErrorCode::Type, "a record must be a JSON object");
            Err(problem.hint("write {\"column\": value, …}").into())
        }
    }
}

#[inline]
fn read_name(cursor: &mut Cursor<'_>, rows: &RowBuilder<'_>) -> Result<usize, Fault> {
    if let Some((column, name)) = rows.expected()
        && cursor.take_quoted(name)
    {
        cursor.take_colon()?;
        return Ok(column);
    }
    let name = cursor.take_name()?;
    Ok(rows.find(&name.decoded_str())?)
}

#[inline]
fn read_value(
    cursor: &mut Cursor<'_>,
    rows: &mut RowBuilder<'_>,
    column: usize,
    depth: usize,
) -> Result<(), Fault> {
    let (plan, values) = rows.begin_field(column)?;
    if !plan.kept {
        return Ok(cursor.skip_value(depth)?);
    }
    let pushed = match cursor.peek() {
        Some(b'"') => values.push_string(&cursor.take_string("")?.decoded()),
        Some(b'-' | b'0'..=b'9') => values.push_number(&cursor.take_number()?),
        Some(b'n') => {
            cursor.take_literal("null")?;
            plan.check_null().map(|()| values.push_null())
        }
        Some(b't') => {
            cursor.take_literal("true")?;
            values.push_boolean(true)
        }
        Some(b'f') => {
            cursor.take_literal("false")?;
            values.push_boolean(false)
        }
        Some(b'{') => Err(wrong_type("an object", plan.column_type)),
        Some(b'[') if plan.column_type == ColumnType::Varbinary => match read_bytes(cursor, values) {
            Ok(()) => Ok(()),
            Err(Fault::Value(problem)) => Err(problem),
            Err(syntax) => return Err(syntax),
        },
        Some(b'[') => Err(wrong_type("an array", plan.column_type)),
        _ => return Err(value_expected(cursor).into()),
    };
    pushed.map_err(|problem| Fault::Value(problem.at(plan.name)))
}

/// Reads an array of numbers from 0 to 255.
fn read_bytes(cursor: &mut Cursor<'_>, values: &mut ColumnBuilder) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    cursor.at += 1;
    cursor.skip_whitespace();
    if !cursor.take(b']') {
        loop {
            let number = match cursor.peek() {
                Some(b'-' | b'0'..=b'9') => cursor.take_number()?,
                None => return Err(value_expected(cursor).into()),
                Some(_) => return Err(not_a_byte(values).into()),
            };
            let byte = integer(&number).ok().and_then(|value: i64| u8::try_from(value).ok());
            bytes.push(byte.ok_or_else(|| not_a_byte(values))?);
            if !cursor.another_follows(b']')? {
                break;
            }
        }
    }
    Ok(values.push_bytes(&bytes)?)
}

#[cold]
fn not_a_byte(values: &ColumnBuilder) -> Box<Problem> {
    wrong_type("an array of other values than integers from 0 to 255", values.column_type())
}

#[cold]
fn value_expected(cursor: &Cursor<'_>) -> SyntaxError {
    cursor.error("a value is expected")
}
