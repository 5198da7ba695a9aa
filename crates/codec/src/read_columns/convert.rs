use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_null_array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::downcast_dictionary_array;
use headwater_types::ColumnType;

use crate::problem::Problem;
use crate::rows::column_builder::ColumnBuilder;

/// Bytes.
mod bytes;
/// Integers, floats and decimals.
mod numbers;
/// Texts.
mod texts;
/// Dates and timestamps.
mod times;

/// Where the rows go whose value the column does not hold.
pub(super) type Note<'n> = dyn FnMut(usize, Box<Problem>) + 'n;

/// The values of a source that fits, as the column's type holds them; `None` if they would take more bytes than this.
///
/// What is given back shares no memory with the source, so that a row does not keep the body it came in.
pub(super) fn convert(
    source: &ArrayRef,
    column_type: ColumnType,
    bytes_max: usize,
    note: &mut Note<'_>,
) -> Option<ArrayRef> {
    let source = source.as_ref();
    if let DataType::Dictionary(_, values) = source.data_type()
        && !texts::is_text(values)
    {
        return convert(&plain(source), column_type, bytes_max, note);
    }
    if *source.data_type() == DataType::Null {
        return Some(new_null_array(&column_type.arrow(), source.len()));
    }
    if texts::is_text_or_dictionary(source.data_type()) {
        return match column_type {
            ColumnType::Varchar => texts::copied(source, bytes_max),
            _ => parsed(source, column_type, bytes_max, note),
        };
    }
    Some(match column_type {
        ColumnType::Boolean => {
            let values = source.as_boolean();
            Arc::new(BooleanArray::new(values.values().iter().collect(), values.nulls().cloned()))
        }
        ColumnType::Time | ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampNanos => {
            times::convert(source, column_type, note)
        }
        ColumnType::Varbinary => return bytes::copied(source, bytes_max),
        ColumnType::Uuid => bytes::uuids(source),
        _ => numbers::convert(source, column_type, note),
    })
}

/// The values that a dictionary's keys stand for. Their width is fixed, so there is no more of them than rows.
fn plain(dictionary: &dyn Array) -> ArrayRef {
    downcast_dictionary_array!(
        dictionary => take(dictionary.values(), dictionary.keys(), None).expect("keys were checked when the array was made"),
        _ => unreachable!("only dictionaries are made plain")
    )
}

/// Texts read as in a JSON body; `None` if there are more bytes of them than this.
fn parsed(
    source: &dyn Array,
    column_type: ColumnType,
    bytes_max: usize,
    note: &mut Note<'_>,
) -> Option<ArrayRef> {
    if texts::total_bytes(source) > bytes_max {
        return None;
    }
    let mut builder = ColumnBuilder::new(column_type);
    texts::for_each(source, &mut |row, text| match text {
        None => builder.push_null(),
        Some(text) => {
            if let Err(problem) = builder.push_string(text.as_bytes()) {
                note(row, problem);
                builder.push_null();
            }
        }
    });
    Some(builder.take_array())
}
