use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow::datatypes::{DataType, i256};
use headwater_types::ExactSum;

use super::encoding::ANCHOR;
use super::{Accumulator, Cell, Sum};
use crate::expression::canonical::canonical_floats;
use crate::expression::errors::{ErrorLog, Sites, reason};
use crate::expression::hash;
use crate::row::ByteRow;

/// All COUNT, SUM and AVG of one GROUP BY.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LinearAggregates {
    /// What is accumulated, each argument once.
    pub(crate) arguments: Vec<Argument>,
    /// What is computed from it.
    pub(crate) results: Vec<LinearResult>,
}

impl LinearAggregates {
    /// Reports failures where `same`, which computes the same, would report them too.
    pub(crate) fn share(&mut self, same: &LinearAggregates) {
        self.results.iter_mut().zip(&same.results).for_each(|(mine, same)| mine.sites.add(&same.sites));
    }
}

/// What is kept of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// How often it is not NULL.
    Presence,
    /// Also the sum of integers of at most 64 signed bits.
    Integer,
    /// Also the sum of decimals with this many digits after the point.
    Decimal { scale: i8 },
    /// Also the exact sum of floats.
    Float,
}

impl Argument {
    /// How values of a type are summed, if they are.
    pub(crate) fn summed(data_type: &DataType) -> Option<Argument> {
        Some(match data_type {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Argument::Integer,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => Argument::Integer,
            DataType::UInt64 => Argument::Decimal { scale: 0 },
            DataType::Decimal128(_, scale) => Argument::Decimal { scale: *scale },
            DataType::Float32 | DataType::Float64 => Argument::Float,
            _ => return None,
        })
    }
}

/// One linear aggregate.
#[derive(Clone, Debug)]
pub(crate) struct LinearResult {
    pub(crate) function: LinearFunction,
    pub(crate) result_type: ResultType,
    /// Where a result that does not fit is reported.
    pub(crate) sites: Sites,
}

/// Whether they compute the same; where they stand does not matter.
impl PartialEq for LinearResult {
    fn eq(&self, other: &LinearResult) -> bool {
        self.function == other.function && self.result_type == other.result_type
    }
}

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinearFunction {
    CountRows,
    Count { argument: usize },
    Sum { argument: usize },
    Average { argument: usize },
}

/// The type of an aggregate's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultType {
    Integer,
    Unsigned,
    Float,
    Decimal { precision: u8, scale: i8 },
}

impl ResultType {
    /// The result type of an Arrow type, if aggregates have it.
    pub(crate) fn of(data_type: &DataType) -> Option<ResultType> {
        Some(match data_type {
            DataType::Int64 => ResultType::Integer,
            DataType::UInt64 => ResultType::Unsigned,
            DataType::Float64 => ResultType::Float,
            DataType::Decimal128(precision, scale) => {
                ResultType::Decimal { precision: *precision, scale: *scale }
            }
            _ => return None,
        })
    }
}

/// The value of an aggregate for one group.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Null,
    /// It does not fit the result's type.
    Overflow,
    /// An integer, or the digits of a decimal.
    Whole(i128),
    Float(f64),
}

/// Bytes of a result: a tag and 16 bytes.
const RESULT_BYTES: usize = 17;

impl LinearAggregates {
    /// The value that stands for an anchor where others stand for rows.
    pub(crate) fn anchor() -> ByteRow {
        ByteRow::new(&[ANCHOR])
    }

    /// Bytes of all results of a group.
    pub(crate) fn result_bytes(&self) -> usize {
        self.results.len() * RESULT_BYTES
    }

    /// The results of a group, one after another, each of the same length.
    pub(crate) fn results(&self, accumulator: &Accumulator) -> ByteRow {
        let mut out = Vec::with_capacity(self.result_bytes());
        for result in &self.results {
            let (tag, payload) = match self.value(result, accumulator) {
                Value::Null => (0, [0; 16]),
                Value::Overflow => (1, [0; 16]),
                Value::Whole(value) => (2, value.to_le_bytes()),
                Value::Float(value) => (3, u128::from(value.to_bits()).to_le_bytes()),
            };
            out.push(tag);
            out.extend_from_slice(&payload);
        }
        ByteRow::new(&out)
    }

    /// One column of results, read from what [`LinearAggregates::results`] wrote for each group. Groups come
    /// with their key's bytes and the weight with which they are reported.
    pub(crate) fn column<'a>(
        &self,
        result: usize,
        groups: impl Iterator<Item = (&'a [u8], &'a [u8], i64)>,
        errors: &ErrorLog,
    ) -> ArrayRef {
        let LinearResult { result_type, sites, .. } = &self.results[result];
        let values = groups.map(|(key, bytes, weight)| {
            let value = read_value(&bytes[result * RESULT_BYTES..][..RESULT_BYTES]);
            if value == Value::Overflow {
                errors.note(sites, &reason("the aggregate's value does not fit its type"), hash(key), weight);
            }
            value
        });
        let whole = |value| if let Value::Whole(whole) = value { Some(whole) } else { None };
        let fits = "results were checked against their type";
        match result_type {
            ResultType::Integer => Arc::new(
                values.map(|v| whole(v).map(|w| i64::try_from(w).expect(fits))).collect::<Int64Array>(),
            ),
            ResultType::Unsigned => Arc::new(
                values.map(|v| whole(v).map(|w| u64::try_from(w).expect(fits))).collect::<UInt64Array>(),
            ),
            ResultType::Float => {
                let float = |value| if let Value::Float(float) = value { Some(float) } else { None };
                canonical_floats(Arc::new(values.map(float).collect::<Float64Array>()))
            }
            ResultType::Decimal { precision, scale } => {
                let decimals = values.map(whole).collect::<Decimal128Array>();
                Arc::new(
                    decimals.with_precision_and_scale(*precision, *scale).expect("the plan's type is valid"),
                )
            }
        }
    }

    fn value(&self, result: &LinearResult, accumulator: &Accumulator) -> Value {
        let (argument, average) = match result.function {
            LinearFunction::CountRows => return Value::Whole(accumulator.rows.into()),
            LinearFunction::Count { argument } => {
                let present = accumulator.cells.get(argument).map_or(0, |cell| cell.present);
                return Value::Whole(present.into());
            }
            LinearFunction::Sum { argument } => (argument, false),
            LinearFunction::Average { argument } => (argument, true),
        };
        match accumulator.cells.get(argument) {
            Some(cell) if cell.present != 0 => {
                let divisor = if average { cell.present } else { 1 };
                quotient(cell, divisor, self.arguments[argument], result.result_type)
            }
            _ => Value::Null,
        }
    }
}

fn read_value(bytes: &[u8]) -> Value {
    let payload: [u8; 16] = bytes[1..].try_into().expect("a result has a tag and 16 bytes");
    match bytes[0] {
        0 => Value::Null,
        1 => Value::Overflow,
        2 => Value::Whole(i128::from_le_bytes(payload)),
        _ => {
            Value::Float(f64::from_bits(u64::from_le_bytes(payload[..8].try_into().expect("8 of 16 bytes"))))
        }
    }
}

/// The sum divided by `divisor`, rounded once: floats to the nearest, ties to even; decimals half away from zero.
fn quotient(cell: &Cell, divisor: i64, argument: Argument, result_type: ResultType) -> Value {
    match (&cell.sum, result_type) {
        (Sum::Float(sum), ResultType::Float) => {
            Value::Float(sum.mean(divisor).expect("the divisor is not zero"))
        }
        (Sum::Integer(sum), ResultType::Float) => {
            let mut exact = ExactSum::default();
            exact.add_integer(sum.get(), 1);
            Value::Float(exact.mean(divisor).expect("the divisor is not zero"))
        }
        (Sum::Integer(sum), _) => whole_quotient(i256::from_i128(sum.get()), 0, divisor, result_type),
        (Sum::Decimal(sum), _) => {
            let scale = if let Argument::Decimal { scale } = argument { scale } else { 0 };
            whole_quotient(**sum, scale, divisor, result_type)
        }
        (sum, result_type) => unreachable!("the plan gives no {result_type:?} for {sum:?}"),
    }
}

fn whole_quotient(sum: i256, scale: i8, divisor: i64, result_type: ResultType) -> Value {
    let result_scale = if let ResultType::Decimal { scale, .. } = result_type { scale } else { 0 };
    let ten = i256::from_i128(10);
    let shift = u32::try_from(result_scale - scale).expect("an aggregate has at least its argument's scale");
    let Some(scaled) = ten.checked_pow(shift).and_then(|factor| sum.checked_mul(factor)) else {
        return Value::Overflow;
    };
    let divisor = i256::from_i128(divisor.into());
    let (truncated, rest) = (scaled.wrapping_div(divisor), scaled.wrapping_rem(divisor).wrapping_abs());
    let doubled = rest.wrapping_add(rest);
    let rounded = if doubled >= divisor.wrapping_abs() && divisor != i256::ONE {
        let away = if scaled.is_negative() == divisor.is_negative() { i256::ONE } else { i256::MINUS_ONE };
        truncated.wrapping_add(away)
    } else {
        truncated
    };
    match rounded.to_i128() {
        Some(whole) if fits(whole, result_type) => Value::Whole(whole),
        _ => Value::Overflow,
    }
}

fn fits(whole: i128, result_type: ResultType) -> bool {
    match result_type {
        ResultType::Integer => i64::try_from(whole).is_ok(),
        ResultType::Unsigned => u64::try_from(whole).is_ok(),
        ResultType::Decimal { precision, .. } => whole.unsigned_abs() < 10_u128.pow(precision.into()),
        ResultType::Float => true,
    }
}
