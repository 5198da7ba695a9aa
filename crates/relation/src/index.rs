//! From keys or whole rows to places.
//!
//! Every row of an indexed relation has a *slot*, a number that it keeps while merges move it about; an upsert hands
//! the slot of the old row to the new one. The hash table maps a hash to a slot and is not touched by either. A hash
//! is confirmed by comparing the row's own columns, so no key is stored twice.
//!
//! Equal rows of a multiset form a chain: the table points to the newest, each points to the one below and knows how
//! many there are from itself down. Adding and removing work at the top, so all of it takes constant time, also for
//! a row that is held a million times.

mod chunked_vec;
mod hash_table;

use std::collections::BTreeMap;
use std::sync::Arc;

use chunked_vec::ChunkedVec;
use hash_table::{Entry, GrowingHashTable};

use crate::row_id::RowId;

/// A row's number in the index.
pub(crate) type Slot = u32;

/// Where a chain of equal rows goes on below a slot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    /// The next equal row; meaningless when there is none.
    below: Slot,
    /// How many equal rows there are below.
    rows_below: u32,
}

/// What the table points to for one hash: before and after a change.
#[derive(Debug)]
pub(crate) struct HeadChange {
    /// The hash of the key or row.
    pub(crate) hash: u32,
    /// The slot pointed to before, if any.
    pub(crate) old: Option<Slot>,
    /// The slot pointed to after, if any.
    pub(crate) new: Option<Slot>,
}

/// Changes of an index, made ready by [`SlotAllocator`] and the preparing modules.
#[derive(Debug, Default)]
pub(crate) struct IndexChange {
    /// What the hash table points to.
    pub(crate) heads: Vec<HeadChange>,
    /// Chains below new slots.
    pub(crate) links: Vec<(Slot, Link)>,
    /// Slots that no row has any more.
    pub(crate) freed: Vec<Slot>,
    /// For each place of the segment list that changed: the slots of its rows, or that it has none.
    pub(crate) row_slots: BTreeMap<u32, Option<Arc<[Slot]>>>,
    /// The first free slot once those that were handed out are gone from the list.
    first_free: Option<Slot>,
    /// How many slots are new.
    fresh: usize,
}

/// The index of one relation, as published.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    heads: GrowingHashTable,
    row_ids: ChunkedVec<RowId>,
    /// `None` for keyed relations: no two rows have the same key.
    links: Option<ChunkedVec<Link>>,
    /// The first of the slots that no row has. Each of them names the next as its row, the last one itself.
    first_free: Option<Slot>,
    /// For each place of the segment list, the slots of its rows. Those of dead rows are stale.
    row_slots: Vec<Option<Arc<[Slot]>>>,
}

impl Link {
    /// The link of a slot above `head`, which has this link itself.
    pub(crate) fn above(head: Slot, link: Link) -> Link {
        Link { below: head, rows_below: link.rows_below + 1 }
    }
}

impl Index {
    /// The index of an empty relation whose keys are unique.
    pub(crate) fn keyed() -> Index {
        Index {
            heads: GrowingHashTable::default(),
            row_ids: ChunkedVec::default(),
            links: None,
            first_free: None,
            row_slots: Vec::new(),
        }
    }

    /// The index of an empty relation that may hold equal rows.
    pub(crate) fn multiset() -> Index {
        Index { links: Some(ChunkedVec::default()), ..Index::keyed() }
    }

    /// The index of the same rows by another key of theirs, which is yet to be filled in.
    pub(crate) fn without_heads(&self) -> Index {
        Index {
            heads: GrowingHashTable::default(),
            row_ids: self.row_ids.clone(),
            links: self.links.clone(),
            first_free: self.first_free,
            row_slots: self.row_slots.clone(),
        }
    }

    /// Fills in the keys of the rows at a place that live: no two rows have the same. `hashes` has one for each row.
    pub(crate) fn add_heads(&mut self, place: u32, live_rows: Vec<u32>, hashes: &[u32]) {
        let slots = Arc::clone(self.row_slots(place).expect("each place with a segment has slots"));
        for row in live_rows {
            self.heads.insert(Entry { hash: hashes[row as usize], head: slots[row as usize] });
        }
    }

    /// The slot for this hash whose row is the one looked for.
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(RowId) -> bool) -> Option<Slot> {
        self.heads.find(hash, |head| is_it(self.row_id(head)))
    }

    /// For each hash a slot that has it, if there is one; whether it is the right one remains to be seen.
    pub(crate) fn candidates(&self, hashes: &[u32]) -> Vec<Option<Slot>> {
        hashes.iter().map(|&hash| self.heads.find(hash, |_| true)).collect()
    }

    /// The row of a slot.
    pub(crate) fn row_id(&self, slot: Slot) -> RowId {
        self.row_ids.get(slot)
    }

    /// The slot of a row that lives.
    pub(crate) fn slot(&self, row: RowId) -> Slot {
        let slots = self.row_slots(row.place()).expect("each place with a segment has slots");
        slots[row.row() as usize]
    }

    /// The slots of all rows of the segment at a place.
    pub(crate) fn row_slots(&self, place: u32) -> Option<&Arc<[Slot]>> {
        self.row_slots.get(place as usize)?.as_ref()
    }

    /// How many equal rows the chain has from this slot down.
    pub(crate) fn chain_rows(&self, slot: Slot) -> u32 {
        self.link(slot).rows_below + 1
    }

    /// The slots of a chain from this one down.
    pub(crate) fn chain(&self, head: Slot) -> impl Iterator<Item = Slot> {
        let below = |&slot: &Slot| {
            let link = self.link(slot);
            (link.rows_below > 0).then_some(link.below)
        };
        std::iter::successors(Some(head), below)
    }

    /// Adds the row with this id; it becomes the head of the chain of rows equal to it.
    pub(crate) fn add(&mut self, hash: u32, row: RowId, is_equal: impl Fn(RowId) -> bool) -> Slot {
        let slot = Slot::try_from(self.row_ids.len()).expect("the number of rows is bounded");
        self.grow(1);
        self.row_ids.set(slot, row);
        let old = self.find(hash, is_equal);
        if let Some(head) = old {
            self.set_link(slot, Link::above(head, self.link(head)));
        }
        self.change_head(&HeadChange { hash, old, new: Some(slot) });
        slot
    }

    /// Sets the slots of the rows at a place, whose ids are known already.
    pub(crate) fn set_row_slots(&mut self, place: u32, slots: Option<Arc<[Slot]>>) {
        if self.row_slots.len() <= place as usize {
            self.row_slots.resize(place as usize + 1, None);
        }
        self.row_slots[place as usize] = slots;
    }

    /// How the chain goes on below a slot.
    pub(crate) fn link(&self, slot: Slot) -> Link {
        self.links.as_ref().map_or_else(Link::default, |links| links.get(slot))
    }

    /// Makes a prepared change so.
    pub(crate) fn apply(&mut self, change: IndexChange) {
        self.grow(change.fresh);
        self.first_free = change.first_free;
        for slot in change.freed {
            self.row_ids.set(slot, RowId::new(0, self.first_free.unwrap_or(slot)));
            self.first_free = Some(slot);
        }
        for (slot, link) in change.links {
            self.set_link(slot, link);
        }
        for (place, slots) in change.row_slots {
            for (&slot, row) in slots.iter().flat_map(|slots| slots.iter()).zip(0..) {
                self.row_ids.set(slot, RowId::new(place, row));
            }
            self.set_row_slots(place, slots);
        }
        for head in &change.heads {
            self.change_head(head);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let row_slots: usize =
            self.row_slots.iter().flatten().map(|slots| slots.len() * size_of::<Slot>()).sum();
        self.heads.memory_bytes()
            + self.row_ids.memory_bytes()
            + self.links.as_ref().map_or(0, ChunkedVec::memory_bytes)
            + row_slots
    }

    fn grow(&mut self, slots: usize) {
        self.row_ids.grow(slots);
        if let Some(links) = &mut self.links {
            links.grow(slots);
        }
    }

    fn set_link(&mut self, slot: Slot, link: Link) {
        if let Some(links) = &mut self.links {
            links.set(slot, link);
        }
    }

    fn change_head(&mut self, change: &HeadChange) {
        let hash = change.hash;
        match (change.old, change.new) {
            (Some(old), Some(new)) => self.heads.replace(hash, old, new),
            (Some(old), None) => self.heads.remove(hash, old),
            (None, Some(new)) => self.heads.insert(Entry { hash, head: new }),
            (None, None) => {}
        }
    }
}

/// Hands out slots to new rows of a change, which owns them once it is applied.
#[derive(Debug)]
pub(crate) struct SlotAllocator<'a> {
    index: &'a Index,
    first_free: Option<Slot>,
    fresh: usize,
}

impl SlotAllocator<'_> {
    pub(crate) fn new(index: &Index) -> SlotAllocator<'_> {
        SlotAllocator { index, first_free: index.first_free, fresh: 0 }
    }

    /// A slot that no row has.
    pub(crate) fn allocate(&mut self) -> Slot {
        if let Some(slot) = self.first_free {
            let next = self.index.row_id(slot).row();
            self.first_free = (next != slot).then_some(next);
            return slot;
        }
        self.fresh += 1;
        Slot::try_from(self.index.row_ids.len() + self.fresh - 1).expect("the number of rows is bounded")
    }

    /// Writes what was handed out into the change.
    pub(crate) fn finish(self, change: &mut IndexChange) {
        (change.first_free, change.fresh) = (self.first_free, self.fresh);
    }
}
