use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use crate::segment::{SEGMENT_SIZE_MAX, Segment};
use crate::segment_list::SegmentList;

/// How much a step may merge for each row that it adds or removes, on top of one full segment: a row is copied once
/// per tier, and a death pays for at most one survivor. What is left over waits for the next steps.
const MERGED_PER_CHANGED_ROW: usize = 4;

/// Merges what waits, within the budget of a step that changed so many rows. `moved` hears of each merge: the
/// segments, with the places that they had, and the place of the one into which their live rows went, in this order.
pub(crate) fn compact(
    list: &mut SegmentList,
    schema: &SchemaRef,
    changed_rows: usize,
    mut moved: impl FnMut(&[(u32, Arc<Segment>)], u32),
) {
    let mut budget = SEGMENT_SIZE_MAX.saturating_add(changed_rows.saturating_mul(MERGED_PER_CHANGED_ROW));
    while budget > 0
        && let Some(places) = list.next_merge()
    {
        let sources: Vec<(u32, Arc<Segment>)> =
            places.into_iter().map(|place| (place, list.remove(place))).collect();
        let merged = Segment::new(live_rows_of(&sources, schema));
        budget = budget.saturating_sub(merged.size());
        let place = list.insert(Arc::new(merged));
        moved(&sources, place);
    }
}

fn live_rows_of(sources: &[(u32, Arc<Segment>)], schema: &SchemaRef) -> RecordBatch {
    let mut batches: Vec<RecordBatch> = sources.iter().map(|(_, segment)| segment.live_batch(None)).collect();
    match batches.len() {
        1 => batches.swap_remove(0),
        _ => concat_batches(schema, &batches).expect("merged segments fit one segment"),
    }
}
