use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use headwater_sql::{Program, ViewDefinition};
use headwater_types::{Delta, Name};

use crate::component::components;
use crate::expression::errors::ExpressionError;
use crate::lower::lower;
use crate::worker::Worker;

/// All materialised views of one program, kept up to date by the changes of its tables.
#[derive(Debug)]
pub struct Circuit {
    tables: HashSet<Name>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The program has no materialised views.
    Idle,
    Running(Worker),
    /// A step failed; the dataflow is gone.
    Stopped,
}

/// What one step did to the views.
#[derive(Clone, Debug, Default)]
pub struct StepOutput {
    /// The net change of each view that changed, in the program's order. No weight is zero, and no row is both
    /// added and removed; a row that is only added may come in several parts. The order is the same for the same
    /// inputs.
    pub deltas: Vec<(Name, Delta)>,
    /// What went wrong in single rows, at most `limits::ERRORS_PER_STEP_MAX`, sorted.
    pub errors: Vec<ExpressionError>,
    /// How often something went wrong in a row, listed or not.
    pub errors_total: u64,
}

/// Why a program has no circuit.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A view's plan holds something that has no incremental operator.
    #[error("view {view}: {what} cannot be kept up to date incrementally")]
    Unsupported {
        /// The view.
        view: Name,
        /// The part of its plan.
        what: String,
    },
    /// DataFusion could not plan an expression.
    #[error("view {view}: {source}")]
    Expression {
        /// The view.
        view: Name,
        /// What it said.
        source: datafusion::error::DataFusionError,
    },
    /// The dataflow did not start.
    #[error("the dataflow did not start: {0}")]
    Runtime(String),
}

/// Why a step has no result. The circuit is stopped then: drop it and build it anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Something panicked.
    #[error("the dataflow panicked: {0}")]
    Panicked(String),
    /// The dataflow's storage failed.
    #[error("the dataflow's storage failed: {0}")]
    Storage(String),
}

impl Circuit {
    /// Builds the circuit of the program's materialised views, with no rows in any table.
    pub fn build(program: &Program) -> Result<Circuit, BuildError> {
        let dataflow = lower(program)?;
        let tables = program.tables.iter().map(|table| table.name.clone()).collect();
        if dataflow.views.is_empty() {
            return Ok(Circuit { tables, state: State::Idle });
        }
        let components = components(&dataflow);
        let worker = Worker::start(dataflow, components)?;
        Ok(Circuit { tables, state: State::Running(worker) })
    }

    /// Applies net changes of tables and returns the changes of views. What no materialised view reads is ignored.
    ///
    /// The first step also gives the rows that views have over empty tables, as `SELECT COUNT(*)` does. A table's
    /// rows may come in one step or in several; the views end up the same.
    ///
    /// # Panics
    /// If an input names no table of the program.
    pub fn step(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        for (name, _) in &inputs {
            assert!(self.tables.contains(name), "the program has no table {name}");
        }
        let output = match &mut self.state {
            State::Idle => return Ok(StepOutput::default()),
            State::Stopped => {
                return Err(StepError::Panicked("an earlier step failed; build the circuit anew".into()));
            }
            State::Running(worker) => worker.step(inputs),
        };
        if output.is_err() {
            self.state = State::Stopped;
        }
        output
    }
}

/// The schema of a view's rows as [`Circuit::step`] gives them. Every column may be NULL, as an expression that
/// fails gives NULL.
#[must_use]
pub fn view_schema(view: &ViewDefinition) -> SchemaRef {
    let field =
        |column: &headwater_types::Column| Field::new(column.name.as_str(), column.column_type.arrow(), true);
    Arc::new(Schema::new(view.columns.iter().map(field).collect::<Vec<_>>()))
}
