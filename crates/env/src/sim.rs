//! A disk in memory. It keeps apart what programs see and what would be there after the power went: bytes are durable
//! by sector after [`File::sync`](crate::File::sync), names after [`Disk::sync_dir`](crate::Disk::sync_dir).
//!
//! [`SimDisk::crash`] makes the disk that would be found after a power cut: of the sectors written since the last sync
//! any subset may have arrived, and of the operations on each folder any prefix. [`Faults`] make syncs and writes fail
//! or do nothing; a capacity makes the disk fill up. The same operations give the same disk, byte for byte.

mod content;
/// Power cuts: which of the unsynced changes have arrived.
pub mod crash;
mod disk;
/// Failures on command.
pub mod faults;
mod namespace;
mod state;

pub use crash::{Arrived, Pending};
pub use disk::SimDisk;
pub use faults::{FaultKind, Faults};
