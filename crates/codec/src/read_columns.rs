//! Typed columns of any source to the columns of a table, matched by name.
//!
//! A value is taken if the table's column holds it exactly, otherwise its record is bad. Columns that the table does
//! not have, that it needs and are absent, or whose types have nothing in common, refuse the body as a whole: no
//! record of it could be good.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, filter};
use arrow::datatypes::{DataType, FieldRef, Schema};
use headwater_types::limits::{
    DECODED_BYTES_MAX, QUARANTINE_PAYLOAD_BYTES_MAX, RECORD_BYTES_MAX, RECORDS_PER_REQUEST_MAX,
};
use headwater_types::schema::schema_of;
use headwater_types::{ColumnType, Decoded, Operation, OperationKind, RecordError, RecordErrorCode};

use crate::body_error::BodyError;
use crate::json::RowWriter;
use crate::nearest::Hints;
use crate::problem::{Problem, excerpt};
use crate::rows::column_builder::ColumnBuilder;
use crate::rows::plan::{Absence, RowPlan};
use crate::rows::scalar::Scalar;

/// One column's values to those of a column type.
mod convert;
/// Which types have something in common.
mod fit;

/// Bytes of refused records that are written down as text in one request. A dictionary can make a record much longer
/// than its share of the body.
const PAYLOADS_BYTES_MAX: usize = 64 << 20;

/// Bytes that an array takes beside its values. Batches of one row would otherwise be free.
const ARRAY_BYTES: usize = 256;

/// Rows of one table and operation, collected batch by batch.
#[derive(Debug)]
pub(crate) struct ColumnRows<'t> {
    table: usize,
    plan: RowPlan<'t>,
    schema: Arc<Schema>,
    /// For each column of the source the table's column.
    targets: Vec<usize>,
    /// The table's columns that the operation holds, in its order.
    held: Vec<usize>,
    /// For each of `held` its values, batch by batch.
    parts: Vec<Vec<ArrayRef>>,
    record_indexes: Vec<u32>,
    errors: Vec<RecordError>,
    received: usize,
    decoded_bytes: usize,
    payload_bytes: usize,
}

/// Bad rows of a batch: of each the first thing that is wrong with it.
type Problems = BTreeMap<usize, Box<Problem>>;

impl<'t> ColumnRows<'t> {
    /// Matches the source's columns with the table's.
    pub(crate) fn new(table: usize, plan: RowPlan<'t>, fields: &[FieldRef]) -> Result<Self, BodyError> {
        let targets = targets(&plan, fields).map_err(|problem| BodyError::columns(*problem))?;
        let held = match plan.kind {
            OperationKind::Patch(_) => {
                let mut given = targets.clone();
                given.sort_unstable();
                given
            }
            OperationKind::DeleteKey => plan.definition.primary_key.clone(),
            _ => (0..plan.columns.len()).collect(),
        };
        for (index, column) in plan.columns.iter().enumerate().filter(|(index, _)| !targets.contains(index)) {
            match column.absence {
                Absence::NotNull => return Err(BodyError::columns(*column.not_null("absent"))),
                Absence::KeyMissing => return Err(BodyError::columns(*column.key_missing("absent"))),
                Absence::LeftOut => assert!(!held.contains(&index), "what is held is given or filled"),
                Absence::Default(_) | Absence::Null => {}
            }
        }
        Ok(ColumnRows {
            table,
            plan,
            schema: Arc::new(Schema::new(fields.to_vec())),
            targets,
            parts: vec![Vec::new(); held.len()],
            held,
            record_indexes: Vec::new(),
            errors: Vec::new(),
            received: 0,
            decoded_bytes: 0,
            payload_bytes: 0,
        })
    }

    /// Takes the rows of a batch, whose columns have the types that [`ColumnRows::new`] was told.
    pub(crate) fn add(&mut self, source: &[ArrayRef], rows: usize) -> Result<(), BodyError> {
        if self.received + rows > RECORDS_PER_REQUEST_MAX {
            return Err(BodyError::TooManyRecords);
        }
        if rows == 0 {
            return Ok(());
        }
        let mut problems = Problems::new();
        let mut columns = Vec::with_capacity(self.held.len());
        // In the source's order, as that is the order in which a record's problems are told.
        let mut converted: BTreeMap<usize, ArrayRef> = BTreeMap::new();
        for (position, values) in source.iter().enumerate() {
            let target = self.targets[position];
            if !self.held.contains(&target) {
                continue;
            }
            let array = self.convert(values, target, &mut problems)?;
            self.charge(&array)?;
            converted.insert(target, array);
        }
        for position in 0..self.held.len() {
            let target = self.held[position];
            columns.push(match converted.remove(&target) {
                Some(array) => array,
                None => self.fill(target, rows)?,
            });
        }
        check_lengths(&columns, rows, &mut problems);
        let first = u32::try_from(self.received).expect("a request's records are counted in 32 bits");
        self.received += rows;
        if problems.is_empty() {
            self.record_indexes.extend((0..rows as u32).map(|row| first + row));
        } else {
            let good = BooleanArray::from_iter((0..rows).map(|row| Some(!problems.contains_key(&row))));
            for column in &mut columns {
                *column = filter(column, &good).expect("the mask has a bit per row");
            }
            let good = (0..rows).filter(|row| !problems.contains_key(row));
            self.record_indexes.extend(good.map(|row| first + row as u32));
            self.refuse(source, rows, first, problems);
        }
        for (parts, column) in self.parts.iter_mut().zip(columns) {
            parts.push(column);
        }
        Ok(())
    }

    /// All rows as one operation.
    pub(crate) fn finish(self) -> Decoded {
        let mut operations = Vec::new();
        if !self.record_indexes.is_empty() {
            let definition = self.plan.definition;
            let schema =
                schema_of(&self.held.iter().map(|&i| definition.columns[i].clone()).collect::<Vec<_>>());
            let columns = self.parts.iter().map(|parts| joined(parts)).collect();
            let is_patch = matches!(self.plan.kind, OperationKind::Patch(_));
            operations.push(Operation {
                table: self.table,
                kind: self.plan.kind,
                columns: if is_patch { self.held } else { Vec::new() },
                rows: RecordBatch::try_new(schema, columns)
                    .expect("each column has its type and one value per record"),
                record_indexes: self.record_indexes,
            });
        }
        Decoded { operations, errors: self.errors, received: self.received as u64 }
    }

    /// The values as the table's column holds them. Rows whose value it does not hold are noted.
    fn convert(
        &self,
        values: &ArrayRef,
        target: usize,
        problems: &mut Problems,
    ) -> Result<ArrayRef, BodyError> {
        let plan = &self.plan.columns[target];
        let mut note = |row: usize, problem: Box<Problem>| {
            problems.entry(row).or_insert_with(|| problem.at(plan.name));
        };
        if let Err(refusal) = plan.check_null()
            && let Some(nulls) = values.logical_nulls().filter(|nulls| nulls.null_count() > 0)
        {
            (0..values.len()).filter(|&row| nulls.is_null(row)).for_each(|row| note(row, refusal.clone()));
        }
        convert::convert(values, plan.column_type, DECODED_BYTES_MAX - self.decoded_bytes, &mut note)
            .ok_or(BodyError::DecodedTooLarge)
    }

    /// The values of a column that the source does not have.
    fn fill(&mut self, target: usize, rows: usize) -> Result<ArrayRef, BodyError> {
        let plan = &self.plan.columns[target];
        let array = match &plan.absence {
            Absence::Default(value) => {
                if value.text_bytes().saturating_mul(rows) > DECODED_BYTES_MAX - self.decoded_bytes {
                    return Err(BodyError::DecodedTooLarge);
                }
                repeated(value, plan.column_type, rows)
            }
            _ => new_null_array(&plan.column_type.arrow(), rows),
        };
        self.charge(&array)?;
        Ok(array)
    }

    fn charge(&mut self, array: &ArrayRef) -> Result<(), BodyError> {
        self.decoded_bytes += ARRAY_BYTES + array.to_data().get_slice_memory_size().unwrap_or(0);
        if self.decoded_bytes > DECODED_BYTES_MAX { Err(BodyError::DecodedTooLarge) } else { Ok(()) }
    }

    fn refuse(&mut self, source: &[ArrayRef], rows: usize, first: u32, problems: Problems) {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), source.to_vec()).ok();
        let writer = batch.as_ref().filter(|batch| batch.num_rows() == rows).map(RowWriter::new);
        for (row, problem) in problems {
            let mut payload = Vec::new();
            if let Some(writer) = writer.as_ref().filter(|_| self.payload_bytes < PAYLOADS_BYTES_MAX) {
                writer.write_row(row, &mut payload);
                self.payload_bytes += payload.len();
            }
            let mut payload = String::from_utf8_lossy(&payload).into_owned();
            payload.truncate(payload.floor_char_boundary(QUARANTINE_PAYLOAD_BYTES_MAX));
            let Problem { code, column, message, hint } = *problem;
            self.errors.push(RecordError { index: first + row as u32, code, column, message, hint, payload });
        }
    }
}

/// The table's column for each of the source's.
fn targets(plan: &RowPlan<'_>, fields: &[FieldRef]) -> Result<Vec<usize>, Box<Problem>> {
    let hints = Hints::new();
    let mut targets = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field.name().as_str();
        let Some(target) = plan.columns.iter().position(|column| column.name == name) else {
            let known = plan.columns.iter().map(|column| column.name);
            let message =
                format!("table '{}' has no column '{}'", plan.definition.name, excerpt(name.as_bytes()));
            return Err(Problem::new(RecordErrorCode::UnknownField, message)
                .at(name)
                .hint_if(hints.did_you_mean(name, known)));
        };
        if targets.contains(&target) {
            let message = format!("the body has two columns named '{name}'");
            return Err(Problem::new(RecordErrorCode::DuplicateField, message).at(name));
        }
        let column = &plan.columns[target];
        if column.kept {
            fit::check(field.data_type(), column.column_type).map_err(|problem| problem.at(name))?;
        }
        targets.push(target);
    }
    Ok(targets)
}

fn repeated(value: &Scalar, column_type: ColumnType, rows: usize) -> ArrayRef {
    let mut builder = ColumnBuilder::new(column_type);
    (0..rows).for_each(|_| builder.push_scalar(value));
    builder.take_array()
}

/// Notes the rows whose texts and bytes are longer together than a record may be.
fn check_lengths(columns: &[ArrayRef], rows: usize, problems: &mut Problems) {
    let ends = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().offsets().clone()),
        DataType::Binary => Some(column.as_binary::<i32>().offsets().clone()),
        _ => None,
    };
    let ends: Vec<OffsetBuffer<i32>> = columns.iter().filter_map(ends).collect();
    let bytes_between = |from: usize, to: usize| -> usize {
        ends.iter().map(|ends| (ends[to] - ends[from]).unsigned_abs() as usize).sum()
    };
    if bytes_between(0, rows) <= RECORD_BYTES_MAX {
        return;
    }
    for row in 0..rows {
        let bytes = bytes_between(row, row + 1);
        if bytes > RECORD_BYTES_MAX {
            let message = format!("the record has {bytes} bytes, at most {RECORD_BYTES_MAX} are taken");
            problems.entry(row).or_insert_with(|| Problem::new(RecordErrorCode::Range, message));
        }
    }
}

fn joined(parts: &[ArrayRef]) -> ArrayRef {
    match parts {
        [whole] => Arc::clone(whole),
        parts => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).expect("parts have one type, and are bounded far below 2 GiB")
        }
    }
}
