//! Rows over every column type, each value chosen from a few by a number, so that equal rows are frequent.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use headwater_relation::row_bytes;
use headwater_types::{ColumnType, Scan};
use proptest::prelude::*;

pub const TYPES: [ColumnType; 15] = [
    ColumnType::Varchar,
    ColumnType::Boolean,
    ColumnType::BigInt,
    ColumnType::TinyInt,
    ColumnType::SmallInt,
    ColumnType::Int,
    ColumnType::Real,
    ColumnType::Double,
    ColumnType::Decimal { precision: 38, scale: 3 },
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::TimestampNanos,
    ColumnType::Time,
    ColumnType::Varbinary,
    ColumnType::Uuid,
];

/// One number per column: which value; `None` is NULL.
pub type Row = Vec<Option<u8>>;

pub fn schema() -> SchemaRef {
    let field = |(i, t): (usize, &ColumnType)| Field::new(format!("c{i}"), t.arrow(), true);
    Arc::new(Schema::new(TYPES.iter().enumerate().map(field).collect::<Vec<_>>()))
}

pub fn project(schema: &SchemaRef, columns: &[usize]) -> SchemaRef {
    Arc::new(schema.project(columns).unwrap())
}

/// The batch of these rows; each row has one number for each of the columns.
pub fn batch(columns: &[usize], rows: &[Row]) -> RecordBatch {
    let arrays = columns.iter().enumerate().map(|(at, &column)| {
        let numbers: Vec<Option<u8>> = rows.iter().map(|row| row[at]).collect();
        array(TYPES[column], &numbers)
    });
    RecordBatch::try_new(project(&schema(), columns), arrays.collect()).unwrap()
}

pub fn all_columns() -> Vec<usize> {
    (0..TYPES.len()).collect()
}

pub fn rows_batch(rows: &[Row]) -> RecordBatch {
    batch(&all_columns(), rows)
}

fn array(column_type: ColumnType, numbers: &[Option<u8>]) -> ArrayRef {
    const FLOATS: [f64; 4] = [0.0, f64::NAN, f64::NEG_INFINITY, 0.1];
    const TEXTS: [&str; 4] = ["", "a", "ä\0b", "a text that is longer than one block of encoded bytes"];
    let int = |n: u8| i64::from(n) - 2;
    let float = |n: u8| FLOATS[n as usize % 4];
    let numbers = numbers.iter().copied();
    match column_type {
        ColumnType::Boolean => Arc::new(BooleanArray::from_iter(numbers.map(|n| n.map(|n| n % 2 == 1)))),
        ColumnType::TinyInt => Arc::new(Int8Array::from_iter(numbers.map(|n| n.map(|n| int(n) as i8)))),
        ColumnType::SmallInt => Arc::new(Int16Array::from_iter(numbers.map(|n| n.map(|n| int(n) as i16)))),
        ColumnType::Int => Arc::new(Int32Array::from_iter(numbers.map(|n| n.map(|n| int(n) as i32)))),
        ColumnType::BigInt => Arc::new(Int64Array::from_iter(numbers.map(|n| n.map(int)))),
        ColumnType::Real => Arc::new(Float32Array::from_iter(numbers.map(|n| n.map(|n| float(n) as f32)))),
        ColumnType::Double => Arc::new(Float64Array::from_iter(numbers.map(|n| n.map(float)))),
        ColumnType::Decimal { precision, scale } => {
            let values = Decimal128Array::from_iter(numbers.map(|n| n.map(|n| i128::from(int(n)) << 100)));
            Arc::new(values.with_precision_and_scale(precision, scale as i8).unwrap())
        }
        ColumnType::Varchar => {
            Arc::new(StringArray::from_iter(numbers.map(|n| n.map(|n| TEXTS[n as usize % 4]))))
        }
        ColumnType::Date => Arc::new(Date32Array::from_iter(numbers.map(|n| n.map(|n| int(n) as i32)))),
        ColumnType::Timestamp => Arc::new(TimestampMicrosecondArray::from_iter(numbers.map(|n| n.map(int)))),
        ColumnType::TimestampNanos => {
            Arc::new(TimestampNanosecondArray::from_iter(numbers.map(|n| n.map(int))))
        }
        ColumnType::Time => Arc::new(Time64NanosecondArray::from_iter(numbers.map(|n| n.map(i64::from)))),
        ColumnType::Varbinary => {
            const BYTES: [&[u8]; 4] = [b"", b"\0", b"\xff\0\xfe", &[0xff; 40]];
            Arc::new(BinaryArray::from_iter(numbers.map(|n| n.map(|n| BYTES[n as usize % 4]))))
        }
        ColumnType::Uuid => {
            let uuids = numbers.map(|n| n.map(|n| [n.wrapping_sub(1); 16]));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap())
        }
    }
}

/// The bytes of all rows, sorted: equal for equal multisets of rows.
pub fn contents(scan: &impl Scan) -> Vec<Vec<u8>> {
    let mut rows: Vec<Vec<u8>> =
        (0..scan.num_segments()).flat_map(|index| sorted_bytes(&scan.segment(index, None))).collect();
    assert_eq!(rows.len(), scan.num_rows());
    rows.sort_unstable();
    rows
}

pub fn sorted_bytes(batch: &RecordBatch) -> Vec<Vec<u8>> {
    let mut rows: Vec<Vec<u8>> = row_bytes(batch).iter().map(|row| row.data().to_vec()).collect();
    rows.sort_unstable();
    rows
}

/// Whether NULL, and else which of four values. Most rows are one of few, so that many are equal.
pub fn row(columns: usize) -> impl Strategy<Value = Row> {
    let number = || prop_oneof![1 => Just(None), 4 => (0_u8..4).prop_map(Some)];
    prop_oneof![
        3 => (0_u8..8).prop_map(move |n| (0..columns).map(|c| (n < 6).then_some((n + c as u8) % 4)).collect()),
        1 => prop::collection::vec(number(), columns),
    ]
}
