use arrow::record_batch::RecordBatch;
use headwater_relation::{Relation, RowId};
use headwater_types::{Decoded, Delta, Operation, OperationKind, RecordError, RecordErrorCode, WeightedRows};

use super::keyed::KeyedChange;
use super::multiset::MultisetChange;
use crate::program::RunningProgram;

/// What a step does to its tables, gathered request by request. A request that cannot be leaves no trace.
///
/// The same code runs when the log is read back, with the same state, and comes to the same changes.
pub(crate) struct NetChange<'a> {
    tables: Vec<TableNet<'a>>,
}

enum TableNet<'a> {
    Keyed(KeyedChange<'a>),
    Multiset(MultisetChange<'a>),
}

/// The net change of every table that a step touches.
#[derive(Default)]
pub(crate) struct NetChanges {
    /// Positions in the program's tables, ascending.
    pub tables: Vec<(usize, TableChange)>,
}

/// The net change of one table.
pub(crate) enum TableChange {
    /// Rows with a key: which go, and which come.
    Keyed {
        /// Stored rows that go.
        removed: Vec<RowId>,
        /// The same rows, each once less, for the views.
        removal: Delta,
        /// Rows that come; their keys are new, or among those removed.
        inserted: RecordBatch,
    },
    /// Rows without key; also those of tables that do not keep them.
    Multiset(Delta),
}

impl NetChanges {
    /// Rows that come and go.
    pub(crate) fn num_rows(&self) -> usize {
        let rows = |change: &TableChange| match change {
            TableChange::Keyed { removed, inserted, .. } => removed.len() + inserted.num_rows(),
            TableChange::Multiset(delta) => delta.num_rows(),
        };
        self.tables.iter().map(|(_, change)| rows(change)).sum()
    }
}

impl TableChange {
    /// The change as the views get it.
    pub(crate) fn delta(&self) -> Delta {
        match self {
            TableChange::Multiset(delta) => delta.clone(),
            TableChange::Keyed { removal, inserted, .. } => {
                let mut delta = removal.clone();
                if inserted.num_rows() > 0 {
                    delta.parts.push(WeightedRows::inserted(inserted.clone()));
                }
                delta
            }
        }
    }
}

impl<'a> NetChange<'a> {
    /// Nothing yet. `coming` are all requests that may be added: what they hold decides what must be kept track of.
    pub(crate) fn new<'d>(
        program: &'a RunningProgram,
        tables: &'a [Option<Relation>],
        coming: impl Iterator<Item = &'d Decoded>,
    ) -> NetChange<'a> {
        let mut deletes_rows = vec![false; program.tables.len()];
        for operation in coming.flat_map(|decoded| &decoded.operations) {
            deletes_rows[operation.table] |= operation.kind == OperationKind::DeleteRow;
        }
        let net = |(index, table): (usize, &'a crate::program::ProgramTable)| {
            let stored = tables[index].as_ref();
            match stored {
                Some(stored) if table.definition.has_primary_key() => {
                    TableNet::Keyed(KeyedChange::new(&table.definition, stored))
                }
                _ => TableNet::Multiset(MultisetChange::new(stored, deletes_rows[index])),
            }
        };
        NetChange { tables: program.tables.iter().enumerate().map(net).collect() }
    }

    /// Adds a request's operations and returns the records that cannot be.
    ///
    /// With `skip` those are taken out of `operations` and the rest is added; without, one of them voids the request.
    pub(crate) fn add(&mut self, operations: &mut [Operation], skip: bool) -> Vec<RecordError> {
        for table in &mut self.tables {
            match table {
                TableNet::Keyed(net) => net.begin_request(),
                TableNet::Multiset(net) => net.begin_request(),
            }
        }
        let mut errors = Vec::new();
        for operation in operations.iter_mut() {
            let refused = match &mut self.tables[operation.table] {
                TableNet::Keyed(net) => net.add(operation),
                TableNet::Multiset(net) => net.add(operation),
            };
            if !refused.is_empty() {
                errors.extend(refused.iter().map(|(row, code)| refusal(operation, *row, *code)));
                let rows: Vec<usize> = refused.into_iter().map(|(row, _)| row).collect();
                remove_rows(operation, &rows);
            }
        }
        if !errors.is_empty() && !skip {
            self.undo_request();
        }
        errors
    }

    fn undo_request(&mut self) {
        for table in &mut self.tables {
            match table {
                TableNet::Keyed(net) => net.undo_request(),
                TableNet::Multiset(net) => net.undo_request(),
            }
        }
    }

    /// What all requests come to.
    pub(crate) fn finish(self) -> NetChanges {
        let change = |(index, net): (usize, TableNet<'a>)| {
            let change = match net {
                TableNet::Keyed(net) => net.finish(),
                TableNet::Multiset(net) => net.finish(),
            };
            change.map(|change| (index, change))
        };
        NetChanges { tables: self.tables.into_iter().enumerate().filter_map(change).collect() }
    }
}

fn refusal(operation: &Operation, row: usize, code: RecordErrorCode) -> RecordError {
    let mut payload = Vec::new();
    headwater_codec::json::write_row(&operation.rows, row, &mut payload);
    payload.truncate(headwater_types::limits::QUARANTINE_PAYLOAD_BYTES_MAX);
    let (message, hint) = match operation.kind {
        _ if code == RecordErrorCode::TooLarge => (
            "the rows that the patches of this step make are too large together",
            "Send fewer patches in one request.",
        ),
        OperationKind::DeleteRow => (
            "no row equals this one",
            "A delete from a table without primary key gives the whole row, as it was inserted.",
        ),
        OperationKind::DeleteKey => ("no row has this key", "Leave out deletes of rows that are not there."),
        OperationKind::Insert | OperationKind::Upsert | OperationKind::Patch(_) => (
            "no row has this key",
            "Send if_absent=insert to insert the row, or if_absent=ignore to pass over it.",
        ),
    };
    RecordError {
        index: operation.record_indexes[row],
        code,
        column: None,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        payload: String::from_utf8_lossy(&payload).into_owned(),
    }
}

/// Takes rows (ascending) out of an operation.
fn remove_rows(operation: &mut Operation, rows: &[usize]) {
    let keep: arrow::array::BooleanArray =
        (0..operation.rows.num_rows()).map(|row| Some(rows.binary_search(&row).is_err())).collect();
    operation.rows =
        arrow::compute::filter_record_batch(&operation.rows, &keep).expect("the mask has one entry per row");
    let mut row = 0;
    operation.record_indexes.retain(|_| {
        row += 1;
        keep.value(row - 1)
    });
}
