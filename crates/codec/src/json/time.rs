use std::io::Write;

use crate::values::calendar::Day;

/// Appends a date, `2026-11-22`; years outside 0000–9999 have a sign.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) {
    let Day { year, month, day } = Day::from_days_since_epoch(days);
    if let Ok(year @ 0..=9_999) = u16::try_from(year) {
        write_two((year / 100) as u8, out);
        write_two((year % 100) as u8, out);
    } else {
        write!(out, "{year:+05}").expect("writing to memory succeeds");
    }
    out.push(b'-');
    write_two(month, out);
    out.push(b'-');
    write_two(day, out);
}

/// Appends a time in UTC, `2026-11-22T10:00:00Z`, from units of 10^−`digits` seconds; the fraction only if not zero.
pub(super) fn write_timestamp(units: i64, digits: u32, out: &mut Vec<u8>) {
    let units_per_second = 10_i64.pow(digits);
    let seconds = units.div_euclid(units_per_second);
    let fraction = units.rem_euclid(units_per_second);
    write_date(seconds.div_euclid(86_400), out);
    let of_day = seconds.rem_euclid(86_400);
    for (before, value) in [(b'T', of_day / 3_600), (b':', of_day / 60 % 60), (b':', of_day % 60)] {
        out.push(before);
        write_two(value as u8, out);
    }
    if fraction != 0 {
        write!(out, ".{fraction:0width$}", width = digits as usize).expect("writing to memory succeeds");
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    out.push(b'Z');
}

fn write_two(value: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + value / 10, b'0' + value % 10]);
}
