use arrow::array::BooleanArray;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_types::Delta;

use crate::error::ChangeError;
use crate::key_rows::KeyRows;
use crate::reader::RelationReader;
use crate::row_id::RowId;
use crate::snapshot::RelationSnapshot;

/// A change made ready, not yet seen by anyone. Dropping it leaves no trace.
#[derive(Debug)]
pub struct Change {}

/// The rows of one table or view; the writer's side, owned by one thread.
#[derive(Debug)]
pub struct Relation {}

impl Relation {
    /// An empty relation. `key` names the key columns, in key order; without key it is a multiset of whole rows.
    #[must_use]
    pub fn new(_schema: SchemaRef, _key: Vec<usize>) -> Relation { todo!() }
    /// The bytes of keys. The batch holds just the key columns, in key order.
    #[must_use]
    pub fn key_bytes(&self, _key_columns: &RecordBatch) -> KeyRows { todo!() }
    /// The row with this key. For more than a few keys [`Relation::find_all`] is several times quicker.
    #[must_use]
    pub fn find(&self, _key: &[u8]) -> Option<RowId> { todo!() }
    /// The row of each key, if there is one.
    #[must_use]
    pub fn find_all(&self, _keys: &KeyRows) -> Vec<Option<RowId>> { todo!() }
    /// How often each of these whole rows is held (NULL equals NULL).
    #[must_use]
    pub fn count_equal(&self, _rows: &RecordBatch) -> Vec<u64> { todo!() }
    /// These rows, in order.
    #[must_use]
    pub fn take(&self, _rows: &[RowId]) -> RecordBatch { todo!() }
    /// These rows as a change that removes each once; in several parts where one batch could not hold their texts.
    #[must_use]
    pub fn removal(&self, _rows: &[RowId]) -> Delta { todo!() }
    /// The rows for which `predicate` is true (not NULL); it is called once per segment.
    #[must_use]
    pub fn rows_where(&self, _predicate: impl Fn(&RecordBatch) -> BooleanArray) -> Vec<RowId> { todo!() }
    /// Makes ready: remove these rows, add those. Each inserted key occurs once and is new or among the removed.
    #[must_use]
    pub fn prepare_keyed(&self, _removed: Vec<RowId>, _inserted: RecordBatch) -> Change { todo!() }
    /// Makes ready: the removal of these rows, of a relation with or without key.
    #[must_use]
    pub fn prepare_removal(&self, _removed: &[RowId]) -> Change { todo!() }
    /// Makes ready: add and remove whole rows by weight. For relations without key.
    pub fn prepare_multiset(&self, _delta: &Delta) -> Result<Change, ChangeError> { todo!() }
    /// Makes a change visible to look-ups and to snapshots taken from now on.
    pub fn publish(&mut self, _change: Change) { todo!() }
    /// The published rows, for ever as they are now.
    #[must_use]
    pub fn snapshot(&self) -> RelationSnapshot { todo!() }
    /// Look-ups by key from other threads.
    #[must_use]
    pub fn reader(&self) -> RelationReader { todo!() }
    /// Bytes held by the published rows and their index.
    #[must_use]
    pub fn memory_bytes(&self) -> usize { todo!() }
    /// The number of rows.
    #[must_use]
    pub fn num_rows(&self) -> usize { todo!() }
    /// The schema of the rows.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef { todo!() }
}
