use arrow::record_batch::RecordBatch;

use crate::record_error::RecordError;

/// What a patch does when no row has its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfAbsent {
    /// The record is refused with `row_not_found`.
    #[default]
    Error,
    /// Nothing happens; the record counts as applied.
    Ignore,
    /// A row is inserted, columns not given taking their DEFAULT or NULL.
    Insert,
}

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Add each row. Only for tables without primary key; with one, decoding yields `Upsert`.
    Insert,
    /// Add each row, replacing the one with the same key. Whole rows.
    Upsert,
    /// Remove one row equal to each of these. Whole rows; only for tables without primary key.
    DeleteRow,
    /// Remove the row with each key. The batch holds the key columns, in key order.
    DeleteKey,
    /// Set some columns of the row with each key. The batch holds the columns in `Operation::columns`.
    Patch(IfAbsent),
}

/// A run of consecutive records of a request that do the same to the same table.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The table's position in the program the request was decoded under.
    pub table: usize,
    /// What is done.
    pub kind: OperationKind,
    /// For `Patch`: the table's column indexes that the batch holds, in batch order, key columns among them.
    /// For all other kinds: empty, as the kind says what the batch holds.
    pub columns: Vec<usize>,
    /// One row per record.
    pub rows: RecordBatch,
    /// The place of each row's record in its request, counted from zero.
    pub record_indexes: Vec<u32>,
}

/// A request's records, decoded to typed columns.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// Good records, in request order.
    pub operations: Vec<Operation>,
    /// Bad records, in request order; at most `limits::RECORDS_PER_REQUEST_MAX`.
    pub errors: Vec<RecordError>,
    /// Records in the request, good and bad.
    pub received: u64,
}
