use std::fmt;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

/// All rows of one relation as of one LSN, in a fixed number of segments.
///
/// A row that a multiset holds n times comes n times. Safe to read from any thread, as often as wanted.
pub trait Scan: fmt::Debug + Send + Sync {
    /// The schema of the rows.
    fn schema(&self) -> SchemaRef;
    /// The number of rows.
    fn num_rows(&self) -> usize;
    /// The number of segments.
    fn num_segments(&self) -> usize;
    /// The rows of one segment, with only these columns (all, in order, when `None`).
    fn segment(&self, index: usize, projection: Option<&[usize]>) -> RecordBatch;
}
