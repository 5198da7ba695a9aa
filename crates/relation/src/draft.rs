use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::compaction::compact;
use crate::gather::data_bytes;
use crate::index::{Index, IndexChange, Slot};
use crate::row_id::RowId;
use crate::segment::{SEGMENT_SIZE_MAX, Segment};
use crate::segment_list::SegmentList;
use crate::shared::{Shared, State};

/// A change made ready, not yet seen by anyone. Dropping it leaves no trace.
#[derive(Debug)]
pub struct Change {
    pub(crate) base_version: u64,
    pub(crate) segments: SegmentList,
    /// `None` where the relation had no index.
    pub(crate) index: Option<IndexChange>,
}

/// A change in the making.
pub(crate) struct Draft<'a> {
    shared: &'a Shared,
    state: &'a State,
    segments: SegmentList,
    changed_rows: usize,
    row_slots: BTreeMap<u32, Option<Arc<[Slot]>>>,
}

impl Draft<'_> {
    pub(crate) fn new<'a>(shared: &'a Shared, state: &'a State) -> Draft<'a> {
        let segments = SegmentList::clone(&state.segments);
        Draft { shared, state, segments, changed_rows: 0, row_slots: BTreeMap::new() }
    }

    /// Lets these rows die.
    ///
    /// # Panics
    /// If one is not alive or named twice.
    pub(crate) fn remove(&mut self, mut rows: Vec<RowId>) {
        self.changed_rows += rows.len();
        rows.sort_unstable();
        for run in rows.chunk_by(|a, b| a.place() == b.place()) {
            let place = run[0].place();
            let segment = self.segments.get(place).expect("row ids are of the published state");
            match segment.without(run.iter().map(|id| id.row())) {
                Some(rest) => self.segments.replace(place, rest),
                None => {
                    self.segments.remove(place);
                    self.row_slots.insert(place, None);
                }
            }
        }
    }

    /// Adds rows, with their slots if the relation has an index.
    pub(crate) fn insert(&mut self, batch: &RecordBatch, slots: Option<&[Slot]>) {
        self.changed_rows += batch.num_rows();
        let columns = batch.columns().to_vec();
        let batch = RecordBatch::try_new(self.shared.schema.clone(), columns)
            .expect("inserted rows have the relation's columns");
        let segment_rows = rows_per_segment(&batch);
        let mut start = 0;
        while start < batch.num_rows() {
            let len = segment_rows.min(batch.num_rows() - start);
            let place = self.segments.insert(Arc::new(Segment::new(batch.slice(start, len))));
            if let Some(slots) = slots {
                self.row_slots.insert(place, Some(slots[start..start + len].into()));
            }
            start += len;
        }
    }

    /// Merges what waits to be merged, and makes the change ready.
    pub(crate) fn finish(self, index_change: Option<IndexChange>) -> Change {
        let Draft { shared, state, mut segments, changed_rows, mut row_slots } = self;
        compact(&mut segments, &shared.schema, changed_rows, |sources, place| {
            if let Some(index) = &state.index {
                let slots =
                    sources.iter().flat_map(|(from, segment)| live_slots(index, &row_slots, *from, segment));
                let slots = slots.collect();
                row_slots.extend(sources.iter().map(|(from, _)| (*from, None)));
                row_slots.insert(place, Some(slots));
            }
        });
        let index = index_change.map(|mut change| {
            change.row_slots = row_slots;
            change
        });
        Change { base_version: state.version, segments, index }
    }
}

/// The slots of the live rows of a segment that is published or was made by this change.
fn live_slots(
    index: &Index,
    row_slots: &BTreeMap<u32, Option<Arc<[Slot]>>>,
    place: u32,
    segment: &Segment,
) -> Vec<Slot> {
    let slots = row_slots.get(&place).map_or_else(|| index.row_slots(place), Option::as_ref);
    let slots = slots.expect("each place with a segment has slots");
    segment.rows_in(None).into_iter().map(|row| slots[row as usize]).collect()
}

/// How many rows of a batch make a full segment, going by their average size.
fn rows_per_segment(batch: &RecordBatch) -> usize {
    let rows = batch.num_rows().max(1);
    let size = rows + data_bytes(batch) / 1024;
    (rows * SEGMENT_SIZE_MAX / size).max(1)
}
