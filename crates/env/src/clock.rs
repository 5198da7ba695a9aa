use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use headwater_types::TimestampMicros;

/// What time it is. A clock may jump in both directions: whoever needs time that never goes back must see to it.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> TimestampMicros;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> TimestampMicros {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        TimestampMicros(micros)
    }
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: TimestampMicros) -> ManualClock {
        ManualClock(AtomicI64::new(now.0))
    }

    /// Moves the clock, in either direction.
    pub fn set(&self, now: TimestampMicros) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> TimestampMicros {
        TimestampMicros(self.0.load(Ordering::SeqCst))
    }
}
