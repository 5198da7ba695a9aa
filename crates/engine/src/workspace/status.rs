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
}

/// What is told about a workspace.
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
}
