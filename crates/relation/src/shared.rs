use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::Rows;
use parking_lot::RwLock;

use crate::gather::gather;
use crate::index::{Index, Slot};
use crate::row_encoder::RowEncoder;
use crate::row_equality::values_equal;
use crate::row_id::RowId;
use crate::segment_list::SegmentList;

/// What owner and readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) schema: SchemaRef,
    /// Whether rows have a key.
    pub(crate) keyed: bool,
    /// The key columns; without key, all columns.
    index_columns: Vec<usize>,
    pub(crate) encoder: Arc<RowEncoder>,
    /// Written only by `publish` and when a multiset gets its index; read-locked while a change is prepared.
    pub(crate) state: RwLock<State>,
}

/// The published rows and where to find them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) segments: Arc<SegmentList>,
    /// Always there with a key; without, from the first removal on.
    pub(crate) index: Option<Index>,
    /// Counts publications, so that a change cannot be published on another state than it was prepared on.
    pub(crate) version: u64,
}

impl Shared {
    pub(crate) fn new(schema: SchemaRef, key: Vec<usize>) -> Shared {
        let types = |columns: &[usize]| {
            RowEncoder::new(columns.iter().map(|&column| schema.field(column).data_type()))
        };
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let encoder = Arc::new(types(if key.is_empty() { &all } else { &key }));
        Shared::with_encoder(schema, key, encoder)
    }

    /// The same with an encoder for columns of these types that is there already: its hashes stay what they are.
    pub(crate) fn with_encoder(schema: SchemaRef, key: Vec<usize>, encoder: Arc<RowEncoder>) -> Shared {
        let keyed = !key.is_empty();
        let index_columns = if keyed { key } else { (0..schema.fields().len()).collect() };
        let index = keyed.then(Index::keyed);
        let state = RwLock::new(State { segments: Arc::default(), index, version: 0 });
        Shared { schema, keyed, index_columns, encoder, state }
    }

    /// The positions of the key columns, in key order; without key, of all columns.
    pub(crate) fn key_columns(&self) -> &[usize] {
        &self.index_columns
    }

    /// The columns of whole rows by which they are found.
    pub(crate) fn index_columns(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        self.index_columns.iter().map(|&column| rows.column(column).clone()).collect()
    }

    /// The numbers of the columns by which rows are found.
    pub(crate) fn index_column_numbers(&self) -> &[usize] {
        &self.index_columns
    }

    /// The slot of the row found by row `row` of these columns, whose encoding has this hash.
    pub(crate) fn find(&self, state: &State, hash: u32, columns: &[ArrayRef], row: usize) -> Option<Slot> {
        state.index.as_ref()?.find(hash, |id| self.is_found_by(&state.segments, id, columns, row))
    }

    /// The row with a key given as bytes.
    pub(crate) fn find_bytes(&self, state: &State, key: &[u8]) -> Option<RowId> {
        let index = state.index.as_ref()?;
        // Most keys without a row are told by their hash alone.
        let columns = OnceCell::new();
        let slot = index.find(self.encoder.hash(key), |id| {
            self.is_found_by(&state.segments, id, columns.get_or_init(|| self.encoder.decode(key)), 0)
        })?;
        Some(index.row_id(slot))
    }

    /// The slot found by each of these rows, given as columns and by the hashes of their encoding.
    ///
    /// Goes in rounds of the same small work for all rows, as each touches memory far away: so the processor waits for
    /// many at a time.
    pub(crate) fn find_slots(
        &self,
        state: &State,
        hashes: &[u32],
        columns: &[ArrayRef],
    ) -> Vec<Option<Slot>> {
        let Some(index) = &state.index else { return vec![None; hashes.len()] };
        let candidates = index.candidates(hashes);
        let ids: Vec<Option<RowId>> =
            candidates.iter().map(|slot| slot.map(|slot| index.row_id(slot))).collect();
        let confirm = |row: usize| {
            let id = ids[row]?;
            match self.is_found_by(&state.segments, id, columns, row) {
                true => candidates[row],
                // Another row has the same hash.
                false => self.find(state, hashes[row], columns, row),
            }
        };
        (0..hashes.len()).map(confirm).collect()
    }

    /// The row of each key, given as columns and encoded.
    pub(crate) fn find_all(&self, state: &State, columns: &[ArrayRef], rows: &Rows) -> Vec<Option<RowId>> {
        let Some(index) = &state.index else { return vec![None; rows.num_rows()] };
        let slots = self.find_slots(state, &self.hashes(rows), columns);
        slots.into_iter().map(|slot| slot.map(|slot| index.row_id(slot))).collect()
    }

    /// The hash of each row.
    pub(crate) fn hashes(&self, rows: &Rows) -> Vec<u32> {
        rows.iter().map(|row| self.encoder.hash(row.data())).collect()
    }

    /// Whether a stored row has these values in the columns by which it is found.
    pub(crate) fn is_found_by(
        &self,
        list: &SegmentList,
        id: RowId,
        columns: &[ArrayRef],
        row: usize,
    ) -> bool {
        let stored = list.get(id.place()).expect("the index leads to rows that live").batch();
        let stored_row = id.row() as usize;
        let mut pairs = self.index_columns.iter().zip(columns);
        pairs.all(|(&column, sought)| values_equal(stored.column(column), stored_row, sought, row))
    }

    /// Copies of rows, in order, in as few batches as can hold them, at least one.
    ///
    /// # Panics
    /// If one is not alive.
    pub(crate) fn take(&self, list: &SegmentList, rows: &[RowId]) -> Vec<RecordBatch> {
        let columns: Vec<usize> = (0..self.schema.fields().len()).collect();
        self.take_columns(list, rows, &columns)
    }

    /// The columns by which rows are found, of these rows.
    pub(crate) fn take_index_columns(&self, list: &SegmentList, rows: &[RowId]) -> Vec<RecordBatch> {
        self.take_columns(list, rows, &self.index_columns)
    }

    fn take_columns(&self, list: &SegmentList, rows: &[RowId], columns: &[usize]) -> Vec<RecordBatch> {
        let mut places: Vec<u32> = rows.iter().map(|id| id.place()).collect();
        places.sort_unstable();
        places.dedup();
        let segment = |&place: &u32| list.get(place).expect("row ids are of the published state");
        let segments: Vec<_> = places.iter().map(segment).collect();
        let project = |batch: &RecordBatch| batch.project(columns).expect("the columns are the relation's");
        let batches: Vec<RecordBatch> = segments.iter().map(|segment| project(segment.batch())).collect();
        let locate = |id: &RowId| {
            let source = places.binary_search(&id.place()).expect("the place of each row was collected");
            assert!(segments[source].is_live(id.row() as usize), "row ids are of the published state");
            (source, id.row() as usize)
        };
        let schema = Arc::new(self.schema.project(columns).expect("the columns are the relation's"));
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        gather(&schema, &batches, &rows.iter().map(locate).collect::<Vec<_>>())
    }
}
