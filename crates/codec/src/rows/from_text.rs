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
            (Values::Text(texts), _) => {
                texts.bytes.extend_from_slice(text);
                texts.end_text();
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
        TimeError::Format => Problem::new(RecordErrorCode::Type, format!("'{text}' is not a {column_type}"))
            .hint_if(form_of(column_type)),
        TimeError::NoSuchTime => {
            Problem::new(RecordErrorCode::Type, format!("'{text}' is no time of the calendar"))
        }
        TimeError::DigitsLost => {
            let message = format!("'{text}' has more digits after the second than {column_type} holds");
            Problem::new(RecordErrorCode::Range, message).hint("round it, or make the column TIMESTAMP(9)")
        }
        TimeError::Range => out_of_range(text.as_bytes(), column_type),
    }
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
        ColumnType::Date => "write \"2026-11-22\"",
        ColumnType::Timestamp | ColumnType::TimestampNanos => {
            "write \"2026-11-22T10:00:00Z\", with an optional fraction and offset"
        }
    };
    Some(form.to_owned())
}
