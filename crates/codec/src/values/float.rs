use super::number::Number;

/// Integers up to here are exact in a double.
const F64_EXACT_MAX: u64 = 1 << 53;
/// Integers up to here are exact in a single.
const F32_EXACT_MAX: u64 = 1 << 24;
/// The powers of ten that a double holds exactly.
const F64_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// The powers of ten that a single holds exactly.
const F32_POWERS: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/// The nearest double, never −0.0; `None` when it would be infinite.
///
/// Where mantissa and power of ten are both exact, one multiplication or division rounds correctly;
/// all else goes to the standard library.
#[inline]
pub(crate) fn to_f64(number: &Number<'_>) -> Option<f64> {
    let power = F64_POWERS.get(usize::try_from(number.exponent.unsigned_abs()).ok()?.min(F64_POWERS.len()));
    let magnitude = match power {
        Some(power) if number.exact && number.mantissa <= F64_EXACT_MAX => {
            let mantissa = number.mantissa as f64;
            if number.exponent < 0 { mantissa / power } else { mantissa * power }
        }
        _ => return number.as_str().parse().ok().filter(|value: &f64| value.is_finite()).map(canonical_f64),
    };
    Some(canonical_f64(if number.negative { -magnitude } else { magnitude }))
}

/// The nearest single, never −0.0; `None` when it would be infinite.
pub(crate) fn to_f32(number: &Number<'_>) -> Option<f32> {
    let power = F32_POWERS.get(usize::try_from(number.exponent.unsigned_abs()).ok()?.min(F32_POWERS.len()));
    let magnitude = match power {
        Some(power) if number.exact && number.mantissa <= F32_EXACT_MAX => {
            let mantissa = number.mantissa as f32;
            if number.exponent < 0 { mantissa / power } else { mantissa * power }
        }
        _ => return number.as_str().parse().ok().filter(|value: &f32| value.is_finite()).map(canonical_f32),
    };
    Some(canonical_f32(if number.negative { -magnitude } else { magnitude }))
}

/// The names of the values that JSON numbers cannot say.
pub(crate) fn named(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The same value with one bit pattern for zero and one for NaN.
pub(crate) fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

/// The same value with one bit pattern for zero and one for NaN.
pub(crate) fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::parse(text.as_bytes()).expect("the test gives numbers")
    }

    proptest! {
        #[test]
        fn doubles_are_those_of_the_standard_library(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?") {
            let expected = Some(text.parse::<f64>().expect("a number")).filter(|value| value.is_finite());
            prop_assert_eq!(to_f64(&number(&text)), expected);
        }

        #[test]
        fn singles_are_those_of_the_standard_library(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?(e-?[0-9]{1,2})?") {
            let expected = Some(text.parse::<f32>().expect("a number")).filter(|value| value.is_finite());
            prop_assert_eq!(to_f32(&number(&text)), expected);
        }
    }

    #[test]
    fn there_is_no_negative_zero() {
        for text in ["-0", "-0.0", "-0e5", "-1e-999", "-0.00000000000000000000000000"] {
            assert_eq!(to_f64(&number(text)).map(f64::to_bits), Some(0), "{text}");
            assert_eq!(to_f32(&number(text)).map(f32::to_bits), Some(0), "{text}");
        }
    }
}
