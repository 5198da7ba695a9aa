use headwater_sql::Program;
use headwater_types::{Delta, Name};

/// All materialised views of one program, kept up to date by the changes of its tables.
pub struct Circuit {}

/// What one step did to the views.
#[derive(Clone, Debug, Default)]
pub struct StepOutput {
    /// The net change of each view that changed, in the program's order; rows in a fixed order, no weight zero.
    pub deltas: Vec<(Name, Delta)>,
    /// What went wrong in single rows, at most `limits::ERRORS_PER_STEP_MAX`.
    pub errors: Vec<ExpressionError>,
    /// How often something went wrong in a row, listed or not.
    pub errors_total: u64,
}

/// An expression had no value for one row, so it was NULL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpressionError {
    /// The view whose definition holds the expression.
    pub view: Name,
    /// The column it computes; `WHERE`, `HAVING` or `ON` for a condition.
    pub column: String,
    /// Why, for people.
    pub reason: String,
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

/// Why a step has no result. The circuit's state is then unknown: drop it and build it anew.
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
        let _ = program;
        todo!()
    }

    /// Applies changes of tables and returns the changes of views.
    pub fn step(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        let _ = inputs;
        todo!()
    }
}
