use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use headwater_types::{ColumnType, RecordErrorCode};

use super::Note;
use crate::json::write_time;
use crate::problem::Problem;

const SECONDS_PER_DAY: i128 = 86_400;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Times since 1970 in units of 10^−digits seconds; a zone only says how they are shown.
struct Times<'a> {
    unit_of: &'a dyn Fn(usize) -> i128,
    digits: u32,
}

/// Dates and timestamps, without rounding.
pub(super) fn convert(source: &dyn Array, column_type: ColumnType, note: &mut Note<'_>) -> ArrayRef {
    match source.data_type() {
        DataType::Date32 if column_type == ColumnType::Date => {
            let days = source.as_primitive::<Date32Type>();
            Arc::new(Date32Array::new(days.values().iter().copied().collect(), days.nulls().cloned()))
        }
        DataType::Date32 => {
            let days = source.as_primitive::<Date32Type>().values();
            let times = Times { unit_of: &|row| i128::from(days[row]) * SECONDS_PER_DAY, digits: 0 };
            scaled(source, &times, column_type, note)
        }
        DataType::Date64 => units::<Date64Type>(source, 3, column_type, note),
        DataType::Timestamp(TimeUnit::Second, _) => {
            units::<TimestampSecondType>(source, 0, column_type, note)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            units::<TimestampMillisecondType>(source, 3, column_type, note)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            units::<TimestampMicrosecondType>(source, 6, column_type, note)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            units::<TimestampNanosecondType>(source, 9, column_type, note)
        }
        DataType::Time32(TimeUnit::Second) => units::<Time32SecondType>(source, 0, column_type, note),
        DataType::Time32(_) => units::<Time32MillisecondType>(source, 3, column_type, note),
        DataType::Time64(TimeUnit::Microsecond) => {
            units::<Time64MicrosecondType>(source, 6, column_type, note)
        }
        DataType::Time64(_) => units::<Time64NanosecondType>(source, 9, column_type, note),
        other => unreachable!("{other} was refused before"),
    }
}

fn units<T: ArrowPrimitiveType<Native: Into<i128>>>(
    source: &dyn Array,
    digits: u32,
    column_type: ColumnType,
    note: &mut Note<'_>,
) -> ArrayRef {
    let values = source.as_primitive::<T>().values();
    scaled(source, &Times { unit_of: &|row| values[row].into(), digits }, column_type, note)
}

fn scaled(source: &dyn Array, times: &Times<'_>, column_type: ColumnType, note: &mut Note<'_>) -> ArrayRef {
    match column_type {
        ColumnType::Date => exact::<Date32Type>(source, times, column_type, note, |unit, digits| {
            let per_day = SECONDS_PER_DAY * 10_i128.pow(digits);
            (unit % per_day == 0).then(|| i32::try_from(unit / per_day).ok())
        }),
        ColumnType::Time => exact::<Time64NanosecondType>(source, times, column_type, note, |unit, from| {
            let nanos = shifted(unit, from, 9);
            nanos.map(|nanos| nanos.filter(|nanos| (0..NANOS_PER_DAY).contains(nanos)))
        }),
        ColumnType::Timestamp => {
            exact::<TimestampMicrosecondType>(source, times, column_type, note, |unit, from| {
                shifted(unit, from, 6)
            })
        }
        _ => exact::<TimestampNanosecondType>(source, times, column_type, note, |unit, from| {
            shifted(unit, from, 9)
        }),
    }
}

/// The time in units of 10^−`to` seconds: `None` if digits would be lost, `Some(None)` if it is out of range.
fn shifted(unit: i128, from: u32, to: u32) -> Option<Option<i64>> {
    if to >= from {
        return Some(i64::try_from(unit * 10_i128.pow(to - from)).ok());
    }
    let lost = 10_i128.pow(from - to);
    (unit % lost == 0).then(|| i64::try_from(unit / lost).ok())
}

fn exact<T: ArrowPrimitiveType>(
    source: &dyn Array,
    times: &Times<'_>,
    column_type: ColumnType,
    note: &mut Note<'_>,
    convert: impl Fn(i128, u32) -> Option<Option<T::Native>>,
) -> ArrayRef {
    let mut values = Vec::with_capacity(source.len());
    for row in 0..source.len() {
        let unit = (times.unit_of)(row);
        values.push(match convert(unit, times.digits) {
            Some(Some(value)) => value,
            _ if source.is_null(row) => T::default_value(),
            failed => {
                note(row, problem(unit, times.digits, column_type, failed.is_some()));
                T::default_value()
            }
        });
    }
    Arc::new(PrimitiveArray::<T>::new(values.into(), source.nulls().cloned()))
}

fn problem(unit: i128, digits: u32, column_type: ColumnType, out_of_range: bool) -> Box<Problem> {
    let mut text = Vec::new();
    match i64::try_from(unit) {
        Ok(unit) if column_type == ColumnType::Time => {
            text.extend_from_slice(format!("{unit}e-{digits} s after midnight").as_bytes());
        }
        Ok(unit) => write_time(unit, digits, &mut text),
        Err(_) => text.extend_from_slice(b"this time"),
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    if out_of_range {
        let message = format!("{text} is out of the range of {column_type}");
        return Problem::new(RecordErrorCode::Range, message);
    }
    match column_type {
        ColumnType::Date => {
            let message = format!("{text} is not a day: its time is not midnight");
            Problem::new(RecordErrorCode::Type, message)
                .hint("cast it to date before sending, or make the column TIMESTAMP")
        }
        _ => {
            let message = format!("{text} has more digits after the second than {column_type} holds");
            Problem::new(RecordErrorCode::Range, message).hint("round it, or make the column TIMESTAMP(9)")
        }
    }
}
