//! The change log: what every step changed in every table and view, in one fixed order, for followers that read at
//! their own pace and come back after a pause, a crash of theirs or a crash of ours.
//!
//! The story's thread hands over what a step changed, which costs it no more than a few pointers ([`log`]). From there it
//! lies in memory until there is enough for a file; both are read by [`reader`] as one sequence of lines. The order of
//! lines inside a step is a function of what changed, not of when or how it was computed ([`canonical`]), so what a crash
//! took from memory is written again by replay, line by line the same.
//!
//! Invariants:
//! * A follower gets every line after its cursor once and in order, or is told that they are gone.
//! * The change log is a cache as far as truth goes: files that are lost or damaged raise floors, they stop nothing.
//! * Nothing here waits for a follower.
//!
//! Every byte is described in `docs/format.md`. Reading order:

/// What a step changed.
pub mod commit;
/// Where in the change log something lies, as numbers and as text.
pub mod cursor;
/// The change log of one workspace: the handle that writers and readers share.
pub mod log;
/// Reads the lines of some relations from a position on, page by page.
pub mod reader;

/// Several rows' lines in a block of a file, and back.
mod block;
/// The order of lines inside one step.
mod canonical;
/// Which relations have changes, under which names, from which LSN on.
mod catalog;
/// One file: written once, read by block.
mod file;
/// One file, read from front to back.
mod file_reader;
/// From memory to a file.
mod flush;
/// Which files there are.
mod manifest;
/// Consecutive lines of one relation in one step, wherever they lie.
mod piece;
/// Which changes have been kept long enough.
mod retention;
/// How much memory rows take.
mod size;
/// Changes that are in no file yet.
mod tail;

pub use canonical::Order;
pub use commit::{Keep, RelationId, StreamDefinition};
pub use cursor::{Cursor, CursorError, Identity, Position};
pub use log::{ChangeLog, ChangeLogOptions, LiveStream};
pub use piece::Lines;
pub use reader::{Event, EventKind, Gone, Page, Reader, Selection};
