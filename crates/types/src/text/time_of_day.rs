use std::io::Write;

/// Nanoseconds of a day; a time of day is less.
pub const DAY_NANOS: i64 = 86_400 * SECOND_NANOS;
const SECOND_NANOS: i64 = 1_000_000_000;
const FRACTION_DIGITS: usize = 9;

/// Why a text is not a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOfDayError {
    /// The text has another form.
    Format,
    /// No clock shows this time.
    NoSuchTime,
    /// There are non-zero digits beyond nanoseconds.
    DigitsLost,
}

/// Appends `hh:mm:ss`, and the fraction if it is not zero, without zeros at its end.
///
/// A number that is no time of day is written as the time it comes to, counted on through days.
pub fn write(nanos: i64, out: &mut Vec<u8>) {
    let of_day = nanos.rem_euclid(DAY_NANOS);
    let (seconds, fraction) = (of_day / SECOND_NANOS, of_day % SECOND_NANOS);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hours:02}:{minutes:02}:{seconds:02}").expect("writing to memory succeeds");
    if fraction != 0 {
        write!(out, ".{fraction:09}").expect("writing to memory succeeds");
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Nanoseconds since midnight of `hh:mm[:ss[.fraction]]`.
pub fn read(text: &[u8]) -> Result<i64, TimeOfDayError> {
    let (hours, rest) = two_digits(text)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(b":").ok_or(TimeOfDayError::Format)?)?;
    let (seconds, rest) = match rest.strip_prefix(b":") {
        Some(rest) => two_digits(rest)?,
        None if rest.is_empty() => (0, rest),
        None => return Err(TimeOfDayError::Format),
    };
    let fraction = match rest.strip_prefix(b".") {
        Some(digits) => fraction(digits)?,
        None if rest.is_empty() => 0,
        None => return Err(TimeOfDayError::Format),
    };
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err(TimeOfDayError::NoSuchTime);
    }
    Ok((hours * 3_600 + minutes * 60 + seconds) * SECOND_NANOS + fraction)
}

fn two_digits(text: &[u8]) -> Result<(i64, &[u8]), TimeOfDayError> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            Ok((i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest))
        }
        _ => Err(TimeOfDayError::Format),
    }
}

fn fraction(digits: &[u8]) -> Result<i64, TimeOfDayError> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(TimeOfDayError::Format);
    }
    let (kept, lost) = digits.split_at(digits.len().min(FRACTION_DIGITS));
    if lost.iter().any(|digit| *digit != b'0') {
        return Err(TimeOfDayError::DigitsLost);
    }
    let padded = kept.iter().chain(std::iter::repeat(&b'0')).take(FRACTION_DIGITS);
    Ok(padded.fold(0, |fraction, digit| fraction * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_exactly() {
        use TimeOfDayError::{DigitsLost, Format, NoSuchTime};
        let check = |text: &str, expected| assert_eq!(read(text.as_bytes()), expected, "{text}");
        check("00:00:00", Ok(0));
        check("10:00", Ok(36_000 * SECOND_NANOS));
        check("10:00:00.1", Ok(36_000 * SECOND_NANOS + 100_000_000));
        check("23:59:59.999999999", Ok(DAY_NANOS - 1));
        check("23:59:59.9999999990", Ok(DAY_NANOS - 1));
        check("23:59:59.9999999991", Err(DigitsLost));
        check("24:00:00", Err(NoSuchTime));
        check("23:60:00", Err(NoSuchTime));
        check("23:59:60", Err(NoSuchTime));
        for text in ["", "1", "10", "10:", "10:0", "1:00", "10:00:", "10:00:0", "10:00:00.", "10:00:00.x"] {
            check(text, Err(Format));
        }
        for text in
            ["10:00:00Z", "10:00:00 ", " 10:00:00", "10:00:00+01", "10.5", "-1:00", "1é:00", "10:00 AM"]
        {
            check(text, Err(Format));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..DAY_NANOS, step in prop::sample::select(vec![1, 1_000, SECOND_NANOS])) {
            let nanos = nanos / step * step;
            let mut text = Vec::new();
            write(nanos, &mut text);
            prop_assert_eq!(read(&text), Ok(nanos));
            prop_assert_eq!(text.len() == 8, nanos % SECOND_NANOS == 0);
        }
    }
}
