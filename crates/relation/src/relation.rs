use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use headwater_types::{Delta, WeightedRows};
use parking_lot::RwLockUpgradableReadGuard;

use crate::alteration::{Alteration, ColumnSource};
use crate::consolidate::Net;
use crate::draft::{Change, Draft};
use crate::error::ChangeError;
use crate::key_rows::KeyRows;
use crate::prepare_keyed::prepare_keyed;
use crate::prepare_multiset::{build_index, prepare_insert, prepare_net};
use crate::reader::RelationReader;
use crate::row_id::RowId;
use crate::segment_list::SegmentList;
use crate::shared::Shared;
use crate::snapshot::RelationSnapshot;

/// The rows of one table or view; the writer's side, owned by one thread.
pub struct Relation {
    shared: Arc<Shared>,
}

impl Relation {
    /// An empty relation. `key` names the key columns, in key order; without key it is a multiset of whole rows.
    ///
    /// # Panics
    /// If a column has a type that has no order, as no SQL type here has.
    #[must_use]
    pub fn new(schema: SchemaRef, key: Vec<usize>) -> Relation {
        Relation { shared: Arc::new(Shared::new(schema, key)) }
    }

    pub(crate) fn of(shared: Shared) -> Relation {
        Relation { shared: Arc::new(shared) }
    }

    /// The relation with other columns and the same rows, made at once; [`Alteration`] makes it in pieces.
    ///
    /// # Panics
    /// If a value cannot be held by its column's new type, or the key would consist of other columns.
    #[must_use]
    pub fn altered(&self, schema: SchemaRef, key: Vec<usize>, columns: Vec<ColumnSource>) -> Relation {
        Alteration::new(schema, key, columns).finish(self)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The published list of segments.
    pub(crate) fn segments(&self) -> Arc<SegmentList> {
        self.shared.state.read().segments.clone()
    }

    /// The schema of the rows.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.shared.schema
    }

    /// The number of rows.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.shared.state.read().segments.num_rows()
    }

    /// Bytes held by the published rows, dead ones that are not yet cleared away among them, and by their index.
    /// What only older snapshots hold is not counted.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let state = self.shared.state.read();
        state.segments.memory_bytes() + state.index.as_ref().map_or(0, |index| index.memory_bytes())
    }

    /// The bytes of keys. The batch holds just the key columns, in key order.
    #[must_use]
    pub fn key_bytes(&self, key_columns: &RecordBatch) -> KeyRows {
        let rows = self.shared.encoder.encode(key_columns.columns());
        KeyRows::new(key_columns.columns().to_vec(), rows)
    }

    /// The row with this key, which came from [`Relation::key_bytes`]. For more than a few keys
    /// [`Relation::find_all`] is several times quicker. Always `None` for a relation without key.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<RowId> {
        if !self.shared.keyed {
            return None;
        }
        self.shared.find_bytes(&self.shared.state.read(), key)
    }

    /// The row of each key, if there is one. Always `None` for a relation without key.
    #[must_use]
    pub fn find_all(&self, keys: &KeyRows) -> Vec<Option<RowId>> {
        if !self.shared.keyed {
            return vec![None; keys.num_rows()];
        }
        self.shared.find_all(&self.shared.state.read(), keys.columns(), keys.rows())
    }

    /// How often each of these whole rows is held, of a relation without key. The first call builds the index.
    ///
    /// # Panics
    /// If the relation has a key.
    #[must_use]
    pub fn count_equal(&self, rows: &RecordBatch) -> Vec<u64> {
        assert!(!self.shared.keyed, "rows of a relation with a key are found by key");
        self.ensure_index();
        let state = self.shared.state.read();
        let Some(index) = &state.index else { return vec![0; rows.num_rows()] };
        let bytes = self.shared.encoder.encode(rows.columns());
        let count = |row: usize| {
            let hash = self.shared.encoder.hash(bytes.row(row).data());
            let head = self.shared.find(&state, hash, rows.columns(), row);
            head.map_or(0, |head| u64::from(index.chain_rows(head)))
        };
        (0..rows.num_rows()).map(count).collect()
    }

    /// These rows, in order.
    ///
    /// # Panics
    /// If one is not alive, or if one column's texts together pass 2 GiB, which no batch can hold.
    /// [`Relation::removal`] has no such bound.
    #[must_use]
    pub fn take(&self, rows: &[RowId]) -> RecordBatch {
        let mut batches = self.shared.take(&self.shared.state.read().segments, rows);
        assert_eq!(batches.len(), 1, "the texts of one column fit one batch");
        batches.swap_remove(0)
    }

    /// These rows, as a change that removes each once: one part, or several where one batch cannot hold the texts.
    ///
    /// # Panics
    /// If one is not alive.
    #[must_use]
    pub fn removal(&self, rows: &[RowId]) -> Delta {
        let batches = self.shared.take(&self.shared.state.read().segments, rows);
        let removed = |rows: RecordBatch| {
            let weights = vec![-1; rows.num_rows()];
            WeightedRows::weighted(rows, weights)
        };
        Delta { parts: batches.into_iter().filter(|rows| rows.num_rows() > 0).map(removed).collect() }
    }

    /// The rows for which `predicate` is true (not NULL). It is called once per segment and may see rows that are gone.
    #[must_use]
    pub fn rows_where(&self, predicate: impl Fn(&RecordBatch) -> BooleanArray) -> Vec<RowId> {
        let segments = self.segments();
        let chosen = segments.iter().flat_map(|(place, segment)| {
            let mask = predicate(segment.batch());
            let is_true =
                mask.nulls().map_or_else(|| mask.values().clone(), |known| mask.values() & known.inner());
            segment.rows_in(Some(is_true)).into_iter().map(move |row| RowId::new(place, row))
        });
        chosen.collect()
    }

    /// Makes ready, for a relation with a key: remove these rows, add those.
    ///
    /// # Panics
    /// If a removed row is not alive, or an inserted key is held and not among the removed. That a key is inserted
    /// twice is only noticed when it is held.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the rows belong to the relation from here on")]
    pub fn prepare_keyed(&self, removed: Vec<RowId>, inserted: RecordBatch) -> Change {
        assert!(self.shared.keyed, "a relation without key is changed by whole rows");
        prepare_keyed(&self.shared, &self.shared.state.read(), removed, &inserted)
    }

    /// Makes ready, for any relation: remove these rows. Needs no index where there is none.
    ///
    /// # Panics
    /// If one is not alive.
    #[must_use]
    pub fn prepare_removal(&self, removed: &[RowId]) -> Change {
        let mut removed = removed.to_vec();
        if self.shared.keyed {
            return self.prepare_keyed(removed, RecordBatch::new_empty(self.shared.schema.clone()));
        }
        removed.sort_unstable();
        removed.dedup();
        let state = self.shared.state.read();
        if state.index.is_none() {
            let mut draft = Draft::new(&self.shared, &state);
            draft.remove(removed);
            return draft.finish(None);
        }
        drop(state);
        self.prepare_multiset(&self.removal(&removed)).expect("rows that are there can be removed")
    }

    /// Makes ready, for a relation without key: add and remove whole rows by weight, net. The first removal builds
    /// the index.
    ///
    /// # Errors
    /// If a row would be held a negative number of times, or all rows would be too many. Nothing has changed then.
    ///
    /// # Panics
    /// If the relation has a key.
    pub fn prepare_multiset(&self, delta: &Delta) -> Result<Change, ChangeError> {
        assert!(!self.shared.keyed, "a relation with a key is changed by key");
        let state = self.shared.state.read();
        let only_adds =
            delta.parts.iter().all(|part| part.weights.iter().flat_map(|w| w.iter()).all(|&w| w > 0));
        if only_adds && state.index.is_none() {
            return prepare_insert(&self.shared, &state, delta);
        }
        drop(state);
        let net = Net::of(&self.shared.encoder, delta);
        self.ensure_index();
        prepare_net(&self.shared, &self.shared.state.read(), delta, &net)
    }

    /// Makes a change visible to look-ups and to snapshots taken from now on.
    ///
    /// # Panics
    /// If another change was published since this one was prepared.
    pub fn publish(&mut self, change: Change) {
        let mut state = self.shared.state.write();
        assert_eq!(
            state.version, change.base_version,
            "a change is published on the state it was prepared on"
        );
        state.version += 1;
        match (&mut state.index, change.index) {
            (Some(index), Some(index_change)) => index.apply(index_change),
            // The index was built after the change was prepared; it is built again when needed.
            (index, _) => *index = None,
        }
        let old = std::mem::replace(&mut state.segments, Arc::new(change.segments));
        drop(state);
        // Freeing many rows takes time, which readers need not wait for.
        drop(old);
    }

    /// The published rows, for ever as they are now.
    #[must_use]
    pub fn snapshot(&self) -> RelationSnapshot {
        RelationSnapshot::new(self.shared.schema.clone(), self.segments())
    }

    /// Look-ups by key from other threads.
    #[must_use]
    pub fn reader(&self) -> RelationReader {
        RelationReader::new(self.shared.clone())
    }

    /// Gives a multiset its index if it has none. Readers go on meanwhile.
    fn ensure_index(&self) {
        let state = self.shared.state.upgradable_read();
        if state.index.is_none() {
            let index = build_index(&self.shared, &state);
            RwLockUpgradableReadGuard::upgrade(state).index = Some(index);
        }
    }
}

impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relation").field("num_rows", &self.num_rows()).finish_non_exhaustive()
    }
}
