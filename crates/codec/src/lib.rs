//! Bytes ↔ typed columns: request bodies in, answers out, rows to and from the log. No I/O, no clock.
//!
//! A body is decoded in one pass straight into Arrow columns. Each record is validated on its own: a bad one is
//! reported by index, column and reason, its half-written values are rolled back, and its neighbours are not touched.
//! Reading order:

/// Why a whole body was refused.
pub mod body_error;
/// From a request's body to operations: the two entry points and their options.
pub mod decode;
/// What decompression is bounded by, and how it fails.
pub mod decompression;
/// Bounded decompression of gzip bodies.
pub mod gunzip;
/// Record batches to and from the bytes that the log and table snapshots hold.
pub mod ipc;
/// Rows as JSON text.
pub mod json;
/// Primary keys from the texts of a URL.
pub mod key;
/// Hints that name the word that was probably meant.
mod nearest;
/// What is wrong with a record.
mod problem;
/// Bodies of Arrow IPC.
mod read_arrow;
/// Typed columns of any source to the columns of a table.
mod read_columns;
/// CSV bodies.
mod read_csv;
/// JSON bodies.
mod read_json;
/// Good and bad records of a request, counted in order.
mod records;
/// From values to columns: builders, what presence and absence mean, rollback.
mod rows;
/// Bounded decompression of zstd bodies.
pub mod unzstd;
/// Numbers, dates and timestamps from their texts.
mod values;
/// Rows of an answer in every format.
pub mod write_rows;

pub use body_error::BodyError;
pub use decode::{BodyFormat, DecodeOptions, OperationName, decode_mixed, decode_table};
pub use decompression::DecompressionError;
pub use gunzip::gunzip;
pub use key::parse_key;
pub use unzstd::unzstd;
