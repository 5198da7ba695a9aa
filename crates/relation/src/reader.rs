use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::row_id::RowId;
use crate::shared::Shared;

/// Look-ups by key in the newest published state, from any thread.
#[derive(Clone)]
pub struct RelationReader {
    shared: Arc<Shared>,
}

impl RelationReader {
    pub(crate) fn new(shared: Arc<Shared>) -> RelationReader {
        RelationReader { shared }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The rows with these keys, in order, all of one published state; keys that no row has are left out. The batch
    /// holds just the key columns, in key order. A relation without key finds nothing.
    ///
    /// # Panics
    /// If one column's texts together pass 2 GiB, which no batch can hold.
    #[must_use]
    pub fn lookup(&self, key_columns: &RecordBatch) -> RecordBatch {
        if !self.shared.keyed {
            return RecordBatch::new_empty(self.shared.schema.clone());
        }
        let keys = self.shared.encoder.encode(key_columns.columns());
        let (found, segments) = {
            let state = self.shared.state.read();
            (self.shared.find_all(&state, key_columns.columns(), &keys), state.segments.clone())
        };
        let found: Vec<RowId> = found.into_iter().flatten().collect();
        let mut batches = self.shared.take(&segments, &found);
        assert_eq!(batches.len(), 1, "the texts of one column fit one batch");
        batches.swap_remove(0)
    }
}

impl fmt::Debug for RelationReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelationReader").finish_non_exhaustive()
    }
}
