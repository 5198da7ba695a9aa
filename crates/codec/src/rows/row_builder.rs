use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use headwater_types::limits::RECORDS_PER_REQUEST_MAX;
use headwater_types::schema::schema_of;
use headwater_types::{Operation, OperationKind, RecordErrorCode};

use super::column_builder::ColumnBuilder;
use super::plan::{Absence, ColumnPlan, RowPlan};
use crate::nearest::Hints;
use crate::problem::{Problem, excerpt};

/// Bytes that a batch takes beside its values, and each of its columns. Short runs would otherwise be free.
const BATCH_BYTES: usize = 256;
const COLUMN_BYTES: usize = 128;

/// Builds the rows of one table and operation, record by record, in runs that become operations.
///
/// A record is begun by its first field, and ended by [`RowBuilder::commit`] or [`RowBuilder::abandon`].
#[derive(Debug)]
pub(crate) struct RowBuilder<'t> {
    table: usize,
    plan: RowPlan<'t>,
    columns: Vec<ColumnBuilder>,
    record_indexes: Vec<u32>,
    /// For each column the serial of the record that gave it last.
    seen_in: Vec<u32>,
    /// The record being built; never zero.
    serial: u32,
    fields_seen: usize,
    /// For each place in a record the column that the last record had there: senders keep their order.
    order: Vec<u32>,
    /// For patches: the columns of the run being built, ascending.
    run_columns: Vec<usize>,
    row_bytes: usize,
    decoded_bytes: usize,
    hints: Hints,
}

impl<'t> RowBuilder<'t> {
    pub(crate) fn new(table: usize, plan: RowPlan<'t>, hints: Hints) -> RowBuilder<'t> {
        let columns: Vec<ColumnBuilder> =
            plan.columns.iter().map(|column| ColumnBuilder::new(column.column_type)).collect();
        let kept = plan.columns.iter().zip(&columns).filter(|(plan, _)| plan.kept);
        RowBuilder {
            table,
            row_bytes: kept.map(|(_, column)| column.row_bytes()).sum(),
            seen_in: vec![0; columns.len()],
            order: (0..columns.len() as u32).collect(),
            columns,
            plan,
            record_indexes: Vec::new(),
            serial: 1,
            fields_seen: 0,
            run_columns: Vec::new(),
            decoded_bytes: 0,
            hints,
        }
    }

    /// The name that the next field has if this record is like the last one.
    #[inline]
    pub(crate) fn expected(&self) -> Option<(usize, &'t str)> {
        let column = *self.order.get(self.fields_seen)? as usize;
        let plan = &self.plan.columns[column];
        plan.stands_for_itself.then_some((column, plan.name))
    }

    /// The column of a name, or the error that names the nearest one.
    pub(crate) fn find(&self, name: &str) -> Result<usize, Box<Problem>> {
        self.plan.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let known = self.plan.columns.iter().map(|column| column.name);
            let message =
                format!("table '{}' has no column '{}'", self.plan.definition.name, excerpt(name.as_bytes()));
            Problem::new(RecordErrorCode::UnknownField, message)
                .at(name)
                .hint_if(self.hints.did_you_mean(name, known))
        })
    }

    /// Notes that the record gives this column, and hands out where its value goes.
    #[inline]
    pub(crate) fn begin_field(
        &mut self,
        column: usize,
    ) -> Result<(&ColumnPlan<'t>, &mut ColumnBuilder), Box<Problem>> {
        if self.seen_in[column] == self.serial {
            return Err(duplicate_field(self.plan.columns[column].name));
        }
        self.seen_in[column] = self.serial;
        if let Some(expected) = self.order.get_mut(self.fields_seen) {
            *expected = column as u32;
        }
        self.fields_seen += 1;
        Ok((&self.plan.columns[column], &mut self.columns[column]))
    }

    /// Fills what the record left out and makes it part of the run; a run that it does not fit becomes an operation.
    pub(crate) fn commit(&mut self, index: u32, operations: &mut Vec<Operation>) -> Result<(), Box<Problem>> {
        if self.fields_seen < self.columns.len() {
            self.fill_absent()?;
        }
        if matches!(self.plan.kind, OperationKind::Patch(_)) {
            self.fit_patch_run(operations);
        }
        self.record_indexes.push(index);
        self.decoded_bytes += self.row_bytes;
        self.next_record();
        Ok(())
    }

    /// Forgets the record being built.
    pub(crate) fn abandon(&mut self) {
        let rows = self.record_indexes.len();
        let is_patch = matches!(self.plan.kind, OperationKind::Patch(_));
        for (index, column) in self.columns.iter_mut().enumerate() {
            let in_run = !is_patch || self.run_columns.contains(&index);
            column.truncate(if in_run { rows } else { 0 });
        }
        self.next_record();
    }

    /// Ends the run.
    pub(crate) fn flush(&mut self, operations: &mut Vec<Operation>) {
        if self.record_indexes.is_empty() {
            return;
        }
        let kept: Vec<usize> = match self.plan.kind {
            OperationKind::Patch(_) => std::mem::take(&mut self.run_columns),
            OperationKind::DeleteKey => self.plan.definition.primary_key.clone(),
            _ => Vec::new(),
        };
        let (schema, arrays): (_, Vec<ArrayRef>) = if kept.is_empty() {
            let arrays = self.columns.iter_mut().map(ColumnBuilder::take_array).collect();
            (self.plan.definition.schema(), arrays)
        } else {
            let columns: Vec<_> = kept.iter().map(|&i| self.plan.definition.columns[i].clone()).collect();
            let arrays = kept.iter().map(|&i| self.columns[i].take_array()).collect();
            (schema_of(&columns), arrays)
        };
        self.decoded_bytes += BATCH_BYTES + arrays.len() * COLUMN_BYTES;
        let rows =
            RecordBatch::try_new(schema, arrays).expect("each column has its type and one value per record");
        let is_patch = matches!(self.plan.kind, OperationKind::Patch(_));
        operations.push(Operation {
            table: self.table,
            kind: self.plan.kind,
            columns: if is_patch { kept } else { Vec::new() },
            rows,
            record_indexes: std::mem::take(&mut self.record_indexes),
        });
    }

    /// Bytes of memory that all records so far took, in this run and before.
    pub(crate) fn decoded_bytes(&self) -> usize {
        self.decoded_bytes
    }

    /// Makes room for so many more records like those so far, in at most so many bytes each for values and texts.
    pub(crate) fn reserve(&mut self, records: usize, bytes_max: usize) {
        let records = records.min(RECORDS_PER_REQUEST_MAX).min(bytes_max / self.row_bytes.max(1));
        for (plan, column) in self.plan.columns.iter().zip(&mut self.columns) {
            if plan.kept {
                column.reserve(records, bytes_max);
            }
        }
        self.record_indexes.reserve(records);
    }

    fn next_record(&mut self) {
        self.serial += 1;
        self.fields_seen = 0;
    }

    fn fill_absent(&mut self) -> Result<(), Box<Problem>> {
        let serial = self.serial;
        let absent = self.plan.columns.iter().zip(&mut self.columns).zip(&self.seen_in);
        for ((plan, column), _) in absent.filter(|(_, seen_in)| **seen_in != serial) {
            match &plan.absence {
                Absence::Default(value) => {
                    self.decoded_bytes += value.text_bytes();
                    column.push_scalar(value);
                }
                Absence::Null => column.push_null(),
                Absence::LeftOut => {}
                Absence::NotNull => return Err(plan.not_null("absent")),
                Absence::KeyMissing => return Err(plan.key_missing("absent")),
            }
        }
        Ok(())
    }

    /// If the record gives other columns than the run, ends the run before it and begins one with it.
    fn fit_patch_run(&mut self, operations: &mut Vec<Operation>) {
        let present = || (0..self.columns.len()).filter(|&column| self.seen_in[column] == self.serial);
        if present().eq(self.run_columns.iter().copied()) {
            return;
        }
        let present: Vec<usize> = present().collect();
        if !self.record_indexes.is_empty() {
            let last: Vec<(usize, ColumnBuilder)> =
                present.iter().map(|&column| (column, self.columns[column].split_last())).collect();
            self.flush(operations);
            for (column, builder) in last {
                self.columns[column] = builder;
            }
        }
        self.run_columns = present;
    }
}

fn duplicate_field(name: &str) -> Box<Problem> {
    Problem::new(RecordErrorCode::DuplicateField, format!("field '{name}' occurs twice")).at(name)
}
