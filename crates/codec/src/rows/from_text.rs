use headwater_types::text::time_of_day::TimeOfDayError;
use headwater_types::text::{hex, time_of_day, uuid};
use headwater_types::{ColumnType, RecordErrorCode};

use super::column_builder::{ColumnBuilder, Values};
use crate::problem::{Problem, excerpt};
use crate::values::float;
use crate::values::number::Number;
use crate::values::scaled::{ScaleError, integer, power_of_ten, scaled};
use crate::values::timestamp::{TimeError, parse_date, parse_timestamp};

type Pushed = Result<(), Box<Problem>>;

impl ColumnBuilder {
    /// Appends a number. The column is one that takes numbers, or this is a type error.
    #[inline]
    pub(crate) fn push_number(&mut self, number: &Number<'_>) -> Pushed {
        let column_type = self.column_type();
        match &mut self.values {
            Values::Int64(values) if column_type == ColumnType::BigInt => {
                values.push(integer(number).map_err(|error| integer_problem(error, number, column_type))?);
            }
            Values::Int32(values) if column_type == ColumnType::Int => {
                values.push(narrow_integer(number, column_type)?);
            }
            Values::Int16(values) => values.push(narrow_integer(number, column_type)?),
            Values::Int8(values) => values.push(narrow_integer(number, column_type)?),
            Values::Float64(values) => {
                values.push(float::to_f64(number).ok_or_else(|| out_of_range(number.text, column_type))?)
            }
            Values::Float32(values) => {
                values.push(float::to_f32(number).ok_or_else(|| out_of_range(number.text, column_type))?)
            }
            Values::Decimal(values) => values.push(decimal(number, column_type)?),
            _ => return Err(wrong_type("a number", column_type)),
        }
        Ok(())
    }

    /// Appends a value that the sender marked as text.
    #[inline]
    pub(crate) fn push_string(&mut self, text: &[u8]) -> Pushed {
        let column_type = self.column_type();
        match (&mut self.values, column_type) {
            (Values::Text(texts), ColumnType::Varbinary) => {
                let digits = text.strip_prefix(b"\\x").or(text.strip_prefix(b"0x")).unwrap_or(text);
                hex::read(digits, &mut texts.bytes).ok_or_else(|| not_a_value(text, column_type))?;
                texts.end_text();
            }
            (Values::Text(texts), _) => {
                texts.bytes.extend_from_slice(text);
                texts.end_text();
            }
            (Values::Uuid(values), _) => {
                values.push(uuid::read(text).ok_or_else(|| not_a_value(text, column_type))?);
            }
            (Values::Int64(values), ColumnType::Time) => {
                let nanos = time_of_day::read(text).map_err(TimeError::from);
                values.push(nanos.map_err(|error| time_problem(error, text, column_type))?);
            }
            (Values::Int64(values), ColumnType::Timestamp) => values.push(timestamp(text, 6, column_type)?),
            (Values::Int64(values), ColumnType::TimestampNanos) => {
                values.push(timestamp(text, 9, column_type)?)
            }
            (Values::Int32(values), ColumnType::Date) => {
                values.push(parse_date(text).map_err(|error| time_problem(error, text, column_type))?);
            }
            (Values::Float64(values), _) => {
                values.push(float::named(text).ok_or_else(|| wrong_type("a string", column_type))?);
            }
            (Values::Float32(values), _) => {
                let value = float::named(text).ok_or_else(|| wrong_type("a string", column_type))?;
                values.push(value as f32);
            }
            (Values::Decimal(values), _) => {
                let number = Number::parse(text).ok_or_else(|| wrong_type("this string", column_type))?;
                values.push(decimal(&number, column_type)?);
            }
            _ => return Err(wrong_type("a string", column_type)),
        }
        Ok(())
    }

    /// Appends the bytes of an array of numbers. The column is a VARBINARY, or this is a type error.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> Pushed {
        let column_type = self.column_type();
        match (&mut self.values, column_type) {
            (Values::Text(texts), ColumnType::Varbinary) => {
                texts.bytes.extend_from_slice(bytes);
                texts.end_text();
                Ok(())
            }
            _ => Err(wrong_type("an array", column_type)),
        }
    }

    pub(crate) fn push_boolean(&mut self, value: bool) -> Pushed {
        if let Values::Boolean(values) = &mut self.values {
            values.push(value);
            return Ok(());
        }
        Err(wrong_type("a boolean", self.column_type()))
    }

    /// Appends a value of a format that has only texts, as CSV and URLs: the column's type says how it is read.
    pub(crate) fn push_untyped(&mut self, text: &str) -> Pushed {
        let column_type = self.column_type();
        match column_type {
            ColumnType::Boolean if text.eq_ignore_ascii_case("true") => self.push_boolean(true),
            ColumnType::Boolean if text.eq_ignore_ascii_case("false") => self.push_boolean(false),
            ColumnType::TinyInt
            | ColumnType::SmallInt
            | ColumnType::Int
            | ColumnType::BigInt
            | ColumnType::Real
            | ColumnType::Double => match Number::parse(text.as_bytes()) {
                Some(number) => self.push_number(&number),
                None => self.push_string(text.as_bytes()),
            },
            _ => self.push_string(text.as_bytes()),
        }
        .map_err(|problem| match problem.code {
            RecordErrorCode::Type if problem.message.starts_with("a string") => {
                wrong_type(&format!("'{}'", excerpt(text.as_bytes())), column_type)
            }
            _ => problem,
        })
    }
}

fn narrow_integer<T: TryFrom<i64>>(number: &Number<'_>, column_type: ColumnType) -> Result<T, Box<Problem>> {
    let value = integer(number).map_err(|error| integer_problem(error, number, column_type))?;
    T::try_from(value).map_err(|_| out_of_range(number.text, column_type))
}

fn decimal(number: &Number<'_>, column_type: ColumnType) -> Result<i128, Box<Problem>> {
    let ColumnType::Decimal { precision, scale } = column_type else {
        unreachable!("only DECIMAL columns hold decimals")
    };
    match scaled(number, scale) {
        Ok(value) if value.abs() < power_of_ten(precision) => Ok(value),
        Ok(_) | Err(ScaleError::TooLarge) => Err(out_of_range(number.text, column_type)),
        Err(ScaleError::DigitsLost) => {
            let message =
                format!("{} has more digits after the point than {column_type}", excerpt(number.text));
            Err(Problem::new(RecordErrorCode::Range, message).hint(format!("round it to {scale} digits")))
        }
    }
}

fn timestamp(text: &[u8], digits: u32, column_type: ColumnType) -> Result<i64, Box<Problem>> {
    parse_timestamp(text, digits).map_err(|error| time_problem(error, text, column_type))
}

fn time_problem(error: TimeError, text: &[u8], column_type: ColumnType) -> Box<Problem> {
    let text = excerpt(text);
    match error {
        TimeError::Format => not_a_value(text.as_bytes(), column_type),
        TimeError::NoSuchTime if column_type == ColumnType::Time => {
            Problem::new(RecordErrorCode::Type, format!("'{text}' is no time of the day"))
        }
        TimeError::NoSuchTime => {
            Problem::new(RecordErrorCode::Type, format!("'{text}' is no time of the calendar"))
        }
        TimeError::DigitsLost => {
            let message = format!("'{text}' has more digits after the second than {column_type} holds");
            let hint = match column_type {
                ColumnType::Timestamp => "round it, or make the column TIMESTAMP(9)",
                _ => "round it",
            };
            Problem::new(RecordErrorCode::Range, message).hint(hint)
        }
        TimeError::Range => out_of_range(text.as_bytes(), column_type),
    }
}

impl From<TimeOfDayError> for TimeError {
    fn from(error: TimeOfDayError) -> TimeError {
        match error {
            TimeOfDayError::Format => TimeError::Format,
            TimeOfDayError::NoSuchTime => TimeError::NoSuchTime,
            TimeOfDayError::DigitsLost => TimeError::DigitsLost,
        }
    }
}

/// The refusal of a text that has not the form of the column's values.
fn not_a_value(text: &[u8], column_type: ColumnType) -> Box<Problem> {
    let message = format!("'{}' is not a {column_type}", excerpt(text));
    Problem::new(RecordErrorCode::Type, message).hint_if(form_of(column_type))
}

fn integer_problem(error: ScaleError, number: &Number<'_>, column_type: ColumnType) -> Box<Problem> {
    match error {
        ScaleError::TooLarge => out_of_range(number.text, column_type),
        ScaleError::DigitsLost => {
            Problem::new(RecordErrorCode::Type, format!("{} is not an integer", excerpt(number.text)))
        }
    }
}

fn out_of_range(text: &[u8], column_type: ColumnType) -> Box<Problem> {
    Problem::new(RecordErrorCode::Range, format!("{} is out of the range of {column_type}", excerpt(text)))
}

/// The refusal of a value whose kind the column does not take.
#[cold]
pub(crate) fn wrong_type(given: &str, column_type: ColumnType) -> Box<Problem> {
    let message = format!("{given} is not a value of {column_type}");
    Problem::new(RecordErrorCode::Type, message).hint_if(form_of(column_type))
}

fn form_of(column_type: ColumnType) -> Option<String> {
    let form = match column_type {
        ColumnType::Boolean => "write true or false",
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt => {
            "write an integer, without quotes"
        }
        ColumnType::Real | ColumnType::Double => {
            "write a number without quotes, or \"NaN\", \"Infinity\" or \"-Infinity\""
        }
        ColumnType::Decimal { .. } => "write a number, with or without quotes",
        ColumnType::Varchar => "write a string in quotes",
        ColumnType::Varbinary => {
            "write hexadecimal digits in quotes, \"0aff\", or an array of bytes, [10, 255]"
        }
        ColumnType::Uuid => "write \"123e4567-e89b-12d3-a456-426655440000\"",
        ColumnType::Date => "write \"2026-11-22\"",
        ColumnType::Time => "write \"10:00:00\", with an optional fraction and no zone",
        ColumnType::Timestamp | ColumnType::TimestampNanos => {
            "write \"2026-11-22T10:00:00Z\", with an optional fraction and offset"
        }
    };
    Some(form.to_owned())
}
