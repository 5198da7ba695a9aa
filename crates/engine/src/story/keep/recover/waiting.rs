use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_types::{Lsn, Operation, OperationKind, TableDefinition};

use crate::program::RunningProgram;
use crate::record::{OperationRecord, RecordReadError, batch_schema};

/// Operations that wait together at most: enough that what a change costs by itself does not count.
const OPERATIONS_MAX: usize = 16_384;
/// Their bytes at most, so that a batch of all of them stays far from the largest there can be.
const BYTES_MAX: usize = 64 << 20;

/// Operations of records, table by table and in their order.
pub(super) struct Waiting {
    /// By position in the program; `None` for tables that do not keep their rows.
    tables: Vec<Option<Table>>,
    by_relation: HashMap<u32, usize>,
    operations: usize,
    bytes: usize,
}

struct Table {
    definition: Arc<TableDefinition>,
    /// Of whole rows and of keys: what a schema costs counts beside a single row.
    row_schema: SchemaRef,
    key_schema: Option<SchemaRef>,
    runs: Vec<Run>,
    lsn: Lsn,
}

/// Operations that do the same one after the other.
struct Run {
    kind: OperationKind,
    columns: Vec<usize>,
    batches: Vec<RecordBatch>,
}

/// What waited for one table.
pub(super) struct TableOperations {
    pub(super) operations: VecDeque<Operation>,
    /// The newest LSN among them.
    pub(super) lsn: Lsn,
}

impl Waiting {
    /// Nothing waits for the tables of this program.
    pub(super) fn of(program: &RunningProgram) -> Waiting {
        let tables = program.tables.iter().map(|table| &table.definition);
        let kept = tables.map(|definition| definition.materialized.then(|| Table::of(definition)));
        Waiting {
            tables: kept.collect(),
            by_relation: program
                .tables
                .iter()
                .enumerate()
                .map(|(position, table)| (table.id.0, position))
                .collect(),
            operations: 0,
            bytes: 0,
        }
    }

    /// Whether this one fits with those that wait.
    pub(super) fn has_room_for(&self, operation: &OperationRecord) -> bool {
        self.operations == 0
            || (self.operations < OPERATIONS_MAX && self.bytes + operation.batch.len() <= BYTES_MAX)
    }

    /// Adds an operation. One on a table that is gone, or that does not keep its rows, does nothing.
    pub(super) fn add(&mut self, record: &OperationRecord, lsn: Lsn) -> Result<(), RecordReadError> {
        let Some(&position) = self.by_relation.get(&record.relation) else { return Ok(()) };
        let Some(table) = &mut self.tables[position] else { return Ok(()) };
        let operation = record.to_operation_of(position, |kind, columns| table.schema(kind, columns))?;
        self.operations += 1;
        self.bytes += record.batch.len();
        table.lsn = lsn;
        // A patch sees the rows that the patches before it made, and some may not fit with them: it stays by itself.
        let is_patch = matches!(operation.kind, OperationKind::Patch(_));
        match table.runs.last_mut() {
            Some(run) if run.kind == operation.kind && !is_patch => run.batches.push(operation.rows),
            _ => table.runs.push(Run {
                kind: operation.kind,
                columns: operation.columns,
                batches: vec![operation.rows],
            }),
        }
        Ok(())
    }

    /// Takes all that waits.
    pub(super) fn take(&mut self, program: &RunningProgram) -> Vec<TableOperations> {
        let tables = std::mem::replace(self, Waiting::of(program)).tables;
        let filled = tables.into_iter().enumerate().filter_map(|(position, table)| Some((position, table?)));
        filled
            .filter(|(_, table)| !table.runs.is_empty())
            .map(|(position, table)| TableOperations {
                operations: table.runs.into_iter().map(|run| run.into_operation(position)).collect(),
                lsn: table.lsn,
            })
            .collect()
    }
}

impl Table {
    fn of(definition: &Arc<TableDefinition>) -> Table {
        Table {
            definition: Arc::clone(definition),
            row_schema: definition.schema(),
            key_schema: batch_schema(definition, OperationKind::DeleteKey, &[]),
            runs: Vec::new(),
            lsn: Lsn::ZERO,
        }
    }

    fn schema(&self, kind: OperationKind, columns: &[usize]) -> Option<SchemaRef> {
        match kind {
            OperationKind::Insert | OperationKind::Upsert | OperationKind::DeleteRow => {
                Some(Arc::clone(&self.row_schema))
            }
            OperationKind::DeleteKey => self.key_schema.clone(),
            OperationKind::Patch(_) => batch_schema(&self.definition, kind, columns),
        }
    }
}

impl Run {
    fn into_operation(mut self, table: usize) -> Operation {
        let rows = match self.batches.len() {
            1 => self.batches.swap_remove(0),
            _ => concat_batches(&self.batches[0].schema(), &self.batches)
                .expect("operations of one kind on one table have one schema"),
        };
        let record_indexes = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect();
        Operation { table, kind: self.kind, columns: self.columns, rows, record_indexes }
    }
}
