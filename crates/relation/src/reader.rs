use arrow::record_batch::RecordBatch;

/// Look-ups by key in the newest published state, from any thread.
#[derive(Clone, Debug)]
pub struct RelationReader {}

impl RelationReader {
    /// The rows with these keys, in order; keys that no row has are left out.
    #[must_use]
    pub fn lookup(&self, _key_columns: &RecordBatch) -> RecordBatch { todo!() }
}
