//! Look-ups by key in a snapshot, which has no index of its own: the newest one leads to the rows that did not change
//! since, and only segments that did are searched.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, Scalar};
use arrow::compute::kernels::cmp::eq;

use crate::reader::RelationReader;
use crate::row_id::RowId;
use crate::segment_list::SegmentList;
use crate::shared::Shared;
use crate::snapshot::RelationSnapshot;

impl RelationReader {
    /// The rows with these keys in a snapshot of this relation, in order; keys that no row had then are left out. The batch
    /// holds just the key columns, in key order. A relation without key finds nothing.
    ///
    /// As quick as [`RelationReader::lookup`] for rows that did not change since the snapshot; otherwise it takes a
    /// comparison of the first key column with every row of the segments that changed.
    ///
    /// # Panics
    /// If one column's texts together pass 2 GiB, which no batch can hold.
    #[must_use]
    pub fn lookup_at(&self, snapshot: &RelationSnapshot, key_columns: &RecordBatch) -> RecordBatch {
        let shared = self.shared();
        if !shared.keyed {
            return RecordBatch::new_empty(shared.schema.clone());
        }
        let keys = shared.encoder.encode(key_columns.columns());
        let (newest, segments) = {
            let state = shared.state.read();
            (shared.find_all(&state, key_columns.columns(), &keys), state.segments.clone())
        };
        let at = snapshot.segments();
        // A row that lives in the newest state, in a segment that is the snapshot's as well, lived then. And a row that
        // lived then in such a segment lives still, so the index finds it: all others lie in segments that changed.
        let unchanged = |id: &RowId| is_same(at, &segments, id.place());
        let find = |(row, newest): (usize, Option<RowId>)| {
            newest.filter(unchanged).or_else(|| search(shared, at, &segments, &columns_of(key_columns, row)))
        };
        let found: Vec<RowId> = newest.into_iter().enumerate().filter_map(find).collect();
        let mut batches = shared.take(at, &found);
        assert_eq!(batches.len(), 1, "the texts of one column fit one batch");
        batches.swap_remove(0)
    }
}

fn columns_of(key_columns: &RecordBatch, row: usize) -> Vec<ArrayRef> {
    key_columns.columns().iter().map(|column| column.slice(row, 1)).collect()
}

/// Whether two lists have the very same segment at a place.
fn is_same(at: &SegmentList, newest: &SegmentList, place: u32) -> bool {
    matches!((at.get(place), newest.get(place)), (Some(a), Some(b)) if Arc::ptr_eq(a, b))
}

/// The row with this key in the segments that are not the newest ones any more.
fn search(shared: &Shared, at: &SegmentList, newest: &SegmentList, key: &[ArrayRef]) -> Option<RowId> {
    let first = shared.index_column_numbers().first().copied()?;
    let sought = Scalar::new(key.first()?.clone());
    let changed = at.iter().filter(|(place, _)| !is_same(at, newest, *place));
    changed.into_iter().find_map(|(place, segment)| {
        let mask = eq(segment.batch().column(first), &sought).ok();
        let candidates = segment.rows_in(mask.map(is_true));
        let ids = candidates.into_iter().map(|row| RowId::new(place, row));
        ids.into_iter().find(|id| shared.is_found_by(at, *id, key, 0))
    })
}

/// Where the comparison is true, and not NULL.
fn is_true(mask: BooleanArray) -> arrow::buffer::BooleanBuffer {
    match mask.nulls() {
        None => mask.values().clone(),
        Some(known) => mask.values() & known.inner(),
    }
}
