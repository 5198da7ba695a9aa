use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray, StringArray,
    StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use headwater_types::text::{hex, time_of_day, uuid};

use super::text::write_string;
use super::time::{write_date, write_timestamp};

/// The values of one column, ready to be written one by one.
#[derive(Debug)]
pub(crate) struct Cells<'b> {
    nulls: Option<&'b NullBuffer>,
    values: CellValues<'b>,
}

enum CellValues<'b> {
    Null,
    Boolean(&'b BooleanArray),
    Int8(&'b Int8Array),
    Int16(&'b Int16Array),
    Int32(&'b Int32Array),
    Int64(&'b Int64Array),
    UInt8(&'b UInt8Array),
    UInt16(&'b UInt16Array),
    UInt32(&'b UInt32Array),
    UInt64(&'b UInt64Array),
    Float32(&'b Float32Array),
    Float64(&'b Float64Array),
    Decimal(&'b Decimal128Array),
    Text(&'b StringArray),
    LargeText(&'b LargeStringArray),
    TextView(&'b StringViewArray),
    Binary(&'b BinaryArray),
    Uuid(&'b FixedSizeBinaryArray),
    Date(&'b Date32Array),
    /// Nanoseconds since midnight.
    Time(&'b ScalarBuffer<i64>),
    /// Times since 1970 in units of 10^−digits seconds.
    Timestamp(&'b ScalarBuffer<i64>, u32),
    /// Any other type, as Arrow displays it.
    Displayed(ArrayFormatter<'b>),
    Unknown(&'b DataType),
}

impl std::fmt::Debug for CellValues<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CellValues")
    }
}

impl<'b> Cells<'b> {
    pub(crate) fn new(column: &'b dyn Array) -> Cells<'b> {
        let values = match column.data_type() {
            DataType::Null => CellValues::Null,
            DataType::Boolean => CellValues::Boolean(column.as_boolean()),
            DataType::Int8 => CellValues::Int8(column.as_primitive()),
            DataType::Int16 => CellValues::Int16(column.as_primitive()),
            DataType::Int32 => CellValues::Int32(column.as_primitive()),
            DataType::Int64 => CellValues::Int64(column.as_primitive()),
            DataType::UInt8 => CellValues::UInt8(column.as_primitive()),
            DataType::UInt16 => CellValues::UInt16(column.as_primitive()),
            DataType::UInt32 => CellValues::UInt32(column.as_primitive()),
            DataType::UInt64 => CellValues::UInt64(column.as_primitive()),
            DataType::Float32 => CellValues::Float32(column.as_primitive()),
            DataType::Float64 => CellValues::Float64(column.as_primitive()),
            DataType::Decimal128(..) => CellValues::Decimal(column.as_primitive()),
            DataType::Utf8 => CellValues::Text(column.as_string()),
            DataType::LargeUtf8 => CellValues::LargeText(column.as_string()),
            DataType::Utf8View => CellValues::TextView(column.as_string_view()),
            DataType::Binary => CellValues::Binary(column.as_binary()),
            DataType::FixedSizeBinary(bytes) if usize::try_from(*bytes) == Ok(uuid::BYTES) => {
                CellValues::Uuid(column.as_fixed_size_binary())
            }
            DataType::Date32 => CellValues::Date(column.as_primitive()),
            DataType::Time64(TimeUnit::Nanosecond) => {
                CellValues::Time(column.as_primitive::<Time64NanosecondType>().values())
            }
            DataType::Timestamp(unit, _) => timestamps(column, *unit),
            other => match ArrayFormatter::try_new(column, &DISPLAY) {
                Ok(formatter) => CellValues::Displayed(formatter),
                Err(_) => CellValues::Unknown(other),
            },
        };
        Cells { nulls: column.nulls(), values }
    }

    /// Whether the row's value is NULL.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.values, CellValues::Null) || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// The row's value if it is a text, and not NULL.
    pub(crate) fn text(&self, row: usize) -> Option<&'b str> {
        match &self.values {
            CellValues::Text(array) => Some(array.value(row)),
            CellValues::LargeText(array) => Some(array.value(row)),
            CellValues::TextView(array) => Some(array.value(row)),
            _ => None,
        }
    }

    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
            return;
        }
        match &self.values {
            CellValues::Null => out.extend_from_slice(b"null"),
            CellValues::Boolean(array) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" })
            }
            CellValues::Int8(array) => write_integer(array.value(row), out),
            CellValues::Int16(array) => write_integer(array.value(row), out),
            CellValues::Int32(array) => write_integer(array.value(row), out),
            CellValues::Int64(array) => write_integer(array.value(row), out),
            CellValues::UInt8(array) => write_integer(array.value(row), out),
            CellValues::UInt16(array) => write_integer(array.value(row), out),
            CellValues::UInt32(array) => write_integer(array.value(row), out),
            CellValues::UInt64(array) => write_integer(array.value(row), out),
            CellValues::Float32(array) => write_f32(array.value(row), out),
            CellValues::Float64(array) => write_f64(array.value(row), out),
            CellValues::Decimal(array) => write_decimal(array.value(row), array.scale(), out),
            CellValues::Text(array) => write_string(array.value(row).as_bytes(), out),
            CellValues::LargeText(array) => write_string(array.value(row).as_bytes(), out),
            CellValues::TextView(array) => write_string(array.value(row).as_bytes(), out),
            CellValues::Binary(array) => write_quoted(out, |out| hex::write(array.value(row), out)),
            CellValues::Uuid(array) => write_quoted(out, |out| {
                let bytes = array.value(row).try_into().expect("a UUID is stored in its 16 bytes");
                uuid::write(bytes, out);
            }),
            CellValues::Time(nanos) => write_quoted(out, |out| time_of_day::write(nanos[row], out)),
            CellValues::Date(array) => write_quoted(out, |out| write_date(i64::from(array.value(row)), out)),
            CellValues::Timestamp(units, digits) => {
                write_quoted(out, |out| write_timestamp(units[row], *digits, out));
            }
            CellValues::Displayed(formatter) => {
                write_string(formatter.value(row).to_string().as_bytes(), out)
            }
            CellValues::Unknown(data_type) => {
                write_string(format!("a value of type {data_type}").as_bytes(), out)
            }
        }
    }
}

const DISPLAY: FormatOptions<'static> = FormatOptions::new();

fn timestamps(column: &dyn Array, unit: TimeUnit) -> CellValues<'_> {
    match unit {
        TimeUnit::Second => CellValues::Timestamp(column.as_primitive::<TimestampSecondType>().values(), 0),
        TimeUnit::Millisecond => {
            CellValues::Timestamp(column.as_primitive::<TimestampMillisecondType>().values(), 3)
        }
        TimeUnit::Microsecond => {
            CellValues::Timestamp(column.as_primitive::<TimestampMicrosecondType>().values(), 6)
        }
        TimeUnit::Nanosecond => {
            CellValues::Timestamp(column.as_primitive::<TimestampNanosecondType>().values(), 9)
        }
    }
}

fn write_quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_f64(value: f64, out: &mut Vec<u8>) {
    match named(value) {
        Some(name) => out.extend_from_slice(name),
        None => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
    }
}

fn write_f32(value: f32, out: &mut Vec<u8>) {
    match named(f64::from(value)) {
        Some(name) => out.extend_from_slice(name),
        None => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
    }
}

fn named(value: f64) -> Option<&'static [u8]> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some(b"\"NaN\"")
    } else if value > 0.0 {
        Some(b"\"Infinity\"")
    } else {
        Some(b"\"-Infinity\"")
    }
}

fn write_decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let Ok(scale) = usize::try_from(scale) else {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        return;
    };
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', scale - fraction.len()));
        out.extend_from_slice(fraction);
    }
}
