use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use headwater_types::{Delta, Lsn, Name, Scan, TimestampMicros, limits};
use parking_lot::Mutex;

use crate::canonical::{Canonical, Order};
use crate::size::delta_bytes;

/// The number of a relation; on disk there are only numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub u32);

/// How much of a relation's changes is kept. Whatever passes one of the bounds may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// In ingest time.
    pub micros: i64,
    /// Bytes in files.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { micros: limits::CHANGES_KEEP_MICROS, bytes: limits::CHANGES_KEEP_BYTES }
    }
}

/// A relation between its creation and its end, or the next change of its columns.
#[derive(Clone, Debug)]
pub struct StreamDefinition {
    /// The relation's number.
    pub relation: RelationId,
    /// Its name.
    pub name: Name,
    /// The LSN at which it began.
    pub incarnation: Lsn,
    /// Its columns.
    pub schema: SchemaRef,
}

/// What one step changed, as it lies in memory.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) lsn: Lsn,
    pub(crate) ingest_time: TimestampMicros,
    /// By relation number, each once.
    pub(crate) entries: Vec<Entry>,
    /// Memory, about.
    pub(crate) bytes: usize,
}

/// What one step changed in one relation.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) stream: Arc<StreamDefinition>,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Rows came and went.
    Delta(LazyDelta),
    /// The relation begins, with these rows. They are read from a file only, so their order need not be fixed.
    Reset { replaces: bool, rows: Option<Arc<dyn Scan>> },
    /// The relation was dropped.
    End,
}

impl What {
    /// Whether followers have to wait until it is in a file.
    pub(crate) fn is_read_from_file_only(&self) -> bool {
        matches!(self, What::Reset { rows: Some(rows), .. } if rows.num_rows() > 0)
    }
}

/// A delta that is brought into its order when somebody first reads it, off the thread that handed it over.
#[derive(Debug)]
pub(crate) struct LazyDelta {
    raw: Mutex<Option<(Delta, Order)>>,
    canonical: OnceLock<Canonical>,
    rows: usize,
}

impl LazyDelta {
    pub(crate) fn new(delta: Delta, order: Order) -> LazyDelta {
        let rows = delta.num_rows();
        LazyDelta { raw: Mutex::new(Some((delta, order))), canonical: OnceLock::new(), rows }
    }

    /// Rows as they were handed over.
    pub(crate) fn num_rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn canonical(&self, schema: &SchemaRef) -> &Canonical {
        self.canonical.get_or_init(|| {
            let (delta, order) = self.raw.lock().take().unwrap_or_default();
            Canonical::of(&delta, schema, order)
        })
    }
}

/// Memory of a commit and its entries beside their rows.
const COMMIT_BYTES: usize = 128;
const ENTRY_BYTES: usize = 256;
/// A row of a reset, whose rows are shared with the relation that has them.
const RESET_ROW_BYTES: usize = 16;

impl Commit {
    pub(crate) fn new(lsn: Lsn, ingest_time: TimestampMicros) -> Commit {
        Commit { lsn, ingest_time, entries: Vec::new(), bytes: COMMIT_BYTES }
    }

    pub(crate) fn add_delta(&mut self, stream: Arc<StreamDefinition>, delta: Delta, order: Order) {
        self.bytes += ENTRY_BYTES + delta_bytes(&delta);
        self.entries.push(Entry { stream, what: What::Delta(LazyDelta::new(delta, order)) });
    }

    pub(crate) fn add_reset(
        &mut self,
        stream: Arc<StreamDefinition>,
        replaces: bool,
        rows: Option<Arc<dyn Scan>>,
    ) {
        let num_rows = rows.as_ref().map_or(0, |rows| rows.num_rows());
        self.bytes += ENTRY_BYTES + num_rows * RESET_ROW_BYTES;
        self.entries.push(Entry { stream, what: What::Reset { replaces, rows } });
    }

    pub(crate) fn add_end(&mut self, stream: Arc<StreamDefinition>) {
        self.bytes += ENTRY_BYTES;
        self.entries.push(Entry { stream, what: What::End });
    }

    /// Brings the entries into the order of their lines.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.stream.relation);
    }
}

impl StreamDefinition {
    /// Whether both are one relation with the same columns.
    pub(crate) fn is_same(&self, other: &StreamDefinition) -> bool {
        self.relation == other.relation && self.incarnation == other.incarnation
    }
}
