//! The durable log: groups of records appended under one sync each, in preallocated segments, and read back with every
//! byte checked. It serves the log of a workspace and knows nothing of what payloads mean.
//!
//! Invariants:
//! * A group that was acknowledged is found again, or [`FileLog::open`] refuses and says which file, offset and LSNs.
//! * One sync at a time; a group is written only when the one before it is durable. So at most the last group can be
//!   torn, and anything else that is incomplete is damage.
//! * A failed sync closes the log for good; no file is synced a second time after it.
//! * No clock, disk or randomness but those of [`headwater_env`]; on a simulated disk a run is a function of its seed.
//!
//! Every byte is described in `docs/format.md`. Reading order:

mod append;
mod chain;
mod cut;
/// A log in the files of one folder.
pub mod file_log;
mod group;
mod header;
mod housekeeping;
/// Looking at a log folder without changing it, for `headwater doctor`.
pub mod inspect;
mod manifest;
mod marks;
mod names;
mod open;
/// How large segments and the reserve are.
pub mod options;
mod prepare;
/// Reading records back.
pub mod read;
mod recover;
mod reserve;
mod scan;
/// Files written once and verified: table snapshots, manifests, the change log.
pub mod sealed;
mod sector;
/// The seam between the story and where its log is kept.
pub mod store;
mod window;

pub use file_log::{FileLog, OpenError};
pub use options::LogOptions;
pub use recover::{Damage, Recovery};
pub use store::{AppendError, CutError, LogStore, NewRecord, ReadError, Record, RecordIterator};
