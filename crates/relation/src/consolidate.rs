use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::row::Rows;
use headwater_types::Delta;

/// Nets equal rows, drops those whose weights cancel, and orders the rest by their bytes: one part, or none.
#[must_use]
pub fn consolidate(_delta: &Delta, _schema: &SchemaRef) -> Delta { todo!() }

/// Every row as memcomparable bytes over all columns.
#[must_use]
pub fn row_bytes(_batch: &RecordBatch) -> Rows { todo!() }
