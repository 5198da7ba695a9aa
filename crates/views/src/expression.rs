//! One scalar expression, evaluated over batches, that gives NULL for the rows it fails on.

/// One zero, one NaN.
pub(crate) mod canonical;
/// Arithmetic that fails instead of wrapping.
pub(crate) mod checked;
/// What is reported of failures.
pub(crate) mod errors;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{concat, take_record_batch};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use self::canonical::canonical_floats;
use self::checked::{checked, validate_precision};
use self::errors::{ErrorLog, Site, Sites, reason};

/// A scalar expression and the places where it stands.
///
/// Its value depends on its row alone: what a batch gives is what each of its rows gives by itself.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    physical: Arc<dyn PhysicalExpr>,
    data_type: DataType,
    sites: Sites,
}

/// Whether they compute the same; where they stand does not matter.
impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.physical.as_ref() == other.physical.as_ref() && self.data_type == other.data_type
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.physical.fmt(f)
    }
}

impl Expression {
    /// Plans an expression over rows of this schema.
    pub(crate) fn plan(expression: &Expr, schema: &DFSchema, site: Site) -> Result<Expression> {
        let physical = create_physical_expr(expression, schema, &ExecutionProps::new(), &Default::default())?;
        let physical = checked(physical, schema.as_arrow())?;
        let data_type = physical.data_type(schema.as_arrow())?;
        Ok(Expression { physical, data_type, sites: Sites::one(site) })
    }

    /// Reports its failures where `same`, which computes the same, would report them too.
    pub(crate) fn share(&mut self, same: &Expression) {
        self.sites.add(&same.sites);
    }

    /// The type of its values.
    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The index of the column that it is, if it is one and nothing else.
    pub(crate) fn column(&self) -> Option<usize> {
        self.physical.downcast_ref::<Column>().map(Column::index)
    }

    /// One value per row; NULL, and a note in `errors`, where it fails.
    pub(crate) fn evaluate(
        &self,
        batch: &RecordBatch,
        weights: Option<&[i64]>,
        errors: &ErrorLog,
    ) -> ArrayRef {
        if let Some(column) = self.column() {
            return batch.column(column).clone();
        }
        let mut failures = Vec::new();
        let values = self.evaluate_or_null(batch, 0, &mut failures);
        if !failures.is_empty() {
            self.report(batch, weights, failures, errors);
        }
        canonical_floats(values)
    }

    fn try_evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let values = self.physical.evaluate(batch)?.into_array(batch.num_rows())?;
        if let DataType::Decimal128(precision, _) = self.data_type {
            validate_precision(&values, precision)?;
        }
        if values.data_type() != &self.data_type {
            let (planned, found) = (&self.data_type, values.data_type());
            return Err(DataFusionError::Internal(format!("planned as {planned}, evaluated as {found}")));
        }
        Ok(values)
    }

    /// Halves a failing batch until the rows that fail stand alone.
    fn evaluate_or_null(
        &self,
        batch: &RecordBatch,
        offset: usize,
        failures: &mut Vec<(usize, Arc<str>)>,
    ) -> ArrayRef {
        let rows = batch.num_rows();
        if rows == 0 {
            return new_null_array(&self.data_type, 0);
        }
        match self.try_evaluate(batch) {
            Ok(values) => values,
            Err(error) if rows == 1 => {
                failures.push((offset, reason(&reason_text(&error))));
                new_null_array(&self.data_type, 1)
            }
            Err(_) => {
                let half = rows / 2;
                let left = self.evaluate_or_null(&batch.slice(0, half), offset, failures);
                let right = self.evaluate_or_null(&batch.slice(half, rows - half), offset + half, failures);
                concat(&[&left, &right]).expect("both halves have the expression's type")
            }
        }
    }

    fn report(
        &self,
        batch: &RecordBatch,
        weights: Option<&[i64]>,
        failures: Vec<(usize, Arc<str>)>,
        errors: &ErrorLog,
    ) {
        let hashes = row_hashes(batch, failures.iter().map(|(row, _)| *row));
        for ((row, reason), hash) in failures.into_iter().zip(hashes) {
            errors.note(&self.sites, &reason, hash, weights.map_or(1, |weights| weights[row]));
        }
    }
}

/// A hash of the content of each of these rows. Rows of types without row encoding all hash alike.
fn row_hashes(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Vec<u64> {
    let indexes: UInt32Array =
        rows.map(|row| u32::try_from(row).expect("a batch has at most 2^32 rows")).collect();
    let encoded = take_record_batch(batch, &indexes).and_then(|rows| {
        let fields = rows.columns().iter().map(|column| SortField::new(column.data_type().clone()));
        RowConverter::new(fields.collect())?.convert_columns(rows.columns())
    });
    match encoded {
        Ok(encoded) if encoded.num_rows() == indexes.len() => {
            encoded.iter().map(|row| hash(row.as_ref())).collect()
        }
        _ => vec![0; indexes.len()],
    }
}

/// A hash that is the same in every process.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn reason_text(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => error.to_string(),
        DataFusionError::Execution(text) => text.clone(),
        other => other.strip_backtrace(),
    }
}
