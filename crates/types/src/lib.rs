//! The nouns that every part of Headwater shares. No I/O, no clocks, no threads.
//!
//! Reading order:

/// Rows with signed weights: what flows into and out of views.
pub mod delta;
/// Exact sums of floats and integers, independent of order and rounded once.
pub mod exact_sum;
/// Every bound of the server, in one table.
pub mod limits;
/// Log sequence numbers and program versions.
pub mod lsn;
/// Names of workspaces, relations and columns, and how SQL folds them.
pub mod name;
/// What a request asks of one table, decoded and validated.
pub mod operation;
/// What is wrong with one record, and where.
pub mod record_error;
/// Reading all rows of a relation, one column subset at a time.
pub mod scan;
/// Column types, columns and table definitions.
pub mod schema;
/// How values are written that records and SQL write alike.
pub mod text;
/// The two clocks: ingest time and the workspace clock.
pub mod time;

pub use delta::{Delta, WeightedRows};
pub use exact_sum::ExactSum;
pub use lsn::{Lsn, ProgramVersion};
pub use name::{Name, NameError};
pub use operation::{Decoded, IfAbsent, Operation, OperationKind};
pub use record_error::{RecordError, RecordErrorCode};
pub use scan::Scan;
pub use schema::{ChangesKept, Column, ColumnType, Retention, TableDefinition};
pub use time::TimestampMicros;
