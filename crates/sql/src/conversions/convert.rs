use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryBuilder, FixedSizeBinaryBuilder, StringBuilder, Time64NanosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Time64NanosecondType};
use datafusion::common::{ScalarValue, exec_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use headwater_types::ColumnType;
use headwater_types::text::{hex, time_of_day, uuid};

/// From which type to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Conversion {
    TextToUuid,
    TextToTime,
    /// `\x` and digits are the bytes that the digits stand for, any other text is its UTF-8.
    TextToBinary,
    UuidToText,
    TimeToText,
    /// `\x` and digits, as PostgreSQL writes bytes.
    BinaryToText,
    BinaryToUuid,
}

/// What a value becomes that cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum OnFailure {
    Fail,
    Null,
}

impl Conversion {
    /// The argument, converted.
    pub(super) fn of(self, argument: Expr, on_failure: OnFailure) -> Expr {
        let function =
            Convert { conversion: self, on_failure, signature: Signature::any(1, Volatility::Immutable) };
        let function = Arc::new(ScalarUDF::new_from_impl(function));
        Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![argument]))
    }

    fn result(self) -> ColumnType {
        match self {
            Conversion::TextToUuid | Conversion::BinaryToUuid => ColumnType::Uuid,
            Conversion::TextToTime => ColumnType::Time,
            Conversion::TextToBinary => ColumnType::Varbinary,
            Conversion::UuidToText | Conversion::TimeToText | Conversion::BinaryToText => ColumnType::Varchar,
        }
    }

    /// Different functions have different names: plans are told apart by their texts.
    fn name(self, on_failure: OnFailure) -> &'static str {
        match (self.result(), on_failure) {
            (ColumnType::Uuid, OnFailure::Fail) => "to_uuid",
            (ColumnType::Uuid, OnFailure::Null) => "try_to_uuid",
            (ColumnType::Time, OnFailure::Fail) => "to_time_of_day",
            (ColumnType::Time, OnFailure::Null) => "try_to_time_of_day",
            (ColumnType::Varbinary, OnFailure::Fail) => "to_varbinary",
            (ColumnType::Varbinary, OnFailure::Null) => "try_to_varbinary",
            _ => "to_varchar",
        }
    }

    fn convert(self, values: &ArrayRef, on_failure: OnFailure) -> Result<ArrayRef> {
        match self {
            Conversion::TextToUuid => {
                let texts = cast(values, &DataType::Utf8)?;
                let read = |text: &str| uuid::read(text.as_bytes());
                let uuids =
                    each(texts.as_string::<i32>().iter(), read, on_failure, |text| not_a(text, self))?;
                uuid_array(uuids)
            }
            Conversion::TextToTime => {
                let texts = cast(values, &DataType::Utf8)?;
                let read = |text: &str| time_of_day::read(text.as_bytes()).ok();
                let times =
                    each(texts.as_string::<i32>().iter(), read, on_failure, |text| not_a(text, self))?;
                let mut builder = Time64NanosecondBuilder::with_capacity(times.len());
                times.into_iter().for_each(|time| builder.append_option(time));
                Ok(Arc::new(builder.finish()))
            }
            Conversion::TextToBinary => {
                let texts = cast(values, &DataType::Utf8)?;
                let bytes =
                    each(texts.as_string::<i32>().iter(), text_bytes, on_failure, |text| not_a(text, self))?;
                let mut builder = BinaryBuilder::new();
                bytes.into_iter().for_each(|bytes| builder.append_option(bytes));
                Ok(Arc::new(builder.finish()))
            }
            Conversion::BinaryToUuid => {
                let bytes = cast(values, &DataType::Binary)?;
                let read = |bytes: &[u8]| <[u8; uuid::BYTES]>::try_from(bytes).ok();
                let reason = |bytes: &[u8]| format!("a UUID has {} bytes, not {}", uuid::BYTES, bytes.len());
                uuid_array(each(bytes.as_binary::<i32>().iter(), read, on_failure, reason)?)
            }
            Conversion::UuidToText => {
                let uuids = values.as_fixed_size_binary();
                Ok(texts(uuids.iter(), |bytes, out| {
                    uuid::write(bytes.try_into().expect("a UUID is stored in its 16 bytes"), out);
                }))
            }
            Conversion::TimeToText => {
                Ok(texts(values.as_primitive::<Time64NanosecondType>().iter(), time_of_day::write))
            }
            Conversion::BinaryToText => {
                let bytes = cast(values, &DataType::Binary)?;
                Ok(texts(bytes.as_binary::<i32>().iter(), |bytes, out| {
                    out.extend_from_slice(b"\\x");
                    hex::write(bytes, out);
                }))
            }
        }
    }
}

/// The value of each that is not NULL.
fn each<V: Copy, T>(
    values: impl Iterator<Item = Option<V>>,
    read: impl Fn(V) -> Option<T>,
    on_failure: OnFailure,
    reason: impl Fn(V) -> String,
) -> Result<Vec<Option<T>>> {
    let each = |value: Option<V>| match value.map(|value| (read(value), value)) {
        None => Ok(None),
        Some((Some(read), _)) => Ok(Some(read)),
        Some((None, _)) if on_failure == OnFailure::Null => Ok(None),
        Some((None, value)) => Err(exec_datafusion_err!("{}", reason(value))),
    };
    values.map(each).collect()
}

/// Characters of a text that a reason quotes.
const EXCERPT_CHARS_MAX: usize = 60;

fn not_a(text: &str, conversion: Conversion) -> String {
    let excerpt: String = text.chars().take(EXCERPT_CHARS_MAX).collect();
    format!("'{excerpt}' is not a {}", conversion.result())
}

fn text_bytes(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("\\x") else { return Some(text.as_bytes().to_vec()) };
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    hex::read(digits.as_bytes(), &mut bytes)?;
    Some(bytes)
}

fn uuid_array(uuids: Vec<Option<[u8; uuid::BYTES]>>) -> Result<ArrayRef> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(uuids.len(), uuid::BYTES as i32);
    for uuid in uuids {
        match uuid {
            Some(uuid) => builder.append_value(uuid)?,
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn texts<V>(values: impl Iterator<Item = Option<V>>, write: impl Fn(V, &mut Vec<u8>)) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut text = Vec::new();
    for value in values {
        match value {
            Some(value) => {
                text.clear();
                write(value, &mut text);
                builder.append_value(str::from_utf8(&text).expect("what is written is ASCII"));
            }
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// A conversion as a function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    conversion: Conversion,
    on_failure: OnFailure,
    signature: Signature,
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &str {
        self.conversion.name(self.on_failure)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.conversion.result().arrow())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = matches!(arguments.args.as_slice(), [ColumnarValue::Scalar(_)]);
        let values = ColumnarValue::values_to_arrays(&arguments.args)?;
        let converted = self.conversion.convert(&values[0], self.on_failure)?;
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&converted, 0)?));
        }
        Ok(ColumnarValue::Array(converted))
    }
}
