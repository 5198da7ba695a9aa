use super::calendar::Day;

/// Why a text is not a date or a timestamp of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// The text has another form.
    Format,
    /// The calendar or the clock has no such time.
    NoSuchTime,
    /// The fraction has non-zero digits beyond those the column holds.
    DigitsLost,
    /// The time is outside the column's range.
    Range,
}

/// Days since 1970-01-01 of `YYYY-MM-DD`. Years outside 0000–9999 are written with a sign.
pub(crate) fn parse_date(text: &[u8]) -> Result<i32, TimeError> {
    let (day, end) = take_day(text)?;
    if end != text.len() {
        return Err(TimeError::Format);
    }
    i32::try_from(day.days_since_epoch()).map_err(|_| TimeError::Range)
}

/// Units of 10^−`digits` seconds since 1970-01-01T00:00:00 UTC of `YYYY-MM-DD(T| )hh:mm:ss[.fraction][Z|±hh:mm]`.
pub(crate) fn parse_timestamp(text: &[u8], digits: u32) -> Result<i64, TimeError> {
    let (day, mut at) = take_day(text)?;
    let time: &[u8; 9] =
        text.get(at..at + 9).and_then(|time| time.try_into().ok()).ok_or(TimeError::Format)?;
    if !matches!(time[0], b'T' | b't' | b' ') || time[3] != b':' || time[6] != b':' {
        return Err(TimeError::Format);
    }
    let hour = two_digits(time[1], time[2])?;
    let minute = two_digits(time[4], time[5])?;
    let second = two_digits(time[7], time[8])?;
    if hour > 23 || minute > 59 || second > 59 {
        return Err(TimeError::NoSuchTime);
    }
    at += 9;
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        (fraction, at) = take_fraction(text, at + 1, digits)?;
    }
    let offset_seconds = parse_offset(&text[at..])?;
    let of_day = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    let seconds = day.days_since_epoch() * 86_400 + of_day - offset_seconds;
    // A time just above the least value has whole seconds below it, so the sum is made in 128 bits.
    let units = i128::from(seconds) * i128::from(10_i64.pow(digits)) + i128::from(fraction);
    i64::try_from(units).map_err(|_| TimeError::Range)
}

fn two_digits(tens: u8, ones: u8) -> Result<u8, TimeError> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { Err(TimeError::Format) } else { Ok(tens * 10 + ones) }
}

/// Reads `YYYY-MM-DD` or, with a sign, four to seven digits of year.
fn take_day(text: &[u8]) -> Result<(Day, usize), TimeError> {
    let (year, at) = match text {
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(4..=7).contains(&count) {
                return Err(TimeError::Format);
            }
            let year = digits[..count].iter().fold(0_i64, |year, digit| year * 10 + i64::from(digit - b'0'));
            (if *sign == b'-' { -year } else { year }, count + 1)
        }
        [a, b, c, d, ..] => (i64::from(two_digits(*a, *b)?) * 100 + i64::from(two_digits(*c, *d)?), 4),
        _ => return Err(TimeError::Format),
    };
    let rest: &[u8; 6] =
        text.get(at..at + 6).and_then(|rest| rest.try_into().ok()).ok_or(TimeError::Format)?;
    if rest[0] != b'-' || rest[3] != b'-' {
        return Err(TimeError::Format);
    }
    let (month, day) = (two_digits(rest[1], rest[2])?, two_digits(rest[4], rest[5])?);
    Ok((Day::new(year, month, day).ok_or(TimeError::NoSuchTime)?, at + 6))
}

fn take_fraction(text: &[u8], start: usize, digits: u32) -> Result<(i64, usize), TimeError> {
    let mut fraction = 0_i64;
    let mut held = 0;
    let mut at = start;
    while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
        if held < digits {
            fraction = fraction * 10 + i64::from(digit - b'0');
            held += 1;
        } else if *digit != b'0' {
            return Err(TimeError::DigitsLost);
        }
        at += 1;
    }
    if at == start {
        return Err(TimeError::Format);
    }
    Ok((fraction * 10_i64.pow(digits - held), at))
}

/// Seconds east of UTC; no offset means UTC.
fn parse_offset(text: &[u8]) -> Result<i64, TimeError> {
    match text {
        [] | [b'Z' | b'z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
            if hours > 23 || minutes > 59 {
                return Err(TimeError::NoSuchTime);
            }
            let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err(TimeError::Format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_exactly() {
        use TimeError::{DigitsLost, Format, NoSuchTime, Range};
        let check = |text: &str, digits, expected| {
            assert_eq!(parse_timestamp(text.as_bytes(), digits), expected, "{text}");
        };
        check("1970-01-01T00:00:00Z", 6, Ok(0));
        check("1970-01-01 00:00:01", 6, Ok(1_000_000));
        check("1970-01-01t00:00:01.5z", 6, Ok(1_500_000));
        check("1970-01-01T00:00:00.000001", 6, Ok(1));
        check("1970-01-01T00:00:00.0000010", 6, Ok(1));
        check("1970-01-01T00:00:00.0000011", 6, Err(DigitsLost));
        check("1970-01-01T00:00:00.0000011", 9, Ok(1_100));
        check("1970-01-01T02:00:00+02:00", 6, Ok(0));
        check("1969-12-31T18:30:00-05:30", 6, Ok(0));
        check("2026-11-22T10:00:00Z", 6, Ok(1_795_341_600_000_000));
        check("2024-02-29T00:00:00Z", 6, Ok(1_709_164_800_000_000));
        check("2023-02-29T00:00:00Z", 6, Err(NoSuchTime));
        check("2023-02-28T24:00:00Z", 6, Err(NoSuchTime));
        check("2016-12-31T23:59:60Z", 6, Err(NoSuchTime));
        check("2023-02-28T23:59:59+24:00", 6, Err(NoSuchTime));
        check("2262-04-11T23:47:16.854775807Z", 9, Ok(i64::MAX));
        check("2262-04-11T23:47:16.854775808Z", 9, Err(Range));
        check("1677-09-21T00:12:43.145224192Z", 9, Ok(i64::MIN));
        check("1677-09-21T00:12:43.145224191Z", 9, Err(Range));
        check("-290308-12-21T19:59:05.224192Z", 6, Ok(i64::MIN));
        check("+294247-01-10T04:00:54.775807Z", 6, Ok(i64::MAX));
        for text in
            ["", "1970", "1970-01-01", "1970-01-01T00:00Z", "1970-01-01T00:00:00.Z", "1970-1-01T00:00:00Z"]
        {
            check(text, 6, Err(Format));
        }
        for text in
            ["1970-01-01T00:00:00+0200", "1970-01-01T00:00:00ZZ", "70-01-01T00:00:00Z", "1970-01-01T00:00:0é"]
        {
            check(text, 6, Err(Format));
        }
    }

    #[test]
    fn dates_reach_both_ends_of_their_range() {
        let check = |text: &str, expected| assert_eq!(parse_date(text.as_bytes()), expected, "{text}");
        check("1970-01-01", Ok(0));
        check("1969-12-31", Ok(-1));
        check("+5881580-07-11", Ok(i32::MAX));
        check("+5881580-07-12", Err(TimeError::Range));
        check("-5877641-06-23", Ok(i32::MIN));
        check("2026-02-30", Err(TimeError::NoSuchTime));
        check("2026-11-22T00:00:00Z", Err(TimeError::Format));
        check("10000-01-01", Err(TimeError::Format));
    }
}
