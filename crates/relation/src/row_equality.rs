use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};

/// Whether two columns of the same type have the same value in these rows. NULL equals NULL; floats are compared by
/// bits, as they are canonical.
pub(crate) fn values_equal(a: &ArrayRef, a_row: usize, b: &ArrayRef, b_row: usize) -> bool {
    match (a.is_null(a_row), b.is_null(b_row)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    macro_rules! primitive {
        ($type:ty) => {
            a.as_primitive::<$type>().value(a_row) == b.as_primitive::<$type>().value(b_row)
        };
    }
    macro_rules! float {
        ($type:ty) => {
            a.as_primitive::<$type>().value(a_row).to_bits()
                == b.as_primitive::<$type>().value(b_row).to_bits()
        };
    }
    match a.data_type() {
        DataType::Boolean => a.as_boolean().value(a_row) == b.as_boolean().value(b_row),
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int16 => primitive!(Int16Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::Float32 => float!(Float32Type),
        DataType::Float64 => float!(Float64Type),
        DataType::Decimal128(_, _) => primitive!(Decimal128Type),
        DataType::Utf8 => a.as_string::<i32>().value(a_row) == b.as_string::<i32>().value(b_row),
        DataType::Binary => a.as_binary::<i32>().value(a_row) == b.as_binary::<i32>().value(b_row),
        DataType::FixedSizeBinary(_) => {
            a.as_fixed_size_binary().value(a_row) == b.as_fixed_size_binary().value(b_row)
        }
        DataType::Date32 => primitive!(Date32Type),
        DataType::Time64(TimeUnit::Nanosecond) => primitive!(Time64NanosecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => primitive!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => primitive!(TimestampNanosecondType),
        // Types without a case of their own: slower, and right for all.
        _ => a.slice(a_row, 1).as_ref() == b.slice(b_row, 1).as_ref(),
    }
}
