use std::collections::{HashMap, HashSet};

use ahash::RandomState;
use arrow::array::{Array, ArrayRef, UInt64Array, new_null_array};
use arrow::compute::{interleave, take, take_record_batch};
use arrow::record_batch::RecordBatch;
use headwater_relation::{Relation, RowId};
use headwater_types::limits::PATCHED_BYTES_MAX;
use headwater_types::{IfAbsent, Operation, OperationKind, RecordErrorCode, TableDefinition};

use super::net_change::TableChange;

/// Rows that patches make at once: even the largest rows there can be fit one batch.
const RUN_ROWS: usize = 256;

/// The net change of a table with primary key: which row each touched key ends up with.
pub(crate) struct KeyedChange<'a> {
    definition: &'a TableDefinition,
    stored: &'a Relation,
    /// Touched keys and their slots.
    by_key: HashMap<Box<[u8]>, usize, RandomState>,
    slots: Vec<Slot>,
    /// Whole rows that operations brought or patches made.
    batches: Vec<RecordBatch>,
    /// Slots that the current request changed, and what they held before.
    journal: Vec<(usize, Row)>,
    /// Bytes of the rows that patches made.
    patched_bytes: usize,
}

struct Slot {
    /// The row with this key before the step.
    stored: Option<RowId>,
    /// The row with this key as of the operation added last.
    now: Row,
}

#[derive(Clone, Copy, PartialEq)]
enum Row {
    Stored,
    Absent,
    New { batch: usize, row: usize },
}

impl<'a> KeyedChange<'a> {
    pub(crate) fn new(definition: &'a TableDefinition, stored: &'a Relation) -> KeyedChange<'a> {
        KeyedChange {
            definition,
            stored,
            by_key: HashMap::default(),
            slots: Vec::new(),
            batches: Vec::new(),
            journal: Vec::new(),
            patched_bytes: 0,
        }
    }

    pub(crate) fn begin_request(&mut self) {
        self.journal.clear();
    }

    pub(crate) fn undo_request(&mut self) {
        for (slot, before) in self.journal.drain(..).rev() {
            self.slots[slot].now = before;
        }
    }

    /// Adds an operation and returns the rows of it that cannot be, ascending, and why.
    pub(crate) fn add(&mut self, operation: &Operation) -> Vec<(usize, RecordErrorCode)> {
        match operation.kind {
            OperationKind::Insert | OperationKind::Upsert => {
                self.upsert(&operation.rows);
                Vec::new()
            }
            OperationKind::DeleteKey => self.delete(&operation.rows),
            OperationKind::Patch(if_absent) => self.patch(operation, if_absent),
            OperationKind::DeleteRow => {
                unreachable!("decoding gives this to tables without primary key only")
            }
        }
    }

    fn upsert(&mut self, rows: &RecordBatch) {
        let slots = self.slots_of(&self.definition.primary_key, rows);
        let batch = self.batches.len();
        self.batches.push(rows.clone());
        for (row, slot) in slots.into_iter().enumerate() {
            self.set(slot, Row::New { batch, row });
        }
    }

    fn delete(&mut self, keys: &RecordBatch) -> Vec<(usize, RecordErrorCode)> {
        let columns: Vec<usize> = (0..keys.num_columns()).collect();
        let slots = self.slots_of(&columns, keys);
        let mut absent = Vec::new();
        for (row, slot) in slots.into_iter().enumerate() {
            match self.slots[slot].now {
                Row::Absent => absent.push((row, RecordErrorCode::RowNotFound)),
                Row::Stored | Row::New { .. } => self.set(slot, Row::Absent),
            }
        }
        absent
    }

    /// Patches run by run: within a run no key occurs twice, so that each patch sees the row that the one before made.
    fn patch(&mut self, operation: &Operation, if_absent: IfAbsent) -> Vec<(usize, RecordErrorCode)> {
        let position = |key: &usize| operation.columns.iter().position(|column| column == key);
        let key_columns: Vec<usize> = self.definition.primary_key.iter().filter_map(position).collect();
        let slots = self.slots_of(&key_columns, &operation.rows);
        let mut refused = Vec::new();
        let mut start = 0;
        while start < slots.len() {
            let mut seen = HashSet::new();
            let run = slots[start..].iter().take(RUN_ROWS).take_while(|slot| seen.insert(**slot)).count();
            self.patch_run(operation, if_absent, start, &slots[start..start + run], &mut refused);
            start += run;
        }
        refused.sort_unstable_by_key(|(row, _)| *row);
        refused
    }

    fn patch_run(
        &mut self,
        operation: &Operation,
        if_absent: IfAbsent,
        start: usize,
        slots: &[usize],
        refused: &mut Vec<(usize, RecordErrorCode)>,
    ) {
        let mut patched: Vec<(usize, usize)> = Vec::with_capacity(slots.len());
        for (offset, slot) in slots.iter().enumerate() {
            let row = start + offset;
            match (self.slots[*slot].now, if_absent) {
                (Row::Absent, IfAbsent::Error) => refused.push((row, RecordErrorCode::RowNotFound)),
                (Row::Absent, IfAbsent::Ignore) => {}
                _ => patched.push((row, *slot)),
            }
        }
        if patched.is_empty() {
            return;
        }
        let merged =
            (self.patched_bytes < PATCHED_BYTES_MAX).then(|| self.merged(operation, &patched)).flatten();
        let Some(merged) = merged else {
            return refused.extend(patched.iter().map(|(row, _)| (*row, RecordErrorCode::TooLarge)));
        };
        self.patched_bytes += merged.get_array_memory_size();
        let batch = self.batches.len();
        self.batches.push(merged);
        for (row, (_, slot)) in patched.into_iter().enumerate() {
            self.set(slot, Row::New { batch, row });
        }
    }

    /// Whole rows: the patch's columns, and of the others what the row held before, or its default. `None` if a column
    /// gets larger than a batch can hold.
    fn merged(&self, operation: &Operation, patched: &[(usize, usize)]) -> Option<RecordBatch> {
        let rows: UInt64Array = patched.iter().map(|(row, _)| *row as u64).collect();
        let sources = self.base_rows(patched);
        let column = |index: usize| -> Option<ArrayRef> {
            match operation.columns.iter().position(|column| *column == index) {
                Some(position) => take(operation.rows.column(position), &rows, None).ok(),
                None => {
                    let arrays: Vec<&dyn Array> =
                        sources.batches.iter().map(|batch| batch[index].as_ref()).collect();
                    interleave(&arrays, &sources.rows).ok()
                }
            }
        };
        let columns = (0..self.definition.columns.len()).map(column).collect::<Option<_>>()?;
        let merged = RecordBatch::try_new(self.definition.schema(), columns);
        Some(merged.expect("decoding refuses a patch that would insert NULL into a NOT NULL column"))
    }

    /// The rows that patches start from.
    fn base_rows(&self, patched: &[(usize, usize)]) -> BaseRows {
        let stored: Vec<RowId> = patched
            .iter()
            .filter_map(|(_, slot)| match self.slots[*slot].now {
                Row::Stored => self.slots[*slot].stored,
                Row::Absent | Row::New { .. } => None,
            })
            .collect();
        let mut batches = vec![self.default_row()];
        let mut stored_places = Vec::with_capacity(stored.len());
        for part in self.stored.removal(&stored).parts {
            stored_places.extend((0..part.rows.num_rows()).map(|row| (batches.len(), row)));
            batches.push(part.rows.columns().to_vec());
        }
        let mut stored_places = stored_places.into_iter();
        let mut new_places: HashMap<usize, usize> = HashMap::new();
        let mut place = |(_, slot): &(usize, usize)| match self.slots[*slot].now {
            Row::Absent => (0, 0),
            Row::Stored => stored_places.next().expect("each stored row was taken, in order"),
            Row::New { batch, row } => {
                let at = *new_places.entry(batch).or_insert_with(|| {
                    batches.push(self.batches[batch].columns().to_vec());
                    batches.len() - 1
                });
                (at, row)
            }
        };
        let rows = patched.iter().map(&mut place).collect();
        BaseRows { batches, rows }
    }

    fn default_row(&self) -> Vec<ArrayRef> {
        let column = |column: &headwater_types::Column| {
            column.default.clone().unwrap_or_else(|| new_null_array(&column.column_type.arrow(), 1))
        };
        self.definition.columns.iter().map(column).collect()
    }

    /// The slot of each row's key; `columns` are the batch's key columns in key order.
    fn slots_of(&mut self, columns: &[usize], rows: &RecordBatch) -> Vec<usize> {
        let keys = rows.project(columns).expect("decoding gives every key column");
        let keys = self.stored.key_bytes(&keys);
        // All at once: looking up many keys together waits for memory once, not once per key.
        let stored = self.stored.find_all(&keys);
        keys.iter().zip(stored).map(|(key, stored)| self.slot(key, stored)).collect()
    }

    fn slot(&mut self, key: &[u8], stored: Option<RowId>) -> usize {
        if let Some(slot) = self.by_key.get(key) {
            return *slot;
        }
        let now = if stored.is_some() { Row::Stored } else { Row::Absent };
        let slot = self.slots.len();
        self.slots.push(Slot { stored, now });
        self.by_key.insert(key.into(), slot);
        slot
    }

    fn set(&mut self, slot: usize, row: Row) {
        let before = std::mem::replace(&mut self.slots[slot].now, row);
        self.journal.push((slot, before));
    }

    /// What all requests come to; `None` for nothing.
    pub(crate) fn finish(self) -> Option<TableChange> {
        let mut removed = Vec::new();
        let mut inserted = Vec::new();
        for slot in &self.slots {
            match (slot.stored, slot.now) {
                (_, Row::Stored) | (None, Row::Absent) => {}
                (Some(row), Row::Absent) => removed.push(row),
                (stored, Row::New { batch, row }) => {
                    removed.extend(stored);
                    inserted.push((batch, row));
                }
            }
        }
        if removed.is_empty() && inserted.is_empty() {
            return None;
        }
        let removal = self.stored.removal(&removed);
        let inserted = self.gather(&inserted);
        Some(TableChange::Keyed { removed, removal, inserted })
    }

    fn gather(&self, rows: &[(usize, usize)]) -> RecordBatch {
        let Some((first, _)) = rows.first() else {
            return RecordBatch::new_empty(self.definition.schema());
        };
        if rows.iter().all(|(batch, _)| batch == first) {
            return self.gather_one(*first, rows);
        }
        let column = |index: usize| -> ArrayRef {
            let arrays: Vec<&dyn Array> =
                self.batches.iter().map(|batch| batch.column(index).as_ref()).collect();
            interleave(&arrays, rows).expect("all rows named are there, of one type")
        };
        let columns = (0..self.definition.columns.len()).map(column).collect();
        RecordBatch::try_new(self.definition.schema(), columns).expect("rows of one table have its schema")
    }

    fn gather_one(&self, batch: usize, rows: &[(usize, usize)]) -> RecordBatch {
        let batch = &self.batches[batch];
        let in_order = rows.iter().enumerate().all(|(position, (_, row))| position == *row);
        if in_order && rows.len() == batch.num_rows() {
            return batch.clone();
        }
        let rows: UInt64Array = rows.iter().map(|(_, row)| *row as u64).collect();
        take_record_batch(batch, &rows).expect("all rows named are there")
    }
}

struct BaseRows {
    /// Columns of the default row, of the stored rows, then of the step's batches that are needed.
    batches: Vec<Vec<ArrayRef>>,
    /// For each patch: which of them, and which row there.
    rows: Vec<(usize, usize)>,
}
