use smallvec::SmallVec;

use super::limbs::Limbs;

/// The number times 2^−1074, rounded to the nearest double, ties to even.
pub(super) fn to_f64(number: &Limbs) -> f64 {
    let fixed =
        FixedPoint { limbs: &number.magnitude(), exponent: i64::from(number.low()) * 64, inexact: false };
    with_sign(fixed.round(), number.is_negative())
}

/// The number divided by `count` (not zero) times 2^−1074, rounded to the nearest double, ties to even.
pub(super) fn quotient(number: &Limbs, count: i64) -> f64 {
    // Two limbs more in the dividend give at least 65 bits of quotient, more than the 54 that rounding looks at.
    const EXTRA_LIMBS: usize = 2;
    let mut limbs: SmallVec<[u64; 4]> = SmallVec::from_elem(0, EXTRA_LIMBS);
    limbs.extend_from_slice(&number.magnitude());
    let remainder = divide(&mut limbs, count.unsigned_abs());
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    let exponent = i64::from(number.low()) * 64 - 64 * EXTRA_LIMBS as i64;
    let fixed = FixedPoint { limbs: &limbs, exponent, inexact: remainder != 0 };
    with_sign(fixed.round(), number.is_negative() != (count < 0))
}

/// Divides in place, from the highest limb down, and returns the remainder.
fn divide(limbs: &mut [u64], divisor: u64) -> u64 {
    let divisor = u128::from(divisor);
    let mut remainder = 0_u128;
    for limb in limbs.iter_mut().rev() {
        let dividend = remainder << 64 | u128::from(*limb);
        *limb = u64::try_from(dividend / divisor).expect("the remainder is smaller than the divisor");
        remainder = dividend % divisor;
    }
    u64::try_from(remainder).expect("the remainder is smaller than the divisor")
}

fn with_sign(magnitude: f64, negative: bool) -> f64 {
    if negative && magnitude != 0.0 { -magnitude } else { magnitude }
}

/// A magnitude: the limbs (the last one not zero) times 2^`exponent` units of 2^−1074.
struct FixedPoint<'a> {
    limbs: &'a [u64],
    exponent: i64,
    /// Whether something smaller than the lowest bit was cut off.
    inexact: bool,
}

impl FixedPoint<'_> {
    fn round(&self) -> f64 {
        let Some(last) = self.limbs.last() else { return 0.0 };
        let bits = self.limbs.len() as i64 * 64 - i64::from(last.leading_zeros());
        // A double keeps 53 bits from the highest one down, but nothing below one unit.
        let cut = (bits - 53).max(-self.exponent);
        let scale = cut + self.exponent;
        if scale > 2046 {
            return f64::INFINITY;
        }
        let kept = self.bits_from(cut);
        let round_up = self.bit(cut - 1) && (kept & 1 == 1 || self.inexact || self.any_bit_below(cut - 1));
        // With the leading bit counted in, a double's bits are its mantissa plus its exponent times 2^52. So the sum is
        // right for subnormals too, and a carry out of the mantissa, even to infinity, comes out by itself.
        let encoded = (scale.unsigned_abs() << 52) + kept + u64::from(round_up);
        f64::from_bits(encoded.min(f64::INFINITY.to_bits()))
    }

    /// The 53 bits from `cut` on; bits below zero do not exist and read as zero.
    fn bits_from(&self, cut: i64) -> u64 {
        let limb = |place: i64| usize::try_from(place).map_or(0, |p| self.limbs.get(p).copied().unwrap_or(0));
        let (place, shift) = (cut.div_euclid(64), cut.rem_euclid(64));
        let both = u128::from(limb(place + 1)) << 64 | u128::from(limb(place));
        u64::try_from(both >> shift & ((1 << 53) - 1)).expect("53 bits fit")
    }

    fn bit(&self, place: i64) -> bool {
        let Ok(place) = usize::try_from(place) else { return false };
        self.limbs.get(place / 64).is_some_and(|limb| limb >> (place % 64) & 1 == 1)
    }

    fn any_bit_below(&self, place: i64) -> bool {
        let Ok(place) = usize::try_from(place) else { return false };
        let whole = (place / 64).min(self.limbs.len());
        let partial = self.limbs.get(place / 64).is_some_and(|limb| limb & ((1 << (place % 64)) - 1) != 0);
        partial || self.limbs[..whole].iter().any(|&limb| limb != 0)
    }
}
