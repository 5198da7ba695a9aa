use headwater_types::TimestampMicros;

/// How far one event may move the event clock: a day, so that one wrong date cannot empty a table by retention.
pub const EVENT_CLOCK_CEILING_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// What moves the workspace clock. It never goes back, whatever moves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// System time.
    #[default]
    System,
    /// Only a request that sets it.
    Manual,
    /// The newest event time seen: the retention column of any table. One event moves it by a day at the most.
    Event,
}

impl ClockMode {
    /// The number that stands in log records.
    pub(crate) fn code(self) -> u32 {
        match self {
            ClockMode::System => 1,
            ClockMode::Manual => 2,
            ClockMode::Event => 3,
        }
    }

    /// The mode of a number in a log record; `None` for "unchanged" and for unknown numbers.
    pub(crate) fn from_code(code: u32) -> Option<ClockMode> {
        match code {
            1 => Some(ClockMode::System),
            2 => Some(ClockMode::Manual),
            3 => Some(ClockMode::Event),
            _ => None,
        }
    }
}

/// The two clocks of a workspace, as of its newest record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// What moves the workspace clock.
    pub mode: ClockMode,
    /// The now of idempotency, quotas and audit.
    pub ingest_time: TimestampMicros,
    /// The now of data.
    pub workspace: TimestampMicros,
}

impl Clocks {
    /// The clocks of a record written at this system time; `event` is the newest event time it brings.
    pub(crate) fn advanced(self, system: TimestampMicros, event: Option<TimestampMicros>) -> Clocks {
        let ingest_time = self.ingest_time.max(system);
        let target = match self.mode {
            ClockMode::System => ingest_time,
            ClockMode::Manual => self.workspace,
            ClockMode::Event => Clocks { ingest_time, ..self }.event_target(event),
        };
        Clocks { mode: self.mode, ingest_time, workspace: self.workspace.max(target) }
    }

    fn event_target(self, event: Option<TimestampMicros>) -> TimestampMicros {
        let Some(event) = event else { return self.workspace };
        // A clock that no event has set yet is bounded by system time instead: the first event may be the wrong one.
        let from =
            if self.workspace == TimestampMicros::default() { self.ingest_time } else { self.workspace };
        event.min(from.plus_micros(EVENT_CLOCK_CEILING_MICROS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = EVENT_CLOCK_CEILING_MICROS;

    fn clocks(mode: ClockMode, workspace: i64) -> Clocks {
        Clocks { mode, ingest_time: TimestampMicros(100), workspace: TimestampMicros(workspace) }
    }

    #[test]
    fn no_clock_goes_back() {
        for mode in [ClockMode::System, ClockMode::Manual, ClockMode::Event] {
            let later = clocks(mode, 500).advanced(TimestampMicros(50), Some(TimestampMicros(3)));
            assert_eq!((later.ingest_time.0, later.workspace.0), (100, 500), "{mode:?}");
        }
    }

    #[test]
    fn one_event_moves_the_event_clock_by_a_day_at_most() {
        let moved =
            clocks(ClockMode::Event, 500).advanced(TimestampMicros(0), Some(TimestampMicros(9 * DAY)));
        assert_eq!(moved.workspace.0, 500 + DAY);
    }

    #[test]
    fn the_first_event_sets_the_event_clock_but_not_beyond_tomorrow() {
        let first = |event| {
            clocks(ClockMode::Event, 0).advanced(TimestampMicros(9 * DAY), Some(TimestampMicros(event)))
        };
        assert_eq!(first(3 * DAY).workspace.0, 3 * DAY);
        assert_eq!(first(99 * DAY).workspace.0, 10 * DAY);
    }
}
