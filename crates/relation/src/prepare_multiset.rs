use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use headwater_types::Delta;

use crate::consolidate::{Net, NetRow};
use crate::draft::{Change, Draft};
use crate::error::ChangeError;
use crate::gather::{data_bytes, gather};
use crate::index::{HeadChange, Index, IndexChange, Link, Slot, SlotAllocator};
use crate::row_id::RowId;
use crate::segment::SEGMENT_SIZE_MAX;
use crate::shared::{Shared, State};

/// Rows that a relation holds at most: they are numbered by 32 bits, dead and new ones of a change among them.
pub(crate) const ROWS_MAX: u64 = 1 << 31;

/// Adds rows to a multiset without index.
pub(crate) fn prepare_insert(shared: &Shared, state: &State, delta: &Delta) -> Result<Change, ChangeError> {
    let all_once = delta.parts.iter().all(|part| part.weights.iter().flat_map(|w| w.iter()).all(|&w| w == 1));
    let added = delta.parts.iter().flat_map(|part| (0..part.rows.num_rows()).map(|row| part.weight(row)));
    check_rows(state, added)?;
    let mut draft = Draft::new(shared, state);
    if all_once {
        insert_joined(shared, delta, &mut draft);
    } else {
        let sources: Vec<&RecordBatch> = delta.parts.iter().map(|part| &part.rows).collect();
        let copies = delta.parts.iter().enumerate().flat_map(|(part, weighted)| {
            let copies = move |row| std::iter::repeat_n((part, row), copies_of(weighted.weight(row)));
            (0..weighted.rows.num_rows()).flat_map(copies)
        });
        insert_gathered(shared, &sources, &copies.collect::<Vec<_>>(), None, &mut draft);
    }
    Ok(draft.finish(None))
}

/// Adds and removes rows of a multiset, which has an index if the net removes any.
pub(crate) fn prepare_net(
    shared: &Shared,
    state: &State,
    delta: &Delta,
    net: &Net,
) -> Result<Change, ChangeError> {
    check_rows(state, net.rows.iter().map(|row| row.weight.max(0)))?;
    let index = state.index.as_ref().expect("a change that nets rows has an index to do it with");
    let columns: Vec<Vec<ArrayRef>> = delta.parts.iter().map(|part| part.rows.columns().to_vec()).collect();
    let mut chains = Chains {
        index,
        allocator: SlotAllocator::new(index),
        change: IndexChange::default(),
        added: vec![],
        removed: vec![],
    };
    let mut copies = Vec::new();
    for row in &net.rows {
        let hash = shared.encoder.hash(net.bytes(row));
        let head = shared.find(state, hash, &columns[row.part], row.row);
        if row.weight > 0 {
            copies.extend(std::iter::repeat_n((row.part, row.row), copies_of(row.weight)));
            chains.push(hash, head, copies_of(row.weight));
        } else {
            chains
                .pop(hash, head, row.weight.unsigned_abs())
                .map_err(|held| negative_weight(delta, row, held))?;
        }
    }
    let Chains { allocator, mut change, added, removed, .. } = chains;
    allocator.finish(&mut change);

    let mut draft = Draft::new(shared, state);
    draft.remove(removed);
    let sources: Vec<&RecordBatch> = delta.parts.iter().map(|part| &part.rows).collect();
    insert_gathered(shared, &sources, &copies, Some(&added), &mut draft);
    Ok(draft.finish(Some(change)))
}

/// The index of a multiset that has lived without one so far.
pub(crate) fn build_index(shared: &Shared, state: &State) -> Index {
    let mut index = Index::multiset();
    for (place, segment) in state.segments.iter() {
        let columns = segment.batch().columns();
        let bytes = shared.encoder.encode(columns);
        // Dead rows keep a number too, which nobody reads.
        let mut slots = vec![0; segment.batch().num_rows()];
        for row in segment.rows_in(None) {
            let number = row as usize;
            let hash = shared.encoder.hash(bytes.row(number).data());
            slots[number] = index.add(hash, RowId::new(place, row), |other| {
                shared.is_found_by(&state.segments, other, columns, number)
            });
        }
        index.set_row_slots(place, Some(slots.into()));
    }
    index
}

/// What happens to the chains of equal rows.
struct Chains<'a> {
    index: &'a Index,
    allocator: SlotAllocator<'a>,
    change: IndexChange,
    /// The slots of added rows, in order.
    added: Vec<Slot>,
    removed: Vec<RowId>,
}

impl Chains<'_> {
    /// Puts so many rows on top of a chain.
    fn push(&mut self, hash: u32, old: Option<Slot>, copies: usize) {
        let mut top = old.map(|head| (head, self.index.link(head)));
        for _ in 0..copies {
            let slot = self.allocator.allocate();
            let link = top.map_or_else(Link::default, |(below, link)| Link::above(below, link));
            self.change.links.push((slot, link));
            self.added.push(slot);
            top = Some((slot, link));
        }
        self.change.heads.push(HeadChange { hash, old, new: top.map(|(slot, _)| slot) });
    }

    /// Takes so many rows from the top of a chain, or says how many there are if it is too short.
    fn pop(&mut self, hash: u32, old: Option<Slot>, count: u64) -> Result<(), u64> {
        let held = old.map_or(0, |head| u64::from(self.index.chain_rows(head)));
        if held < count {
            return Err(held);
        }
        let mut chain = old.into_iter().flat_map(|head| self.index.chain(head));
        for slot in chain.by_ref().take(copies_of(count.cast_signed())) {
            self.removed.push(self.index.row_id(slot));
            self.change.freed.push(slot);
        }
        self.change.heads.push(HeadChange { hash, old, new: chain.next() });
        Ok(())
    }
}

fn check_rows(state: &State, mut added: impl Iterator<Item = i64>) -> Result<(), ChangeError> {
    let held = state.segments.num_rows() as u64;
    let rows = added.try_fold(held, |sum, weight| sum.checked_add(weight.unsigned_abs())).unwrap_or(u64::MAX);
    if rows > ROWS_MAX { Err(ChangeError::TooManyRows { max: ROWS_MAX, rows }) } else { Ok(()) }
}

fn copies_of(weight: i64) -> usize {
    usize::try_from(weight).expect("weights of added rows are positive and bounded")
}

fn negative_weight(delta: &Delta, row: &NetRow, held: u64) -> ChangeError {
    let batch = delta.parts[row.part].rows.slice(row.row, 1);
    ChangeError::NegativeWeight { row: batch, held, removed: row.weight.unsigned_abs() }
}

/// Inserts the parts of a delta that adds each row once; small ones together.
fn insert_joined(shared: &Shared, delta: &Delta, draft: &mut Draft<'_>) {
    let parts: Vec<&RecordBatch> = delta.parts.iter().map(|part| &part.rows).collect();
    let size: usize = parts.iter().map(|part| part.num_rows() + data_bytes(part) / 1024).sum();
    if parts.len() > 1 && size <= SEGMENT_SIZE_MAX {
        let joined =
            concat_batches(&shared.schema, parts).expect("parts of a delta have the relation's columns");
        draft.insert(&joined, None);
    } else {
        parts.into_iter().for_each(|part| draft.insert(part, None));
    }
}

/// Inserts rows of several batches, named one by one, a segment's worth at a time.
fn insert_gathered(
    shared: &Shared,
    sources: &[&RecordBatch],
    rows: &[(usize, usize)],
    slots: Option<&[Slot]>,
    draft: &mut Draft<'_>,
) {
    let mut start = 0;
    for rows in rows.chunks(SEGMENT_SIZE_MAX) {
        for batch in gather(&shared.schema, sources, rows) {
            let end = start + batch.num_rows();
            draft.insert(&batch, slots.map(|slots| &slots[start..end]));
            start = end;
        }
    }
}
