use ahash::AHashMap;
use arrow::array::RecordBatch;

use crate::draft::{Change, Draft};
use crate::index::{HeadChange, Index, IndexChange, Slot, SlotAllocator};
use crate::row_id::RowId;
use crate::shared::{Shared, State};

/// Removes rows and adds others, each key of which is new or among the removed.
///
/// # Panics
/// If a removed row is not alive, or an inserted key is held and not removed.
pub(crate) fn prepare_keyed(
    shared: &Shared,
    state: &State,
    mut removed: Vec<RowId>,
    inserted: &RecordBatch,
) -> Change {
    let index = state.index.as_ref().expect("a relation with a key has an index");
    removed.sort_unstable();
    removed.dedup();
    let mut change = IndexChange::default();
    // A removed row's slot, until an inserted row of the same key takes it over.
    let mut orphans: AHashMap<Slot, RowId> =
        removed.iter().map(|&id| (live_slot(state, index, id), id)).collect();
    let slots = slots_of_inserted(shared, state, inserted, &mut orphans, &mut change);
    forget(shared, state, orphans, &mut change);

    let mut draft = Draft::new(shared, state);
    draft.remove(removed);
    draft.insert(inserted, Some(&slots));
    draft.finish(Some(change))
}

fn live_slot(state: &State, index: &Index, id: RowId) -> Slot {
    let lives = state.segments.get(id.place()).is_some_and(|segment| segment.is_live(id.row() as usize));
    assert!(lives, "row ids are of the published state");
    index.slot(id)
}

fn slots_of_inserted(
    shared: &Shared,
    state: &State,
    inserted: &RecordBatch,
    orphans: &mut AHashMap<Slot, RowId>,
    change: &mut IndexChange,
) -> Vec<Slot> {
    let index = state.index.as_ref().expect("a relation with a key has an index");
    let mut allocator = SlotAllocator::new(index);
    let columns = shared.index_columns(inserted);
    let hashes = shared.hashes(&shared.encoder.encode(&columns));
    let held = shared.find_slots(state, &hashes, &columns);
    let mut slot_of = |(&hash, held): (&u32, Option<Slot>)| {
        if let Some(slot) = held {
            assert!(
                orphans.remove(&slot).is_some(),
                "an inserted key is new or among the removed, and occurs once"
            );
            return slot;
        }
        let slot = allocator.allocate();
        change.heads.push(HeadChange { hash, old: None, new: Some(slot) });
        slot
    };
    let slots = hashes.iter().zip(held).map(&mut slot_of).collect();
    allocator.finish(change);
    slots
}

/// Takes keys that are gone out of the index, in the order of their rows.
fn forget(shared: &Shared, state: &State, orphans: AHashMap<Slot, RowId>, change: &mut IndexChange) {
    let mut gone: Vec<(RowId, Slot)> = orphans.into_iter().map(|(slot, id)| (id, slot)).collect();
    gone.sort_unstable();
    let ids: Vec<RowId> = gone.iter().map(|&(id, _)| id).collect();
    let mut slots = gone.into_iter().map(|(_, slot)| slot);
    for batch in shared.take_index_columns(&state.segments, &ids) {
        for (row, slot) in shared.encoder.encode(batch.columns()).iter().zip(&mut slots) {
            let hash = shared.encoder.hash(row.data());
            change.heads.push(HeadChange { hash, old: Some(slot), new: None });
            change.freed.push(slot);
        }
    }
}
