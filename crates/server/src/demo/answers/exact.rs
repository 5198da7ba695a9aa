/// Values are summed as integers of this many binary digits after the point.
const FRACTION_BITS: i32 = 70;
/// The quotient gets so many digits more, so that what is cut off never decides a rounding unseen.
const QUOTIENT_BITS: i32 = 20;

/// The mean of floats as if computed without limit and rounded once; `None` of no value.
///
/// For values of the size that weather has: not negative, below 2^10, and either zero or above 2^-17.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    let count = u128::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum: u128 = values.iter().map(|value| units(*value)).sum();
    let numerator = sum << QUOTIENT_BITS;
    // The last bit says whether anything was cut off: enough to round to the nearest float, ties to even.
    let quotient = (numerator / count) | u128::from(!numerator.is_multiple_of(count));
    Some(quotient as f64 * 2.0_f64.powi(-FRACTION_BITS - QUOTIENT_BITS))
}

fn units(value: f64) -> u128 {
    const MANTISSA_BITS: i32 = 52;
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> MANTISSA_BITS).expect("twelve bits fit");
    if value == 0.0 {
        return 0;
    }
    let mantissa = (bits & ((1 << MANTISSA_BITS) - 1)) | (1 << MANTISSA_BITS);
    let shift = exponent - 1023 - MANTISSA_BITS + FRACTION_BITS;
    let shift = u32::try_from(shift).ok().filter(|shift| *shift < 30);
    u128::from(mantissa) << shift.expect("weather is neither negative nor tiny nor huge")
}
