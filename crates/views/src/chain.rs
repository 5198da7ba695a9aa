use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use headwater_types::{Delta, WeightedRows};

use crate::expression::Expression;
use crate::expression::errors::ErrorLog;

/// Projections and filters in a row, run batch by batch in one operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    stages: Vec<Stage>,
}

/// One step of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Keeps these columns, in this order.
    Select { columns: Vec<usize>, schema: SchemaRef },
    /// Keeps rows for which the expression is true.
    Filter(Expression),
    /// Computes new rows.
    Project { expressions: Vec<Expression>, schema: SchemaRef },
    /// Keeps rows that have no NULL in the first columns.
    DropNulls { columns: usize },
}

impl Chain {
    /// Appends a stage.
    pub(crate) fn push(&mut self, stage: Stage) {
        self.stages.push(stage);
    }

    /// Its stages, in order.
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The schema that the last projection gives its rows.
    ///
    /// # Panics
    /// If the chain has no projection.
    pub(crate) fn output(&self) -> SchemaRef {
        let schema = |stage: &Stage| match stage {
            Stage::Select { schema, .. } | Stage::Project { schema, .. } => Some(schema.clone()),
            Stage::Filter(_) | Stage::DropNulls { .. } => None,
        };
        self.stages
            .iter()
            .rev()
            .find_map(schema)
            .expect("the chain of a stateful operator ends in a projection")
    }

    /// Reports failures where `same`, which computes the same, would report them too.
    pub(crate) fn share(&mut self, same: &Chain) {
        self.stages.iter_mut().zip(&same.stages).for_each(|(mine, same)| mine.share(same));
    }

    /// Whether rows pass unchanged.
    pub(crate) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Runs the chain over all parts of a change.
    pub(crate) fn run(&self, delta: &Delta, errors: &ErrorLog) -> Delta {
        if self.stages.is_empty() {
            return delta.clone();
        }
        let parts = delta
            .parts
            .iter()
            .filter(|part| part.rows.num_rows() > 0)
            .map(|part| self.run_part(part, errors));
        Delta { parts: parts.filter(|part| part.rows.num_rows() > 0).collect() }
    }

    fn run_part(&self, part: &WeightedRows, errors: &ErrorLog) -> WeightedRows {
        let mut part = part.clone();
        for stage in &self.stages {
            if part.rows.num_rows() == 0 {
                break;
            }
            part = stage.run(part, errors);
        }
        part
    }
}

impl Stage {
    fn share(&mut self, same: &Stage) {
        match (self, same) {
            (Stage::Filter(mine), Stage::Filter(same)) => mine.share(same),
            (Stage::Project { expressions: mine, .. }, Stage::Project { expressions: same, .. }) => {
                mine.iter_mut().zip(same).for_each(|(mine, same)| mine.share(same));
            }
            _ => {}
        }
    }

    fn run(&self, part: WeightedRows, errors: &ErrorLog) -> WeightedRows {
        match self {
            Stage::Select { columns, schema } => {
                let arrays = columns.iter().map(|column| part.rows.column(*column).clone()).collect();
                let rows = batch(schema, arrays, part.rows.num_rows());
                WeightedRows { rows, weights: part.weights }
            }
            Stage::Filter(predicate) => {
                let kept = predicate.evaluate(&part.rows, part.weights.as_deref(), errors);
                retain(&part, kept.as_boolean())
            }
            Stage::Project { expressions, schema } => {
                let weights = part.weights.as_deref();
                let arrays = expressions.iter().map(|e| e.evaluate(&part.rows, weights, errors)).collect();
                let rows = batch(schema, arrays, part.rows.num_rows());
                WeightedRows { rows, weights: part.weights }
            }
            Stage::DropNulls { columns } => drop_nulls(part, *columns),
        }
    }
}

/// The rows, with their weights, for which `kept` is true.
fn retain(part: &WeightedRows, kept: &BooleanArray) -> WeightedRows {
    let rows = filter_record_batch(&part.rows, kept).expect("the filter has one value per row");
    let is_kept = |row: &usize| kept.is_valid(*row) && kept.value(*row);
    let weights = part.weights.as_ref().map(|weights| {
        let rows = (0..weights.len()).filter(is_kept);
        rows.map(|row| weights[row]).collect::<Arc<[i64]>>()
    });
    WeightedRows { rows, weights }
}

fn drop_nulls(part: WeightedRows, columns: usize) -> WeightedRows {
    let with_nulls = || part.rows.columns()[..columns].iter().filter(|column| column.null_count() > 0);
    if with_nulls().next().is_none() {
        return part;
    }
    let kept = (0..part.rows.num_rows()).map(|row| Some(with_nulls().all(|column| column.is_valid(row))));
    retain(&part, &kept.collect())
}

/// Columns as a batch, which may have rows though it has no columns.
pub(crate) fn batch(schema: &SchemaRef, columns: Vec<arrow::array::ArrayRef>, rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .expect("the plan was checked to give columns of these types")
}
