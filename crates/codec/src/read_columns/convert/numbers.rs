use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use headwater_types::{ColumnType, RecordErrorCode};

use super::Note;
use crate::problem::Problem;
use crate::values::float::{canonical_f32, canonical_f64};
use crate::values::scaled::power_of_ten;

/// A number as its source holds it.
#[derive(Clone, Copy, Debug)]
enum Number {
    Integer(i128),
    Float(f64),
    /// The value times 10^scale.
    Decimal(i128, i8),
    /// A decimal of more than 38 digits.
    TooLarge,
}

/// Why a number is not a value of the column's type.
enum Unfit {
    Range,
    Inexact,
}

type Read<'a> = Box<dyn Fn(usize) -> Number + 'a>;

/// Integers, floats and decimals, without rounding.
pub(super) fn convert(source: &dyn Array, column_type: ColumnType, note: &mut Note<'_>) -> ArrayRef {
    // The common case, which cannot fail.
    match (source.data_type(), column_type) {
        (DataType::Int8, ColumnType::TinyInt) => return copied::<Int8Type>(source, |value| value),
        (DataType::Int16, ColumnType::SmallInt) => return copied::<Int16Type>(source, |value| value),
        (DataType::Int32, ColumnType::Int) => return copied::<Int32Type>(source, |value| value),
        (DataType::Int64, ColumnType::BigInt) => return copied::<Int64Type>(source, |value| value),
        (DataType::Float32, ColumnType::Real) => return copied::<Float32Type>(source, canonical_f32),
        (DataType::Float64, ColumnType::Double) => return copied::<Float64Type>(source, canonical_f64),
        _ => {}
    }
    let read = reader(source);
    match column_type {
        ColumnType::TinyInt => each::<Int8Type>(source, &read, column_type, note, integer),
        ColumnType::SmallInt => each::<Int16Type>(source, &read, column_type, note, integer),
        ColumnType::Int => each::<Int32Type>(source, &read, column_type, note, integer),
        ColumnType::BigInt => each::<Int64Type>(source, &read, column_type, note, integer),
        ColumnType::Real => each::<Float32Type>(source, &read, column_type, note, single),
        ColumnType::Double => each::<Float64Type>(source, &read, column_type, note, double),
        ColumnType::Decimal { precision, scale } => {
            let of = |number| decimal(number, precision, scale);
            let decimals = each::<Decimal128Type>(source, &read, column_type, note, of);
            let decimals = decimals.as_primitive::<Decimal128Type>().clone();
            Arc::new(decimals.with_data_type(column_type.arrow()))
        }
        other => unreachable!("{other} is not a number"),
    }
}

fn copied<T: ArrowPrimitiveType>(source: &dyn Array, canonical: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    let source = source.as_primitive::<T>();
    let values = source.values().iter().map(|value| canonical(*value)).collect();
    Arc::new(PrimitiveArray::<T>::new(values, source.nulls().cloned()))
}

fn each<T: ArrowPrimitiveType>(
    source: &dyn Array,
    read: &Read<'_>,
    column_type: ColumnType,
    note: &mut Note<'_>,
    convert: impl Fn(Number) -> Result<T::Native, Unfit>,
) -> ArrayRef {
    let mut values = Vec::with_capacity(source.len());
    for row in 0..source.len() {
        let number = read(row);
        values.push(match convert(number) {
            Ok(value) => value,
            Err(_) if source.is_null(row) => T::default_value(),
            Err(unfit) => {
                note(row, problem(number, &unfit, column_type));
                T::default_value()
            }
        });
    }
    Arc::new(PrimitiveArray::<T>::new(values.into(), source.nulls().cloned()))
}

fn reader(source: &dyn Array) -> Read<'_> {
    fn integers<T: ArrowPrimitiveType<Native: Into<i128>>>(source: &dyn Array) -> Read<'_> {
        let values = source.as_primitive::<T>().values();
        Box::new(move |row| Number::Integer(values[row].into()))
    }
    fn floats<T: ArrowPrimitiveType<Native: Into<f64>>>(source: &dyn Array) -> Read<'_> {
        let values = source.as_primitive::<T>().values();
        Box::new(move |row| Number::Float(values[row].into()))
    }
    fn decimals<T: ArrowPrimitiveType<Native: Into<i128>>>(source: &dyn Array, scale: i8) -> Read<'_> {
        let values = source.as_primitive::<T>().values();
        Box::new(move |row| Number::Decimal(values[row].into(), scale))
    }
    match source.data_type() {
        DataType::Int8 => integers::<Int8Type>(source),
        DataType::Int16 => integers::<Int16Type>(source),
        DataType::Int32 => integers::<Int32Type>(source),
        DataType::Int64 => integers::<Int64Type>(source),
        DataType::UInt8 => integers::<UInt8Type>(source),
        DataType::UInt16 => integers::<UInt16Type>(source),
        DataType::UInt32 => integers::<UInt32Type>(source),
        DataType::UInt64 => integers::<UInt64Type>(source),
        DataType::Float16 => floats::<Float16Type>(source),
        DataType::Float32 => floats::<Float32Type>(source),
        DataType::Float64 => floats::<Float64Type>(source),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(source, *scale),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(source, *scale),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(source, *scale),
        DataType::Decimal256(_, scale) => {
            let (values, scale) = (source.as_primitive::<Decimal256Type>().values(), *scale);
            Box::new(move |row| {
                values[row].to_i128().map_or(Number::TooLarge, |value| Number::Decimal(value, scale))
            })
        }
        other => unreachable!("{other} was refused before"),
    }
}

fn integer<T: TryFrom<i128>>(number: Number) -> Result<T, Unfit> {
    let whole = match number {
        Number::Integer(value) => value,
        // Beyond 2^127 the cast gives the largest value, which no column holds.
        Number::Float(value) if value.fract() == 0.0 => value as i128,
        Number::Float(value) => return Err(if value.is_infinite() { Unfit::Range } else { Unfit::Inexact }),
        Number::Decimal(value, scale) => rescaled(value, scale, 0)?,
        Number::TooLarge => return Err(Unfit::Range),
    };
    T::try_from(whole).map_err(|_| Unfit::Range)
}

fn double(number: Number) -> Result<f64, Unfit> {
    match number {
        Number::Integer(value) if (value as f64) as i128 == value => Ok(value as f64),
        Number::Float(value) => Ok(canonical_f64(value)),
        _ => Err(Unfit::Inexact),
    }
}

fn single(number: Number) -> Result<f32, Unfit> {
    match number {
        Number::Integer(value) if (value as f32) as i128 == value => Ok(value as f32),
        Number::Float(value) if value.is_nan() || f64::from(value as f32) == value => {
            Ok(canonical_f32(value as f32))
        }
        _ => Err(Unfit::Inexact),
    }
}

fn decimal(number: Number, precision: u8, scale: u8) -> Result<i128, Unfit> {
    let scaled = match number {
        Number::Integer(value) => rescaled(value, 0, scale)?,
        Number::Decimal(value, from) => rescaled(value, from, scale)?,
        Number::Float(_) | Number::TooLarge => return Err(Unfit::Range),
    };
    let bound = power_of_ten(precision).unsigned_abs();
    if scaled.unsigned_abs() < bound { Ok(scaled) } else { Err(Unfit::Range) }
}

/// From units of 10^−`from` to units of 10^−`to`.
fn rescaled(value: i128, from: i8, to: u8) -> Result<i128, Unfit> {
    const POWER_MAX: u32 = 38;
    let shift = i32::from(to) - i32::from(from);
    if value == 0 {
        return Ok(0);
    }
    let unfit = if shift > 0 { Unfit::Range } else { Unfit::Inexact };
    if shift.unsigned_abs() > POWER_MAX {
        return Err(unfit);
    }
    let factor = 10_i128.pow(shift.unsigned_abs());
    if shift >= 0 {
        return value.checked_mul(factor).ok_or(unfit);
    }
    if value % factor == 0 { Ok(value / factor) } else { Err(unfit) }
}

fn problem(number: Number, unfit: &Unfit, column_type: ColumnType) -> Box<Problem> {
    let text = match number {
        Number::Integer(value) => value.to_string(),
        Number::Float(value) => value.to_string(),
        Number::Decimal(value, 0) => value.to_string(),
        Number::Decimal(value, scale) => format!("{value}e{}", -i16::from(scale)),
        Number::TooLarge => "a number of more than 38 digits".to_owned(),
    };
    match (unfit, column_type) {
        (Unfit::Range, _) => {
            Problem::new(RecordErrorCode::Range, format!("{text} is out of the range of {column_type}"))
        }
        (Unfit::Inexact, ColumnType::Real | ColumnType::Double) => {
            let message = format!("{text} is not exactly a {column_type}");
            Problem::new(RecordErrorCode::Range, message)
                .hint("round it by a cast before sending, or choose a wider column")
        }
        (Unfit::Inexact, ColumnType::Decimal { scale, .. }) => {
            let message = format!("{text} has more digits after the point than {column_type}");
            Problem::new(RecordErrorCode::Range, message).hint(format!("round it to {scale} digits"))
        }
        (Unfit::Inexact, _) => Problem::new(RecordErrorCode::Type, format!("{text} is not an integer")),
    }
}
