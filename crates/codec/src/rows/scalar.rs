use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64NanosecondType, TimestampMicrosecondType, TimestampNanosecondType,
};
use headwater_types::ColumnType;
use headwater_types::text::uuid;

use crate::values::float::{canonical_f32, canonical_f64};

/// One value that is not NULL, by the way it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Boolean(bool),
    Int8(i8),
    Int16(i16),
    /// INTEGER and DATE.
    Int32(i32),
    /// BIGINT, TIME and both timestamps.
    Int64(i64),
    Float32(f32),
    Float64(f64),
    Decimal(i128),
    /// VARCHAR and VARBINARY.
    Bytes(Vec<u8>),
    Uuid([u8; uuid::BYTES]),
}

impl Scalar {
    /// The only element of a column's DEFAULT; `None` for NULL.
    pub(crate) fn of_default(default: &ArrayRef, column_type: ColumnType) -> Option<Scalar> {
        if default.is_null(0) {
            return None;
        }
        Some(match column_type {
            ColumnType::Boolean => Scalar::Boolean(default.as_boolean().value(0)),
            ColumnType::TinyInt => Scalar::Int8(default.as_primitive::<Int8Type>().value(0)),
            ColumnType::SmallInt => Scalar::Int16(default.as_primitive::<Int16Type>().value(0)),
            ColumnType::Int => Scalar::Int32(default.as_primitive::<Int32Type>().value(0)),
            ColumnType::Date => Scalar::Int32(default.as_primitive::<Date32Type>().value(0)),
            ColumnType::BigInt => Scalar::Int64(default.as_primitive::<Int64Type>().value(0)),
            ColumnType::Timestamp => {
                Scalar::Int64(default.as_primitive::<TimestampMicrosecondType>().value(0))
            }
            ColumnType::TimestampNanos => {
                Scalar::Int64(default.as_primitive::<TimestampNanosecondType>().value(0))
            }
            ColumnType::Real => {
                Scalar::Float32(canonical_f32(default.as_primitive::<Float32Type>().value(0)))
            }
            ColumnType::Double => {
                Scalar::Float64(canonical_f64(default.as_primitive::<Float64Type>().value(0)))
            }
            ColumnType::Decimal { .. } => Scalar::Decimal(default.as_primitive::<Decimal128Type>().value(0)),
            ColumnType::Time => Scalar::Int64(default.as_primitive::<Time64NanosecondType>().value(0)),
            ColumnType::Varchar => Scalar::Bytes(default.as_string::<i32>().value(0).into()),
            ColumnType::Varbinary => Scalar::Bytes(default.as_binary::<i32>().value(0).into()),
            ColumnType::Uuid => {
                let bytes = default.as_fixed_size_binary().value(0);
                Scalar::Uuid(bytes.try_into().expect("a UUID is stored in its 16 bytes"))
            }
        })
    }

    /// Bytes that the value takes beside its fixed width.
    pub(crate) fn text_bytes(&self) -> usize {
        if let Scalar::Bytes(bytes) = self { bytes.len() } else { 0 }
    }
}
