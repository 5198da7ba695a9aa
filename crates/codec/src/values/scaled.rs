use super::number::Number;

/// Why a number does not become an integer of a given scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScaleError {
    /// Non-zero digits would be lost.
    DigitsLost,
    /// The number has too many digits before the point.
    TooLarge,
}

/// Digits of the largest DECIMAL.
const DIGITS_MAX: i64 = 38;

/// The number × 10^`scale`, exactly.
pub(crate) fn scaled(number: &Number<'_>, scale: u8) -> Result<i128, ScaleError> {
    let magnitude = if number.exact {
        shift_exact(i128::from(number.mantissa), number.exponent + i64::from(scale))?
    } else {
        shift_long(number, scale)?
    };
    Ok(if number.negative { -magnitude } else { magnitude })
}

/// The number as an integer; a fraction of zeros and an exponent are fine.
#[inline]
pub(crate) fn integer(number: &Number<'_>) -> Result<i64, ScaleError> {
    if number.exact && number.exponent == 0 {
        let magnitude = number.mantissa;
        let value =
            if number.negative { 0_i64.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() };
        return value.ok_or(ScaleError::TooLarge);
    }
    i64::try_from(scaled(number, 0)?).map_err(|_| ScaleError::TooLarge)
}

/// Ten to a power of at most 38.
pub(crate) fn power_of_ten(power: u8) -> i128 {
    10_i128.pow(u32::from(power))
}

fn shift_exact(mantissa: i128, shift: i64) -> Result<i128, ScaleError> {
    if mantissa == 0 {
        return Ok(0);
    }
    let Ok(power) = u8::try_from(shift.abs()) else {
        return Err(if shift > 0 { ScaleError::TooLarge } else { ScaleError::DigitsLost });
    };
    if i64::from(power) > DIGITS_MAX {
        return Err(if shift > 0 { ScaleError::TooLarge } else { ScaleError::DigitsLost });
    }
    if shift >= 0 {
        return mantissa.checked_mul(power_of_ten(power)).ok_or(ScaleError::TooLarge);
    }
    if mantissa % power_of_ten(power) != 0 {
        return Err(ScaleError::DigitsLost);
    }
    Ok(mantissa / power_of_ten(power))
}

/// The same for numbers of more than 19 digits: outer zeros are set aside, what remains must fit.
fn shift_long(number: &Number<'_>, scale: u8) -> Result<i128, ScaleError> {
    let end = number.text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(number.text.len());
    let all: Vec<u8> = number.text[..end].iter().copied().filter(u8::is_ascii_digit).collect();
    let Some(first) = all.iter().position(|&digit| digit != b'0') else {
        return Ok(0);
    };
    let last = all.iter().rposition(|&digit| digit != b'0').unwrap_or(first);
    let significant = &all[first..=last];
    let shift = number.exponent + (all.len() - 1 - last) as i64 + i64::from(scale);
    if significant.len() as i64 + shift > DIGITS_MAX {
        return Err(ScaleError::TooLarge);
    }
    if shift < 0 {
        return Err(ScaleError::DigitsLost);
    }
    let mantissa = significant.iter().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    shift_exact(mantissa, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, scale: u8, expected: Result<i128, ScaleError>) {
        let number = Number::parse(text.as_bytes()).expect("the test gives numbers");
        assert_eq!(scaled(&number, scale), expected, "{text} at scale {scale}");
    }

    #[test]
    fn numbers_are_scaled_without_rounding() {
        use ScaleError::{DigitsLost, TooLarge};
        check("12.5", 2, Ok(1250));
        check("-12.5", 1, Ok(-125));
        check("12.5", 0, Err(DigitsLost));
        check("12.50000", 1, Ok(125));
        check("1e2", 0, Ok(100));
        check("1e-2", 1, Err(DigitsLost));
        check("100e-2", 0, Ok(1));
        check("0e999999999999999999999", 3, Ok(0));
        check("-0.0", 3, Ok(0));
        check("1e999999999999999999999", 0, Err(TooLarge));
        check("1e-999999999999999999999", 38, Err(DigitsLost));
        check("99999999999999999999999999999999999999", 0, Ok(power_of_ten(38) - 1));
        check("999999999999999999999999999999999999990", 0, Err(TooLarge));
        check("123456789012345678901234567890000e-4", 0, Ok(12_345_678_901_234_567_890_123_456_789));
        check("0.00000000000000000000000000000000000001", 38, Ok(1));
        check("0.0000000000000000000000000000000000000100", 38, Ok(1));
        check("0.000000000000000000000000000000000000011", 38, Err(DigitsLost));
    }

    #[test]
    fn integers_reach_both_ends_of_64_bits() {
        let check = |text: &str, expected| {
            let number = Number::parse(text.as_bytes()).expect("the test gives numbers");
            assert_eq!(integer(&number), expected, "{text}");
        };
        check("9223372036854775807", Ok(i64::MAX));
        check("-9223372036854775808", Ok(i64::MIN));
        check("9223372036854775808", Err(ScaleError::TooLarge));
        check("-9223372036854775809", Err(ScaleError::TooLarge));
        check("18446744073709551617", Err(ScaleError::TooLarge));
        check("92233720368547758070e-1", Ok(i64::MAX));
        check("1.0", Ok(1));
        check("1.5", Err(ScaleError::DigitsLost));
    }
}
