use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use headwater_relation::Relation;
use headwater_types::{Delta, Lsn, Scan};

/// A bounded table that the system fills. Its first column is `lsn`; rows of the oldest LSNs go first.
pub(crate) struct SystemTable {
    rows: Relation,
    rows_max: usize,
    /// Rows per LSN, oldest first.
    rows_by_lsn: VecDeque<(i64, usize)>,
}

/// Columns of `quarantine`.
pub(crate) fn quarantine_schema() -> SchemaRef {
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("lsn", DataType::Int64, false),
        Field::new("ingest_time", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        text("endpoint", false),
        Field::new("record_index", DataType::Int64, false),
        text("code", false),
        text("column_name", true),
        text("message", false),
        text("hint", true),
        text("payload", false),
    ]))
}

/// Columns of `error_view`.
pub(crate) fn error_view_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        Field::new("lsn", DataType::Int64, false),
        Field::new("ingest_time", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        text("view_name"),
        text("column_name"),
        text("reason"),
    ]))
}

impl SystemTable {
    /// An empty table that keeps at most this many rows.
    pub(crate) fn new(schema: SchemaRef, rows_max: usize) -> SystemTable {
        SystemTable { rows: Relation::new(schema, Vec::new()), rows_max, rows_by_lsn: VecDeque::new() }
    }

    /// Its rows.
    pub(crate) fn rows(&self) -> &Relation {
        &self.rows
    }

    /// Adds the rows of one LSN and drops the oldest beyond the bound. Returns what that changed.
    pub(crate) fn add(&mut self, added: RecordBatch, lsn: Lsn) -> Delta {
        let added = added.slice(0, added.num_rows().min(self.rows_max));
        let rows = added.num_rows();
        let total = self.rows.num_rows() + rows;
        // A tenth at once, so that a full table does not pay for finding its oldest rows at every step.
        let surplus = if total > self.rows_max { total - self.rows_max + self.rows_max / 10 } else { 0 };
        let mut delta = Delta::inserted(added);
        if let Some(last_dropped) = self.oldest_lsns(surplus) {
            let old = self.rows.rows_where(|batch| up_to(batch, last_dropped));
            delta.parts.extend(self.rows.removal(&old).parts);
            self.rows_by_lsn.retain(|(lsn, _)| *lsn > last_dropped);
        }
        let change = self.rows.prepare_multiset(&delta).expect("only rows that were just found are removed");
        self.rows.publish(change);
        self.rows_by_lsn.push_back((lsn.0.cast_signed(), rows));
        delta
    }

    /// The newest of the LSNs whose rows make up at least this many, oldest first.
    fn oldest_lsns(&self, rows: usize) -> Option<i64> {
        let mut covered = 0;
        let mut last = None;
        for (lsn, count) in &self.rows_by_lsn {
            if covered >= rows {
                break;
            }
            covered += count;
            last = Some(*lsn);
        }
        last
    }

    /// Takes in the rows of a snapshot.
    pub(crate) fn restore(&mut self, rows: Relation) {
        let snapshot = rows.snapshot();
        let mut lsns: Vec<i64> = Vec::with_capacity(snapshot.num_rows());
        for segment in 0..snapshot.num_segments() {
            let batch = snapshot.segment(segment, Some(&[0]));
            lsns.extend(lsn_column(&batch).values());
        }
        lsns.sort_unstable();
        self.rows_by_lsn = lsns.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
        self.rows = rows;
    }
}

fn lsn_column(batch: &RecordBatch) -> &Int64Array {
    batch.column(0).as_any().downcast_ref().expect("the first column of a system table is its LSN")
}

fn up_to(batch: &RecordBatch, lsn: i64) -> BooleanArray {
    lsn_column(batch).values().iter().map(|value| Some(*value <= lsn)).collect()
}
