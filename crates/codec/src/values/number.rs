/// A number in JSON's grammar, taken apart: its value is ±`mantissa` × 10^`exponent` if `exact`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    /// The number as it stands.
    pub(crate) text: &'a [u8],
    pub(crate) negative: bool,
    /// The digits without point, modulo 2^64.
    pub(crate) mantissa: u64,
    /// The power of ten of the last digit.
    pub(crate) exponent: i64,
    /// Whether `mantissa` holds all digits.
    pub(crate) exact: bool,
}

/// Digits that always fit in 64 bits.
const EXACT_DIGITS_MAX: usize = 19;
/// Exponents beyond this make every non-zero number overflow or vanish; more digits of them say no more.
const EXPONENT_MAX: i64 = 1 << 40;

impl<'a> Number<'a> {
    /// Reads the number at the start of `bytes`; `None` if there is none. What follows it is not looked at.
    #[inline]
    pub(crate) fn scan(bytes: &'a [u8]) -> Option<Number<'a>> {
        let negative = bytes.first() == Some(&b'-');
        let whole_start = usize::from(negative);
        let mut mantissa = 0;
        let mut at = take_digits(bytes, whole_start, &mut mantissa);
        let whole_digits = at - whole_start;
        if whole_digits == 0 || (whole_digits > 1 && bytes[whole_start] == b'0') {
            return None;
        }
        let mut exponent = 0;
        let mut digits = whole_digits;
        if bytes.get(at) == Some(&b'.') {
            let start = at + 1;
            at = take_digits(bytes, start, &mut mantissa);
            if at == start {
                return None;
            }
            digits += at - start;
            exponent = -((at - start) as i64);
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let (written, end) = take_exponent(bytes, at + 1)?;
            at = end;
            exponent += written;
        }
        Some(Number { text: &bytes[..at], negative, mantissa, exponent, exact: digits <= EXACT_DIGITS_MAX })
    }

    /// Reads a text that is one number and nothing else.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Number<'a>> {
        Number::scan(text).filter(|number| number.text.len() == text.len())
    }

    /// The number as text.
    pub(crate) fn as_str(&self) -> &'a str {
        std::str::from_utf8(self.text).expect("a number is ASCII")
    }
}

#[inline]
fn take_digits(bytes: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

fn take_exponent(bytes: &[u8], mut at: usize) -> Option<(i64, usize)> {
    let negative = bytes.get(at) == Some(&b'-');
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    let start = at;
    let mut written = 0_i64;
    while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
        written = (written * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX);
        at += 1;
    }
    (at > start).then_some((if negative { -written } else { written }, at))
}
