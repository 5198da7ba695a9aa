use std::collections::BTreeMap;

use headwater_types::{Lsn, Name, ProgramVersion, TimestampMicros};

use crate::clock::ClockMode;
use crate::counters::Counts;

/// Whether a workspace takes records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    #[default]
    Running,
    /// It refuses or queues them until the resume.
    Paused,
    /// It cannot: the log or a view's state failed. Reads go on; a restart recovers.
    ReadOnly {
        /// What failed.
        reason: String,
    },
    /// It is not open: nobody used it for a while, or since the start. The next request opens it.
    Parked,
    /// It is being opened.
    Opening,
    /// It cannot be opened: its files are damaged.
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

impl Condition {
    /// What failed and needs somebody to look after it, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Condition::ReadOnly { reason } | Condition::Damaged { reason } => Some(reason),
            Condition::Running | Condition::Paused | Condition::Parked | Condition::Opening => None,
        }
    }
}

/// What is told about a workspace. While it is parked: as it was known last.
#[derive(Clone, Debug)]
pub struct WorkspaceStatus {
    /// Its name.
    pub name: Name,
    /// Its number, which is also its folder's name.
    pub id: u64,
    /// Whether it takes records.
    pub condition: Condition,
    /// The newest published step.
    pub lsn: Lsn,
    /// How often its program was changed.
    pub program_version: ProgramVersion,
    /// What moves its clock.
    pub clock_mode: ClockMode,
    /// The now of its data.
    pub workspace_clock: TimestampMicros,
    /// The ingest time of its newest record.
    pub ingest_time: TimestampMicros,
    /// Counts of records per endpoint.
    pub counts: BTreeMap<String, Counts>,
    /// Bytes that wait for the resume.
    pub queued_bytes: usize,
    /// Idempotency keys remembered.
    pub idempotency_keys: usize,
    /// Bytes of log that a restart would read, about.
    pub log_bytes: u64,
    /// The LSN of the newest snapshots.
    pub snapshot_lsn: Lsn,
    /// Bytes that its rows, their indexes and its views' state hold in memory, about; while parked, held.
    pub memory_bytes: u64,
    /// Bytes that they may hold before it takes deletions only; 0 before it was opened.
    pub memory_bytes_max: u64,
}

impl WorkspaceStatus {
    /// A workspace of which nothing else is known.
    pub(crate) fn unopened(id: u64, name: Name) -> WorkspaceStatus {
        WorkspaceStatus {
            name,
            id,
            condition: Condition::Parked,
            lsn: Lsn::ZERO,
            program_version: ProgramVersion::default(),
            clock_mode: ClockMode::default(),
            workspace_clock: TimestampMicros::default(),
            ingest_time: TimestampMicros::default(),
            counts: BTreeMap::new(),
            queued_bytes: 0,
            idempotency_keys: 0,
            log_bytes: 0,
            snapshot_lsn: Lsn::ZERO,
            memory_bytes: 0,
            memory_bytes_max: 0,
        }
    }
}
