use arrow::record_batch::RecordBatch;

/// Why a change was refused. Nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError {
    /// A row would be held a negative number of times.
    #[error("a row is held {held} times and cannot be removed {removed} times")]
    NegativeWeight {
        /// The row: a batch of one.
        row: RecordBatch,
        /// How often it is held.
        held: u64,
        /// How often the change removes it, net of what it adds.
        removed: u64,
    },
    /// The relation would hold more rows than it can number.
    #[error("a relation holds at most {max} rows, this change would make it {rows}")]
    TooManyRows {
        /// The bound.
        max: u64,
        /// Rows the relation would hold.
        rows: u64,
    },
}
