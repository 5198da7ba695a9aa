//! A circuit's state as of one moment, in files of its folder: so that a restart need not compute it again.
//!
//! It is prepared between two steps, on the circuit's thread, and committed on any other. What is restored goes on
//! exactly as the circuit would have: same program, same binary, every byte as it was written, or not at all.

/// The bytes of a checkpoint's description.
mod encoding;
/// What must be the same where a checkpoint is restored.
mod environment;
/// Between two steps, and after.
mod prepare;
/// A circuit from a checkpoint.
mod restore;

use headwater_types::Name;

pub use encoding::CheckpointDecodeError;
pub(crate) use environment::{WORKERS, plan_hash};
pub use prepare::PreparedCheckpoint;

use crate::storage::book::{FileDigest, FileMismatch};

/// What a checkpoint consists of: enough to find its files and to know whether they are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitCheckpoint {
    /// What wrote it.
    pub(crate) environment: String,
    /// Its number in its folder.
    pub(crate) number: u64,
    pub(crate) parts: Vec<PartRecord>,
    /// All its files. The last one holds the notes of the operators.
    pub(crate) files: Vec<FileDigest>,
}

/// One part as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRecord {
    /// Its views, in the order in which they were lowered.
    pub(crate) views: Vec<Name>,
    /// Of the views' plans.
    pub(crate) plan_hash: [u8; 32],
    /// Of dbsp's operators.
    pub(crate) fingerprint: u64,
    /// Whether it may still have to give rows though nothing changes.
    pub(crate) must_run: bool,
}

/// Why there is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The circuit has no folder.
    #[error("the circuit keeps its state in memory alone")]
    NoStorage,
    /// A change of the program is under way.
    #[error("the program is being changed; take the checkpoint afterwards")]
    Changing,
    /// A step has failed.
    #[error("a step failed; build its parts anew first")]
    Broken,
    /// The disk refused something. If that was while it was prepared, parts are gone as after a failed step.
    #[error("{0}")]
    Storage(String),
    /// dbsp panicked. Parts are gone as after a failed step.
    #[error("the dataflow panicked: {0}")]
    Panicked(String),
}

/// Why a checkpoint cannot be restored. It can be dropped: the circuit is filled from tables instead.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The circuit was given no folder.
    #[error("the circuit keeps its state in memory alone")]
    NoStorage,
    /// Something else wrote it.
    #[error("it was written by {found:?}, this is {expected:?}")]
    Environment {
        /// What wrote it.
        found: String,
        /// What would read it.
        expected: String,
    },
    /// A file is missing or damaged.
    #[error("file {name}: {mismatch}")]
    File {
        /// Its name.
        name: String,
        /// What is wrong.
        mismatch: FileMismatch,
    },
    /// The program's views are not those whose state it holds.
    #[error("it holds another state than the program needs: {0}")]
    Program(String),
    /// The program's dataflow cannot be built.
    #[error(transparent)]
    Build(#[from] crate::circuit::BuildError),
    /// dbsp refused it, or the disk did.
    #[error("{0}")]
    Refused(String),
}

impl CircuitCheckpoint {
    /// How many bytes its files have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The names of its files in the circuit's folder.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }
}
