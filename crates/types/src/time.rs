use std::fmt;

/// Microseconds since 1970-01-01T00:00:00 UTC.
///
/// Two clocks are measured in it. *Ingest time* is system time, logged with each step, and never goes back; it is the
/// now of idempotency, quotas, quarantine, audit and jobs. The *workspace clock* is the now of data: retention and,
/// later, NOW() and TTL; it follows system time, is set by hand, or follows the newest event, and never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampMicros(pub i64);

impl TimestampMicros {
    /// This time plus a number of microseconds, held at the ends of the range.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> TimestampMicros {
        TimestampMicros(self.0.saturating_add(micros))
    }
}

impl fmt::Display for TimestampMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match arrow::temporal_conversions::timestamp_us_to_datetime(self.0) {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            None => write!(f, "{} µs since 1970", self.0),
        }
    }
}
