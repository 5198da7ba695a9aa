use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use headwater_sql::{Program, ViewDefinition};
use headwater_types::{Delta, Name};

use crate::change::Change;
use crate::expression::errors::ExpressionError;
use crate::options::CircuitOptions;
use crate::part::PartPlan;
use crate::profile::CircuitProfile;
use crate::storage::book::Book;
use crate::worker::Worker;

/// All materialised views of a workspace's program, kept up to date by the changes of its tables.
///
/// It consists of *parts*, which run one after another on one thread. A change of the program builds parts beside
/// the running ones and takes away others; what it does not touch keeps its state.
#[derive(Debug)]
pub struct Circuit {
    pub(crate) options: CircuitOptions,
    /// `None` while there are no parts.
    pub(crate) worker: Option<Worker>,
    /// The files, once there was need for them.
    pub(crate) book: Option<Arc<Book>>,
    pub(crate) running: Running,
    pub(crate) change: Option<Change>,
}

/// What the running parts do for the program.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// The program's tables.
    pub(crate) tables: HashSet<Name>,
    /// The materialised views of the program, with their positions in it.
    pub(crate) views: HashMap<Name, usize>,
    /// In the order in which they run: a part comes after those whose views it reads.
    pub(crate) parts: Vec<PartPlan>,
    /// Whether some part was never run: it may have rows though nothing changes.
    pub(crate) is_unstarted: bool,
    /// Whether some parts are gone, as a step failed.
    pub(crate) is_broken: bool,
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

/// Why a step has no result. The parts it ran are gone: build them anew by a change to the same program, in which
/// all other parts are carried on.
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
    /// A circuit of the empty program. Nothing runs before the first change.
    #[must_use]
    pub fn new(options: CircuitOptions) -> Circuit {
        Circuit { options, worker: None, book: None, running: Running::default(), change: None }
    }

    /// Applies net changes of tables and returns the changes of views. What no materialised view reads is ignored.
    ///
    /// A table's rows may come in one step or in several; the views end up the same. After an error no step
    /// succeeds until a change has built what is gone; a change under way is dropped.
    ///
    /// # Panics
    /// If an input names no table of the program.
    pub fn step(&mut self, mut inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        for (name, _) in &inputs {
            assert!(self.running.tables.contains(name), "the program has no table {name}");
        }
        if self.running.is_broken {
            return Err(StepError::Panicked("an earlier step failed; build its parts anew".into()));
        }
        inputs.retain(|(name, delta)| self.running.reads(name) && !delta.is_empty());
        let Some(worker) = self.worker.as_mut().filter(|_| !inputs.is_empty() || self.running.is_unstarted)
        else {
            return Ok(StepOutput::default());
        };
        self.running.is_unstarted = false;
        match worker.step(inputs) {
            Ok(output) => Ok(output.in_order_of(&self.running.views)),
            Err(error) => {
                self.lose_parts();
                Err(self.blamed(error))
            }
        }
    }

    /// The folder's files; `None` without storage.
    pub(crate) fn book(&mut self) -> std::io::Result<Option<Arc<Book>>> {
        if let (None, Some(storage)) = (&self.book, &self.options.storage) {
            self.book = Some(Arc::new(Book::open(&storage.dir, &[])?));
        }
        Ok(self.book.clone())
    }

    /// dbsp panics when the disk refuses something; then the disk is to blame.
    pub(crate) fn blamed(&self, error: StepError) -> StepError {
        let failure = self.book.as_ref().and_then(|book| book.take_failure());
        failure.map_or(error, StepError::Storage)
    }

    /// What the operators of the running parts did since they were built, and what they hold.
    pub fn profile(&mut self) -> CircuitProfile {
        CircuitProfile { parts: self.worker.as_mut().map(Worker::profile).unwrap_or_default() }
    }

    /// Roughly how much memory the state of all parts takes. It lags a little behind the steps.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.worker.as_ref().map_or(0, Worker::memory_bytes)
    }

    /// After a step failed: what it ran is gone.
    pub(crate) fn lose_parts(&mut self) {
        self.abandon_change();
        if self.book.as_ref().is_some_and(|book| book.has_failed()) {
            // Whatever was merged in the background may be gone too.
            self.worker = None;
        }
        let left = self.worker.as_mut().map(Worker::running_parts).unwrap_or_default();
        self.running.parts.retain(|part| left.contains(&part.id));
        self.running.is_broken = true;
        if left.is_empty() {
            self.worker = None;
        }
    }
}

impl Running {
    fn reads(&self, relation: &Name) -> bool {
        self.parts.iter().any(|part| part.sources.contains(relation))
    }
}

impl StepOutput {
    pub(crate) fn in_order_of(mut self, views: &HashMap<Name, usize>) -> StepOutput {
        self.deltas.sort_by_key(|(view, _)| views.get(view).copied());
        self
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

/// The materialised views of a program, with their positions in it.
pub(crate) fn materialized_views(program: &Program) -> HashMap<Name, usize> {
    let views = program.views.iter().enumerate().filter(|(_, view)| view.materialized);
    views.map(|(position, view)| (view.name.clone(), position)).collect()
}
