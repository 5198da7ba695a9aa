//! A program change is one record, made ready in turns between pushes.
//!
//! New views are built beside the running ones and filled a piece at a time with the rows that were there when it began;
//! tables whose columns change are converted likewise. What pushes change meanwhile is kept, and fed when the fill is
//! done, more at a time than comes in, until nothing is left. Then, with no push in between, the record is logged and all
//! is swapped in. Before its record is durable nothing has changed, and after that a restart comes to the same program, by
//! the same code run to its end at once.

/// What pushes changed meanwhile.
mod backlog;
/// What becomes of every relation.
mod fates;
/// Feeding rows that are there.
mod fill;
/// How large a piece may be.
mod pace;
/// What the log holds of a change.
mod record;
/// A program in the making.
mod transition;

pub(crate) use fates::carry_tables;
pub(crate) use fill::{FillError, build_parts};
pub(crate) use pace::Pace;
pub(crate) use record::{logged_errors, program_record};
pub(crate) use transition::Transition;
