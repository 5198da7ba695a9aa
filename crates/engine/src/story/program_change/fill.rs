use std::collections::{HashSet, VecDeque};

use arrow::record_batch::RecordBatch;
use headwater_relation::RelationSnapshot;
use headwater_types::{Delta, Name, Scan};
use headwater_views::{Circuit, StepError, StepOutput};

use crate::program::RunningProgram;
use crate::state::State;

/// Rows of one step of a fill that nobody waits for: enough to be quick, few enough to bound what one step holds.
pub(crate) const FILL_ROWS: usize = 65_536;

/// Why views could not be filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    /// The new parts of the circuit could not be built.
    #[error("{0}")]
    Build(String),
    /// They failed on rows that are there.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A view would hold a row less than zero times.
    #[error("view {view} does not follow from its tables: {reason}")]
    Inconsistent {
        /// The view.
        view: Name,
        /// What the relation said.
        reason: String,
    },
}

/// The rows that new parts of a circuit are fed, as they were when it began, in pieces of any size.
pub(crate) struct Fill {
    /// Views without GROUP BY have a row even over no rows at all: the first piece may be empty.
    is_started: bool,
    sources: VecDeque<Source>,
}

struct Source {
    name: Name,
    rows: RelationSnapshot,
    /// The segment to read next.
    segment: usize,
    /// What is left of the one before.
    rest: Option<RecordBatch>,
}

impl Fill {
    /// All rows of these relations.
    pub(super) fn of(sources: impl IntoIterator<Item = (Name, RelationSnapshot)>) -> Fill {
        let source = |(name, rows)| Source { name, rows, segment: 0, rest: None };
        Fill { is_started: false, sources: sources.into_iter().map(source).collect() }
    }

    /// The rows that the change a circuit has begun must be fed, as the state holds them.
    fn of_change(state: &State) -> Fill {
        let sources = state.circuit.change_sources().into_iter();
        Fill::of(sources.filter_map(|name| {
            let rows = state.rows(&name)?.snapshot();
            Some((name, rows))
        }))
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        let is_read = |source: &Source| source.rest.is_none() && source.segment == source.rows.num_segments();
        self.is_started && self.sources.iter().all(is_read)
    }

    /// About so many rows more; `None` when there are none left.
    pub(crate) fn next(&mut self, rows: usize) -> Option<Vec<(Name, RecordBatch)>> {
        let mut piece: Vec<(Name, RecordBatch)> = Vec::new();
        let mut taken = 0;
        while taken < rows
            && let Some(source) = self.sources.front_mut()
        {
            match source.next(rows - taken) {
                Some(batch) => {
                    taken += batch.num_rows();
                    piece.push((source.name.clone(), batch));
                }
                None => drop(self.sources.pop_front()),
            }
        }
        let is_first = !std::mem::replace(&mut self.is_started, true);
        (is_first || !piece.is_empty()).then_some(piece)
    }
}

impl Source {
    fn next(&mut self, rows: usize) -> Option<RecordBatch> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None if self.segment < self.rows.num_segments() => {
                self.segment += 1;
                self.rows.segment(self.segment - 1, None)
            }
            None => return None,
        };
        let now = rows.min(batch.num_rows());
        if now < batch.num_rows() {
            self.rest = Some(batch.slice(now, batch.num_rows() - now));
        }
        Some(batch.slice(0, now))
    }
}

/// Builds the parts of the circuit whose views are not `kept`, and those that a failed step took away, and feeds them
/// all that the state holds. `each` sees what comes of it.
pub(crate) fn build_parts(
    state: &mut State,
    kept: &HashSet<Name>,
    mut each: impl FnMut(&mut State, StepOutput) -> Result<(), FillError>,
) -> Result<(), FillError> {
    let program = std::sync::Arc::clone(&state.program);
    begin(&mut state.circuit, &program, kept)?;
    let mut fill = Fill::of_change(state);
    while let Some(piece) = fill.next(FILL_ROWS) {
        let inputs = piece.into_iter().map(|(name, rows)| (name, Delta::inserted(rows))).collect();
        let output = state.circuit.load_change(inputs)?;
        each(state, output)?;
    }
    loop {
        let (output, is_done) = state.circuit.compute_change()?;
        each(state, output)?;
        if is_done {
            break;
        }
    }
    state.circuit.finish_change();
    Ok(())
}

pub(super) fn begin(
    circuit: &mut Circuit,
    program: &RunningProgram,
    kept: &HashSet<Name>,
) -> Result<(), FillError> {
    circuit.begin_change(&program.compiled, kept).map_err(|error| FillError::Build(error.to_string()))
}
