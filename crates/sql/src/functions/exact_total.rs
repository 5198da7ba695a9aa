use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, UInt64Type, i256};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use headwater_types::ExactSum;

/// A sum or average that is exact until it is rounded once, in the end.
#[derive(Debug)]
pub(super) struct ExactTotal {
    /// How many values are not NULL.
    count: i64,
    sum: Sum,
    /// Digits behind the point of an argument.
    scale: i8,
    result: DataType,
    is_average: bool,
}

#[derive(Debug)]
enum Sum {
    /// Of integers, or of decimals' digits.
    Whole(i256),
    Float(ExactSum),
}

impl ExactTotal {
    /// Whether values of this type are added up here.
    pub(super) fn takes(argument: &DataType) -> bool {
        matches!(argument, DataType::Int64 | DataType::UInt64 | DataType::Float64 | DataType::Decimal128(..))
    }

    /// A total of nothing. The argument's type is one that [`ExactTotal::takes`].
    pub(super) fn new(argument: &DataType, result: &DataType, is_average: bool) -> ExactTotal {
        let sum = match argument {
            DataType::Float64 => Sum::Float(ExactSum::default()),
            _ => Sum::Whole(i256::ZERO),
        };
        let scale = if let DataType::Decimal128(_, scale) = argument { *scale } else { 0 };
        ExactTotal { count: 0, sum, scale, result: result.clone(), is_average }
    }

    /// Adds values as often as `weight` says.
    fn add(&mut self, values: &ArrayRef, weight: i64) {
        let present = values.len() - values.null_count();
        self.count += weight * i64::try_from(present).expect("an array has fewer than 2^63 values");
        let times = i256::from(weight);
        let plus = |sum: &mut i256, value: i256| *sum = sum.wrapping_add(times.wrapping_mul(value));
        match (&mut self.sum, values.data_type()) {
            (Sum::Float(sum), _) => {
                values
                    .as_primitive::<Float64Type>()
                    .iter()
                    .flatten()
                    .for_each(|value| sum.add(value, weight));
            }
            (Sum::Whole(sum), DataType::Int64) => {
                let values = values.as_primitive::<Int64Type>().iter().flatten();
                values.for_each(|value| plus(sum, i256::from(value)));
            }
            (Sum::Whole(sum), DataType::UInt64) => {
                let values = values.as_primitive::<UInt64Type>().iter().flatten();
                values.for_each(|value| plus(sum, i256::from_i128(value.into())));
            }
            (Sum::Whole(sum), _) => {
                let values = values.as_primitive::<Decimal128Type>().iter().flatten();
                values.for_each(|value| plus(sum, i256::from_i128(value)));
            }
        }
    }

    /// A sum divided by the divisor, brought to the result's digits; halves are taken away from zero.
    fn quotient(&self, sum: i256, divisor: i64) -> Option<ScalarValue> {
        let (precision, scale) = match self.result {
            DataType::Int64 => return Some(ScalarValue::Int64(Some(i64::try_from(sum.to_i128()?).ok()?))),
            DataType::UInt64 => return Some(ScalarValue::UInt64(Some(u64::try_from(sum.to_i128()?).ok()?))),
            DataType::Decimal128(precision, scale) => (precision, scale),
            _ => return None,
        };
        let shift = u32::try_from(scale - self.scale).ok()?;
        let scaled = sum.checked_mul(i256::from_i128(10).checked_pow(shift)?)?;
        let divisor = i256::from(divisor);
        let (quotient, rest) = (scaled.checked_div(divisor)?, scaled.checked_rem(divisor)?.wrapping_abs());
        let away = if scaled.is_negative() { i256::MINUS_ONE } else { i256::ONE };
        let is_up = divisor != i256::ONE && rest.wrapping_add(rest) >= divisor;
        let digits = if is_up { quotient.wrapping_add(away) } else { quotient }.to_i128()?;
        let fits = digits.unsigned_abs() < 10_u128.pow(precision.into());
        fits.then_some(ScalarValue::Decimal128(Some(digits), precision, scale))
    }
}

impl Accumulator for ExactTotal {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], 1);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], -1);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return ScalarValue::try_from(&self.result);
        }
        let divisor = if self.is_average { self.count } else { 1 };
        let value = match &self.sum {
            Sum::Float(sum) => sum.mean(divisor).map(|mean| ScalarValue::Float64(Some(mean))),
            Sum::Whole(sum) => self.quotient(*sum, divisor),
        };
        match value {
            Some(value) => Ok(value),
            None => exec_err!("the total of {} values overflows {}", self.count, self.result),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let bytes = match &self.sum {
            Sum::Whole(sum) => sum.to_le_bytes().to_vec(),
            Sum::Float(sum) => sum.to_words().into_iter().flat_map(i64::to_le_bytes).collect(),
        };
        Ok(vec![ScalarValue::Int64(Some(self.count)), ScalarValue::Binary(Some(bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = states[0].as_primitive::<Int64Type>();
        for (count, bytes) in counts.iter().flatten().zip(states[1].as_binary::<i32>().iter().flatten()) {
            self.count += count;
            let merged = match &mut self.sum {
                Sum::Whole(sum) => bytes.try_into().ok().map(|bytes| {
                    *sum = sum.wrapping_add(i256::from_le_bytes(bytes));
                }),
                Sum::Float(sum) => {
                    let words: Vec<i64> =
                        bytes.as_chunks().0.iter().map(|word| i64::from_le_bytes(*word)).collect();
                    ExactSum::from_words(&words).map(|other| sum.merge(&other))
                }
            };
            if merged.is_none() {
                return exec_err!("the state of a total is not one that was given out");
            }
        }
        Ok(())
    }
}
