use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use arrow::ipc;
use headwater_types::RecordErrorCode;
use headwater_types::limits::COLUMNS_MAX;

use super::malformed;
use super::messages::{Content, Message};
use crate::body_error::BodyError;
use crate::ipc::refused;
use crate::problem::{Problem, excerpt};

/// Bytes of a value of fixed length. UUIDs need 16.
const FIXED_BYTES_MAX: i32 = 1_024;

/// The columns of a stream.
pub(super) struct StreamSchema {
    pub(super) fields: Vec<FieldRef>,
    /// For each column the id of its dictionary, if it has one.
    pub(super) dictionaries: Vec<Option<i64>>,
}

impl StreamSchema {
    /// Reads a stream's first message.
    pub(super) fn read(message: Option<Message<'_>>) -> Result<StreamSchema, BodyError> {
        let Some(Message { content: Content::Schema(schema), .. }) = message else {
            return Err(malformed(refused("the stream does not begin with a schema")));
        };
        if schema.endianness() != ipc::Endianness::Little {
            return Err(malformed(refused("its numbers are big-endian")));
        }
        let fields = schema.fields().ok_or_else(|| malformed(refused("the schema has no columns")))?;
        if fields.is_empty() || fields.len() > COLUMNS_MAX {
            let reason = format!("the schema has {} columns, at most {COLUMNS_MAX} are taken", fields.len());
            return Err(malformed(refused(reason)));
        }
        let mut read = StreamSchema { fields: Vec::new(), dictionaries: Vec::new() };
        for field in fields {
            let name = field.name().unwrap_or_default();
            let data_type = data_type(&field).ok_or_else(|| untaken(name, &field))?;
            read.fields.push(Arc::new(Field::new(name, data_type, true)));
            read.dictionaries.push(field.dictionary().map(|dictionary| dictionary.id()));
        }
        Ok(read)
    }
}

fn untaken(name: &str, field: &ipc::Field<'_>) -> BodyError {
    let kind = field.type_type().variant_name().unwrap_or("type of a later version").to_lowercase();
    let message =
        format!("column '{}' is a {kind}, which no column of a table holds", excerpt(name.as_bytes()));
    BodyError::columns(
        *Problem::new(RecordErrorCode::Type, message)
            .at(name)
            .hint("leave it out, or flatten it before sending"),
    )
}

/// The type of a column; `None` for what no column of a table could hold.
fn data_type(field: &ipc::Field<'_>) -> Option<DataType> {
    let values = plain_type(field)?;
    let Some(dictionary) = field.dictionary() else { return Some(values) };
    let keys = match dictionary.indexType() {
        None => DataType::Int32,
        Some(keys) => integer(keys)?,
    };
    Some(DataType::Dictionary(Box::new(keys), Box::new(values)))
}

fn plain_type(field: &ipc::Field<'_>) -> Option<DataType> {
    Some(match field.type_type() {
        ipc::Type::Null => DataType::Null,
        ipc::Type::Bool => DataType::Boolean,
        ipc::Type::Int => integer(field.type_as_int()?)?,
        ipc::Type::FloatingPoint => match field.type_as_floating_point()?.precision() {
            ipc::Precision::HALF => DataType::Float16,
            ipc::Precision::SINGLE => DataType::Float32,
            ipc::Precision::DOUBLE => DataType::Float64,
            _ => return None,
        },
        ipc::Type::Decimal => decimal(field.type_as_decimal()?)?,
        ipc::Type::Utf8 => DataType::Utf8,
        ipc::Type::LargeUtf8 => DataType::LargeUtf8,
        ipc::Type::Utf8View => DataType::Utf8View,
        ipc::Type::Binary => DataType::Binary,
        ipc::Type::LargeBinary => DataType::LargeBinary,
        ipc::Type::BinaryView => DataType::BinaryView,
        ipc::Type::FixedSizeBinary => {
            let bytes = field.type_as_fixed_size_binary()?.byteWidth();
            (1..=FIXED_BYTES_MAX).contains(&bytes).then_some(DataType::FixedSizeBinary(bytes))?
        }
        ipc::Type::Time => {
            let time = field.type_as_time()?;
            match (unit(time.unit())?, time.bitWidth()) {
                (unit @ (TimeUnit::Second | TimeUnit::Millisecond), 32) => DataType::Time32(unit),
                (unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond), 64) => DataType::Time64(unit),
                _ => return None,
            }
        }
        ipc::Type::Date => match field.type_as_date()?.unit() {
            ipc::DateUnit::DAY => DataType::Date32,
            ipc::DateUnit::MILLISECOND => DataType::Date64,
            _ => return None,
        },
        ipc::Type::Timestamp => {
            let timestamp = field.type_as_timestamp()?;
            DataType::Timestamp(unit(timestamp.unit())?, timestamp.timezone().map(Arc::from))
        }
        _ => return None,
    })
}

fn integer(integer: ipc::Int<'_>) -> Option<DataType> {
    Some(match (integer.bitWidth(), integer.is_signed()) {
        (8, true) => DataType::Int8,
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (64, true) => DataType::Int64,
        (8, false) => DataType::UInt8,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (64, false) => DataType::UInt64,
        _ => return None,
    })
}

fn decimal(decimal: ipc::Decimal<'_>) -> Option<DataType> {
    let precision = u8::try_from(decimal.precision()).ok().filter(|digits| *digits > 0)?;
    let scale = i8::try_from(decimal.scale()).ok()?;
    let (data_type, digits_max) = match decimal.bitWidth() {
        32 => (DataType::Decimal32(precision, scale), 9),
        64 => (DataType::Decimal64(precision, scale), 18),
        128 => (DataType::Decimal128(precision, scale), 38),
        256 => (DataType::Decimal256(precision, scale), 76),
        _ => return None,
    };
    (precision <= digits_max && scale.unsigned_abs() <= digits_max).then_some(data_type)
}

fn unit(unit: ipc::TimeUnit) -> Option<TimeUnit> {
    Some(match unit {
        ipc::TimeUnit::SECOND => TimeUnit::Second,
        ipc::TimeUnit::MILLISECOND => TimeUnit::Millisecond,
        ipc::TimeUnit::MICROSECOND => TimeUnit::Microsecond,
        ipc::TimeUnit::NANOSECOND => TimeUnit::Nanosecond,
        _ => return None,
    })
}
