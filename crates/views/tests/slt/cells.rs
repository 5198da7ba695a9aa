//! Values as the files write them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::record_batch::RecordBatch;

use crate::file::Query;

/// The rows that a query should give, in a form that can be compared.
pub fn expected(query: &Query) -> Vec<String> {
    sorted(query, query.rows.iter().cloned())
}

/// The rows that it gave, in the same form.
pub fn found(query: &Query, batches: &[RecordBatch]) -> Vec<String> {
    let rows = batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
    });
    sorted(query, rows)
}

fn sorted(query: &Query, rows: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let row = |cells: Vec<String>| {
        assert_eq!(cells.len(), query.types.len(), "{}", query.sql);
        let cells = cells.into_iter().zip(query.types.chars());
        cells.map(|(cell, kind)| if kind == 'R' { float(cell) } else { cell }).collect::<Vec<_>>().join("\t")
    };
    let mut rows: Vec<String> = rows.map(row).collect();
    rows.sort();
    rows
}

/// A float's value, whatever way it is written: every bit counts, but there is one zero and one NaN.
fn float(cell: String) -> String {
    cell.parse::<f64>().map_or(cell, |value| format!("{:?}", value + 0.0))
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Utf8 => match column.as_string::<i32>().value(row) {
            "" => "(empty)".to_owned(),
            text => text.to_owned(),
        },
        DataType::Binary => format!("\\x{}", hex(column.as_binary::<i32>().value(row))),
        DataType::FixedSizeBinary(16) => {
            let digits = hex(column.as_fixed_size_binary().value(row));
            [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            time(column.as_primitive::<Time64NanosecondType>().value_as_time(row).unwrap().to_string())
        }
        DataType::Date32 => column.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => time(
            column.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row).unwrap().to_string(),
        ),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            time(column.as_primitive::<TimestampNanosecondType>().value_as_datetime(row).unwrap().to_string())
        }
        other => panic!("no column is a {other}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time without zeros at the end of its fraction.
fn time(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
