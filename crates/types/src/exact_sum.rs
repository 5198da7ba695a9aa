//! Exact sums: independent of order, rounded once, without residue when everything is taken out again.
//!
//! A finite double is an integer times 2^−1074, so any sum of doubles with integer weights is such a multiple too.
//! [`ExactSum`] keeps that integer, in two's complement, as 64-bit limbs of which only the ones between the lowest and
//! the highest set bit are stored. This is the long accumulator of Kulisch and Miranker («The Arithmetic of the
//! Digital Computer: A New Approach», SIAM Review 28, 1986) in the sparse spirit of the small superaccumulator of
//! R. Neal («Fast exact summation using small and large superaccumulators», arXiv:1505.05571, 2015). Neal delays
//! carries and rounds at the end; here carries are resolved at once, because sums live in indexed state, where equal
//! values must have one representation, and nearly all of them span two or three limbs.
//!
//! Invariants (the canonical form, on which `Eq` and `Hash` rest): zero has no limbs and `low` = 0; otherwise the lowest
//! limb is not zero, and the highest is needed to tell the value or its sign. `specials` is `None` when all its counts
//! are zero. There is no largest sum: the limbs grow as needed, by at most one per 2^64 additions beyond the range
//! of a double.
//!
//! NaN and the infinities are counted apart by weight, so that they can be taken out again. As long as one is there,
//! the sum is NaN or infinite; NULL is the caller's matter.

mod limbs;
mod order;
mod rounding;
#[cfg(test)]
mod tests;
mod words;

use limbs::Limbs;

/// The bit of 2^0 when bit 0 stands for 2^−1074.
const ONE_BIT: u32 = 1074;

/// How often each value that is no number was added, net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Specials {
    nan: i64,
    infinity: i64,
    negative_infinity: i64,
}

/// The exact sum of weighted floats or integers. The module's text says how it works.
///
/// Equal sums are equal values with equal hashes, however they came about; the order is that of the numbers, and sums
/// with NaN or infinities come last in an order of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExactSum {
    number: Limbs,
    specials: Option<Box<Specials>>,
}

impl ExactSum {
    /// Adds `value`, `weight` times. A negative weight takes out.
    pub fn add(&mut self, value: f64, weight: i64) {
        if !value.is_finite() {
            self.add_special(value, weight);
            return;
        }
        let bits = value.to_bits();
        let exponent = u32::try_from(bits >> 52 & 0x7ff).expect("11 bits fit");
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, bit) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let product = i128::from(mantissa) * i128::from(weight);
        self.number.add_shifted(if value.is_sign_negative() { -product } else { product }, bit);
    }

    /// Adds an integer, `weight` times. No integer is too large, nor their sum.
    pub fn add_integer(&mut self, value: i128, weight: i64) {
        const LOW: u128 = u64::MAX as u128;
        let weight = i128::from(weight);
        let low_half = (value.cast_unsigned() & LOW).cast_signed();
        self.number.add_shifted(low_half * weight, ONE_BIT);
        self.number.add_shifted((value >> 64) * weight, ONE_BIT + 64);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &ExactSum) {
        self.number.add(&other.number);
        if let Some(specials) = &other.specials {
            self.change_specials(|own| {
                own.nan = own.nan.wrapping_add(specials.nan);
                own.infinity = own.infinity.wrapping_add(specials.infinity);
                own.negative_infinity = own.negative_infinity.wrapping_add(specials.negative_infinity);
            });
        }
    }

    /// The sum of all values with their weights negated.
    #[must_use]
    pub fn negated(&self) -> ExactSum {
        self.scaled(-1)
    }

    /// The sum of all values with their weights multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: i64) -> ExactSum {
        let mut scaled = ExactSum { number: self.number.scaled(factor), specials: None };
        if let Some(specials) = &self.specials {
            scaled.change_specials(|own| {
                own.nan = specials.nan.wrapping_mul(factor);
                own.infinity = specials.infinity.wrapping_mul(factor);
                own.negative_infinity = specials.negative_infinity.wrapping_mul(factor);
            });
        }
        scaled
    }

    /// Whether the sum is zero and holds no NaN or infinity.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.number.is_zero() && self.specials.is_none()
    }

    /// The sum, rounded once to the nearest double, ties to even; infinite where it is beyond all of them.
    ///
    /// NaN if a NaN is in the sum, or infinities of both signs. Zero is 0.0, never −0.0.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.special_value().unwrap_or_else(|| rounding::to_f64(&self.number))
    }

    /// The sum as an integer, if it is one and fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        if self.specials.is_some() { None } else { self.number.to_integer(ONE_BIT) }
    }

    /// The exact quotient of the sum and `count`, rounded once; `None` when `count` is zero.
    #[must_use]
    pub fn mean(&self, count: i64) -> Option<f64> {
        if count == 0 {
            return None;
        }
        let sign = if count < 0 { -1.0 } else { 1.0 };
        let value = self.special_value().map(|value| value * sign);
        Some(value.unwrap_or_else(|| rounding::quotient(&self.number, count)))
    }

    fn add_special(&mut self, value: f64, weight: i64) {
        self.change_specials(|specials| {
            let count = if value.is_nan() {
                &mut specials.nan
            } else if value > 0.0 {
                &mut specials.infinity
            } else {
                &mut specials.negative_infinity
            };
            *count = count.wrapping_add(weight);
        });
    }

    /// Counts wrap: weights are counts of rows, of which no relation has 2^63, and wrapping keeps taking out exact.
    fn change_specials(&mut self, change: impl FnOnce(&mut Specials)) {
        let mut specials = self.specials.as_deref().copied().unwrap_or_default();
        change(&mut specials);
        self.specials = (specials != Specials::default()).then(|| Box::new(specials));
    }

    fn special_value(&self) -> Option<f64> {
        let specials = self.specials.as_deref()?;
        Some(match (specials.nan, specials.infinity, specials.negative_infinity) {
            (0, _, 0) => f64::INFINITY,
            (0, 0, _) => f64::NEG_INFINITY,
            _ => f64::NAN,
        })
    }
}
