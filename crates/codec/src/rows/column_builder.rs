use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use headwater_types::ColumnType;
use headwater_types::text::uuid;

use super::scalar::Scalar;

/// One column in the making. The last rows can be taken back.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    column_type: ColumnType,
    pub(super) values: Values,
    /// Rows that are NULL, ascending. NULLs are the exception, so rows are listed instead of a bit kept for each.
    null_rows: Vec<u32>,
}

/// The values by the way they are stored. A NULL holds the type's zero.
#[derive(Debug)]
pub(super) enum Values {
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    Uuid(Vec<[u8; uuid::BYTES]>),
    /// VARCHAR, in UTF-8, and VARBINARY.
    Text(Texts),
}

/// Texts one after the other; `ends` starts with a zero and then has one end per text.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    fn new() -> Texts {
        Texts { bytes: Vec::new(), ends: vec![0] }
    }

    /// Ends the text that was appended to `bytes`.
    #[inline]
    pub(super) fn end_text(&mut self) {
        let end = i32::try_from(self.bytes.len()).expect("a request's texts are bounded far below 2 GiB");
        self.ends.push(end);
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows + 1);
        // Also without a whole text to drop there may be the beginning of one.
        self.bytes.truncate(self.ends.last().map_or(0, |&end| end.cast_unsigned() as usize));
    }
}

/// Evaluates `$body` with `$values` bound to the vector of whichever fixed-width type it is, or `$texts` to the texts.
macro_rules! each_values {
    ($on:expr, $values:ident => $body:expr, $texts:ident => $text_body:expr) => {
        match $on {
            Values::Boolean($values) => $body,
            Values::Int8($values) => $body,
            Values::Int16($values) => $body,
            Values::Int32($values) => $body,
            Values::Int64($values) => $body,
            Values::Float32($values) => $body,
            Values::Float64($values) => $body,
            Values::Decimal($values) => $body,
            Values::Uuid($values) => $body,
            Values::Text($texts) => $text_body,
        }
    };
}

impl ColumnBuilder {
    pub(crate) fn new(column_type: ColumnType) -> ColumnBuilder {
        let values = match column_type {
            ColumnType::Boolean => Values::Boolean(Vec::new()),
            ColumnType::TinyInt => Values::Int8(Vec::new()),
            ColumnType::SmallInt => Values::Int16(Vec::new()),
            ColumnType::Int | ColumnType::Date => Values::Int32(Vec::new()),
            ColumnType::BigInt | ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampNanos => {
                Values::Int64(Vec::new())
            }
            ColumnType::Real => Values::Float32(Vec::new()),
            ColumnType::Double => Values::Float64(Vec::new()),
            ColumnType::Decimal { .. } => Values::Decimal(Vec::new()),
            ColumnType::Uuid => Values::Uuid(Vec::new()),
            ColumnType::Varchar | ColumnType::Varbinary => Values::Text(Texts::new()),
        };
        ColumnBuilder { column_type, values, null_rows: Vec::new() }
    }

    pub(crate) fn column_type(&self) -> ColumnType {
        self.column_type
    }

    pub(crate) fn len(&self) -> usize {
        each_values!(&self.values, values => values.len(), texts => texts.ends.len() - 1)
    }

    /// Bytes that one row takes, texts not counted.
    pub(crate) fn row_bytes(&self) -> usize {
        each_values!(&self.values, values => size_of_element(values), texts => size_of_element(&texts.ends))
    }

    /// Makes room for so many more rows, and for texts as long as those so far up to so many bytes.
    pub(crate) fn reserve(&mut self, rows: usize, text_bytes_max: usize) {
        each_values!(&mut self.values, values => values.reserve(rows), texts => {
            let text_bytes_mean = texts.bytes.len() / (texts.ends.len() - 1).max(1);
            texts.ends.reserve(rows);
            texts.bytes.reserve((rows * text_bytes_mean).min(text_bytes_max));
        });
    }

    pub(crate) fn push_null(&mut self) {
        let row = u32::try_from(self.len()).expect("a request's records are counted in 32 bits");
        self.null_rows.push(row);
        each_values!(&mut self.values, values => values.push(Default::default()), texts => texts.end_text());
    }

    pub(crate) fn push_scalar(&mut self, scalar: &Scalar) {
        match (&mut self.values, scalar) {
            (Values::Boolean(values), Scalar::Boolean(value)) => values.push(*value),
            (Values::Int8(values), Scalar::Int8(value)) => values.push(*value),
            (Values::Int16(values), Scalar::Int16(value)) => values.push(*value),
            (Values::Int32(values), Scalar::Int32(value)) => values.push(*value),
            (Values::Int64(values), Scalar::Int64(value)) => values.push(*value),
            (Values::Float32(values), Scalar::Float32(value)) => values.push(*value),
            (Values::Float64(values), Scalar::Float64(value)) => values.push(*value),
            (Values::Decimal(values), Scalar::Decimal(value)) => values.push(*value),
            (Values::Uuid(values), Scalar::Uuid(value)) => values.push(*value),
            (Values::Text(texts), Scalar::Bytes(bytes)) => {
                texts.bytes.extend_from_slice(bytes);
                texts.end_text();
            }
            (values, scalar) => unreachable!("{scalar:?} is not a value of {values:?}"),
        }
    }

    /// Takes back all rows from this one on, also one that was only begun.
    pub(crate) fn truncate(&mut self, rows: usize) {
        each_values!(&mut self.values, values => values.truncate(rows), texts => texts.truncate(rows));
        while self.null_rows.last().is_some_and(|&row| row as usize >= rows) {
            self.null_rows.pop();
        }
    }

    /// Moves the last row into a builder of its own.
    pub(crate) fn split_last(&mut self) -> ColumnBuilder {
        let mut last = ColumnBuilder::new(self.column_type);
        let rows = self.len() - 1;
        if self.null_rows.last().is_some_and(|&row| row as usize == rows) {
            last.push_null();
        } else {
            match (&self.values, &mut last.values) {
                (Values::Text(from), Values::Text(to)) => {
                    to.bytes.extend_from_slice(&from.bytes[from.ends[rows].cast_unsigned() as usize..]);
                    to.end_text();
                }
                (from, _) => last.push_scalar(&from.fixed_width(rows)),
            }
        }
        self.truncate(rows);
        last
    }

    /// The column as an array; the builder is empty again.
    pub(crate) fn take_array(&mut self) -> ArrayRef {
        let rows = self.len();
        let taken = std::mem::replace(self, ColumnBuilder::new(self.column_type));
        let nulls = taken.null_buffer(rows);
        let column_type = taken.column_type;
        match taken.values {
            Values::Boolean(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Values::Int8(values) => Arc::new(Int8Array::new(values.into(), nulls)),
            Values::Int16(values) => Arc::new(Int16Array::new(values.into(), nulls)),
            Values::Int32(values) if column_type == ColumnType::Date => {
                Arc::new(Date32Array::new(values.into(), nulls))
            }
            Values::Int32(values) => Arc::new(Int32Array::new(values.into(), nulls)),
            Values::Int64(values) => int64_array(values.into(), nulls, column_type),
            Values::Float32(values) => Arc::new(Float32Array::new(values.into(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Values::Decimal(values) => {
                let array = Decimal128Array::new(values.into(), nulls);
                Arc::new(array.with_data_type(column_type.arrow()))
            }
            Values::Uuid(values) => {
                let bytes = Buffer::from_vec(values.into_flattened());
                Arc::new(FixedSizeBinaryArray::new(uuid::BYTES as i32, bytes, nulls))
            }
            Values::Text(texts) => {
                let ends = OffsetBuffer::new(texts.ends.into());
                let bytes = Buffer::from_vec(texts.bytes);
                match column_type {
                    ColumnType::Varbinary => Arc::new(BinaryArray::new(ends, bytes, nulls)),
                    _ => Arc::new(StringArray::new(ends, bytes, nulls)),
                }
            }
        }
    }

    fn null_buffer(&self, rows: usize) -> Option<NullBuffer> {
        if self.null_rows.is_empty() {
            return None;
        }
        let mut valid = vec![true; rows];
        for &row in &self.null_rows {
            valid[row as usize] = false;
        }
        Some(NullBuffer::from(valid))
    }
}

impl Values {
    /// One value of a type of fixed width.
    fn fixed_width(&self, row: usize) -> Scalar {
        match self {
            Values::Boolean(values) => Scalar::Boolean(values[row]),
            Values::Int8(values) => Scalar::Int8(values[row]),
            Values::Int16(values) => Scalar::Int16(values[row]),
            Values::Int32(values) => Scalar::Int32(values[row]),
            Values::Int64(values) => Scalar::Int64(values[row]),
            Values::Float32(values) => Scalar::Float32(values[row]),
            Values::Float64(values) => Scalar::Float64(values[row]),
            Values::Decimal(values) => Scalar::Decimal(values[row]),
            Values::Uuid(values) => Scalar::Uuid(values[row]),
            Values::Text(_) => unreachable!("texts have no fixed width"),
        }
    }
}

fn int64_array(values: ScalarBuffer<i64>, nulls: Option<NullBuffer>, column_type: ColumnType) -> ArrayRef {
    match column_type {
        ColumnType::Time => Arc::new(Time64NanosecondArray::new(values, nulls)),
        ColumnType::Timestamp => Arc::new(TimestampMicrosecondArray::new(values, nulls)),
        ColumnType::TimestampNanos => Arc::new(TimestampNanosecondArray::new(values, nulls)),
        _ => Arc::new(Int64Array::new(values, nulls)),
    }
}

fn size_of_element<T>(_: &[T]) -> usize {
    size_of::<T>()
}
