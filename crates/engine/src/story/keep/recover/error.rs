use headwater_log::ReadError;
use headwater_log::sealed::SealedError;
use headwater_types::Lsn;

use crate::program::RestoreProgramError;
use crate::record::RecordReadError;
use crate::story::program_change::FillError;

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A snapshot or the manifest is damaged.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The folder of the change log cannot be made.
    #[error("the change log cannot be opened: {0}")]
    Changes(#[source] std::io::Error),
    /// A record of the log cannot be read.
    #[error("log record {lsn}: {source}")]
    Record {
        /// Its number.
        lsn: Lsn,
        /// What is wrong.
        source: RecordReadError,
    },
    /// The log does not begin where the snapshots end.
    #[error(
        "the log begins at LSN {first} but the snapshots end at LSN {snapshots}; restore the missing files from a backup"
    )]
    Gap {
        /// The first LSN of the log.
        first: Lsn,
        /// The oldest LSN of the snapshots.
        snapshots: Lsn,
    },
    /// The log ends before the snapshots.
    #[error(
        "the log ends before LSN {next} but the snapshots hold LSN {snapshots}; restore the missing files from a backup"
    )]
    LogTooShort {
        /// The next LSN of the log.
        next: Lsn,
        /// The newest LSN of the snapshots.
        snapshots: Lsn,
    },
    /// A stored relation has no snapshot although it is older than the snapshots.
    #[error("relation {relation} has no snapshot in the manifest; restore the manifest from a backup")]
    NoRows {
        /// Its number.
        relation: u32,
    },
    /// The logged program cannot be run.
    #[error("LSN {lsn}: {reason}")]
    Program {
        /// Where.
        lsn: Lsn,
        /// Why.
        reason: String,
    },
    /// A step that had been published cannot be applied again.
    #[error(
        "step {lsn} was published but cannot be applied again: {reason}; if its records may be lost, run `headwater doctor skip {lsn}`"
    )]
    Step {
        /// Which.
        lsn: Lsn,
        /// Why.
        reason: String,
    },
}

impl RecoverError {
    pub(super) fn restore(lsn: Lsn, error: &RestoreProgramError) -> RecoverError {
        RecoverError::Program { lsn, reason: error.to_string() }
    }

    pub(super) fn fill(lsn: Lsn, error: &FillError) -> RecoverError {
        RecoverError::Program { lsn, reason: error.to_string() }
    }
}
