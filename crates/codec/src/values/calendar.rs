/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    /// Year; 0 is 1 BC.
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
}

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_SHIFT_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

impl Day {
    /// The day, if the calendar has it.
    #[inline]
    pub(crate) fn new(year: i64, month: u8, day: u8) -> Option<Day> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        (1..=last).contains(&day).then_some(Day { year, month, day })
    }

    /// Days since 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day comes last and months have a closed form.
    #[inline]
    pub(crate) fn days_since_epoch(self) -> i64 {
        let (year, month) = if self.month > 2 {
            (self.year, i64::from(self.month) - 3)
        } else {
            (self.year - 1, i64::from(self.month) + 9)
        };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * ERA_DAYS + day_of_era - EPOCH_SHIFT_DAYS
    }

    /// The day that is so many days after 1970-01-01.
    pub(crate) fn from_days_since_epoch(days: i64) -> Day {
        let shifted = days + EPOCH_SHIFT_DAYS;
        let era = shifted.div_euclid(ERA_DAYS);
        let day_of_era = shifted.rem_euclid(ERA_DAYS);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Day { year, month: month as u8, day: day as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        let mut days = Day::new(1600, 1, 1).expect("a day").days_since_epoch();
        for year in 1600..2400 {
            for month in 1..=12 {
                for day in (1..=32).map_while(|day| Day::new(year, month, day)) {
                    assert_eq!(day.days_since_epoch(), days);
                    assert_eq!(Day::from_days_since_epoch(days), day);
                    days += 1;
                }
            }
        }
        assert_eq!(Day::new(1970, 1, 1).expect("a day").days_since_epoch(), 0);
    }

    #[test]
    fn the_ends_of_all_types_are_days() {
        for days in [i64::from(i32::MIN), i64::from(i32::MAX), -106_751_992, 106_751_991] {
            assert_eq!(Day::from_days_since_epoch(days).days_since_epoch(), days);
        }
    }
}
