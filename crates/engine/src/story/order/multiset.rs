use std::collections::HashMap;

use ahash::RandomState;
use arrow::record_batch::RecordBatch;
use headwater_relation::{Relation, row_bytes};
use headwater_types::{Delta, Operation, OperationKind, RecordErrorCode, WeightedRows};

use super::net_change::TableChange;

/// The net change of a table without primary key: rows are added, and rows equal to given ones are taken away.
pub(crate) struct MultisetChange<'a> {
    /// The table's rows; `None` if they are not kept, and then nothing is ever taken away.
    stored: Option<&'a Relation>,
    inserted: Vec<RecordBatch>,
    deleted: Vec<RecordBatch>,
    /// How often the step so far adds each row; only kept when the step deletes rows.
    net: Option<HashMap<Box<[u8]>, i64, RandomState>>,
    /// The change of `net` by the current request, to undo it.
    journal: Vec<(Box<[u8]>, i64)>,
    inserted_before: usize,
    deleted_before: usize,
}

impl<'a> MultisetChange<'a> {
    pub(crate) fn new(stored: Option<&'a Relation>, deletes_rows: bool) -> MultisetChange<'a> {
        MultisetChange {
            stored,
            inserted: Vec::new(),
            deleted: Vec::new(),
            net: deletes_rows.then(HashMap::default),
            journal: Vec::new(),
            inserted_before: 0,
            deleted_before: 0,
        }
    }

    pub(crate) fn begin_request(&mut self) {
        self.journal.clear();
        self.inserted_before = self.inserted.len();
        self.deleted_before = self.deleted.len();
    }

    pub(crate) fn undo_request(&mut self) {
        self.inserted.truncate(self.inserted_before);
        self.deleted.truncate(self.deleted_before);
        for (row, change) in std::mem::take(&mut self.journal) {
            self.count(row, -change);
        }
        self.journal.clear();
    }

    /// Adds an operation and returns the rows of it that cannot be, ascending, and why.
    pub(crate) fn add(&mut self, operation: &Operation) -> Vec<(usize, RecordErrorCode)> {
        match operation.kind {
            OperationKind::DeleteRow => self.delete(&operation.rows),
            OperationKind::Insert => {
                self.insert(&operation.rows);
                Vec::new()
            }
            OperationKind::Upsert | OperationKind::DeleteKey | OperationKind::Patch(_) => {
                unreachable!("decoding gives these to tables with a primary key only")
            }
        }
    }

    fn insert(&mut self, rows: &RecordBatch) {
        if self.net.is_some() {
            let bytes = row_bytes(rows);
            for row in 0..rows.num_rows() {
                self.count(bytes.row(row).as_ref().into(), 1);
            }
        }
        self.inserted.push(rows.clone());
    }

    fn delete(&mut self, rows: &RecordBatch) -> Vec<(usize, RecordErrorCode)> {
        let stored =
            self.stored.map_or_else(|| vec![0; rows.num_rows()], |relation| relation.count_equal(rows));
        let bytes = row_bytes(rows);
        let mut absent = Vec::new();
        let mut found = Vec::new();
        for (row, stored) in stored.into_iter().enumerate() {
            let key: Box<[u8]> = bytes.row(row).as_ref().into();
            let net = self.net.as_ref().and_then(|net| net.get(&key)).copied().unwrap_or(0);
            if stored.cast_signed() + net > 0 {
                self.count(key, -1);
                found.push(row as u64);
            } else {
                absent.push((row, RecordErrorCode::RowNotFound));
            }
        }
        if absent.is_empty() {
            self.deleted.push(rows.clone());
        } else if !found.is_empty() {
            let found = arrow::array::UInt64Array::from(found);
            let found = arrow::compute::take_record_batch(rows, &found).expect("these rows are there");
            self.deleted.push(found);
        }
        absent
    }

    fn count(&mut self, row: Box<[u8]>, change: i64) {
        let Some(net) = &mut self.net else { return };
        *net.entry(row.clone()).or_insert(0) += change;
        self.journal.push((row, change));
    }

    /// What all requests come to; `None` for nothing.
    pub(crate) fn finish(self) -> Option<TableChange> {
        let mut delta = Delta::default();
        if let Some(rows) = concatenated(self.inserted) {
            delta.parts.push(WeightedRows::inserted(rows));
        }
        if let Some(rows) = concatenated(self.deleted) {
            let weights = vec![-1; rows.num_rows()];
            delta.parts.push(WeightedRows::weighted(rows, weights));
        }
        (!delta.is_empty()).then_some(TableChange::Multiset(delta))
    }
}

/// One batch of several with the same columns; `None` for no rows.
pub(crate) fn concatenated(mut batches: Vec<RecordBatch>) -> Option<RecordBatch> {
    batches.retain(|batch| batch.num_rows() > 0);
    match batches.len() {
        0 => None,
        1 => batches.pop(),
        _ => {
            let schema = batches[0].schema();
            let rows = arrow::compute::concat_batches(&schema, &batches);
            Some(rows.expect("batches of one table have one schema"))
        }
    }
}
