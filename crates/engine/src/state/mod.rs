//! What a workspace knows between two steps. One thread owns it; readers see [`crate::Published`] instead.

/// Tables that the system fills: quarantine and error_view.
mod system_table;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use headwater_relation::Relation;
use headwater_types::limits::ERRORS_PER_STEP_MAX;
use headwater_types::schema::schema_of;
use headwater_types::{Delta, Lsn, Name, Scan};
use headwater_views::{Circuit, CircuitOptions, ExpressionError, StepError};

use crate::clock::Clocks;
use crate::counters::{Counters, CountsBuilder};
use crate::idempotency::Idempotency;
use crate::program::{ProgramTable, ProgramView, RelationId, RunningProgram};
use crate::record::{RequestRecord, Stamp};

pub(crate) use system_table::{SystemTable, error_view_schema, quarantine_schema};

/// Rows fed to a new circuit in one step: enough to be quick, few enough to bound what one step holds.
const FILL_ROWS: usize = 65_536;

/// The state of one workspace as of `lsn`.
pub(crate) struct State {
    /// The newest record that took effect.
    pub lsn: Lsn,
    /// Both clocks as of that record.
    pub clocks: Clocks,
    /// The program as of that record.
    pub program: Arc<RunningProgram>,
    /// The rows of each table of the program, in its order; `None` where rows are not kept.
    pub tables: Vec<Option<Relation>>,
    /// The rows of each materialised view of the program, in its order.
    pub views: Vec<Relation>,
    /// Refused records.
    pub quarantine: SystemTable,
    /// Expressions that had no value.
    pub error_view: SystemTable,
    /// The dataflow; `None` while the program has no materialised view.
    pub circuit: Option<Circuit>,
    /// Sums of counts.
    pub counters: Counters,
    /// Counts of duplicates answered since the newest record; the next record carries them.
    pub unlogged_counts: CountsBuilder,
    /// Requests that were taken before.
    pub idempotency: Idempotency,
    /// Whether pushes are refused or queued.
    pub paused: bool,
    /// Requests that wait for the resume.
    pub queued: Vec<RequestRecord>,
    /// Their bytes.
    pub queued_bytes: usize,
    /// The newest LSN that changed each relation since the start: a snapshot that is not older is still right.
    pub changed_at: HashMap<RelationId, Lsn>,
}

impl State {
    /// A workspace before its first record.
    pub(crate) fn new() -> State {
        State {
            lsn: Lsn::ZERO,
            clocks: Clocks::default(),
            program: Arc::new(RunningProgram::empty()),
            tables: Vec::new(),
            views: Vec::new(),
            quarantine: SystemTable::new(quarantine_schema(), headwater_types::limits::QUARANTINE_ROWS_MAX),
            error_view: SystemTable::new(error_view_schema(), headwater_types::limits::ERROR_VIEW_ROWS_MAX),
            circuit: None,
            counters: Counters::default(),
            unlogged_counts: CountsBuilder::default(),
            idempotency: Idempotency::default(),
            paused: false,
            queued: Vec::new(),
            queued_bytes: 0,
            changed_at: HashMap::new(),
        }
    }

    /// Adds requests to those that wait for the resume.
    pub(crate) fn queue(&mut self, requests: &[RequestRecord]) {
        self.queued_bytes += requests.iter().map(prost::Message::encoded_len).sum::<usize>();
        self.queued.extend_from_slice(requests);
    }

    /// The stamp of a record written now.
    pub(crate) fn stamp(&self, clocks: Clocks) -> Stamp {
        Stamp {
            ingest_time: clocks.ingest_time.0,
            workspace_clock: clocks.workspace.0,
            program_version: self.program.version.0,
            durable_lsn: self.lsn.0,
            published_lsn: self.lsn.0,
        }
    }

    /// Takes requests off the front of the queue.
    pub(crate) fn unqueue(&mut self, requests: usize) {
        let gone = self.queued.drain(..requests.min(self.queued.len()));
        self.queued_bytes -= gone.map(|request| prost::Message::encoded_len(&request)).sum::<usize>();
    }

    /// Every relation whose rows cannot be computed from others, with its number: what snapshots hold.
    pub(crate) fn stored(&self) -> Vec<(RelationId, &Relation)> {
        let tables = self.program.tables.iter().zip(&self.tables);
        let views = self.program.views.iter().zip(&self.views);
        let kept = tables.filter_map(|(table, rows)| rows.as_ref().map(|rows| (table.id, rows)));
        let unkept = views.filter(|(view, _)| view.from_unkept).map(|(view, rows)| (view.id, rows));
        let system = [
            (crate::program::QUARANTINE, self.quarantine.rows()),
            (crate::program::ERROR_VIEW, self.error_view.rows()),
        ];
        system.into_iter().chain(kept).chain(unkept).collect()
    }
}

/// An empty relation for a table; `None` if its rows are not kept.
pub(crate) fn table_relation(table: &ProgramTable) -> Option<Relation> {
    let definition = &table.definition;
    definition.materialized.then(|| Relation::new(definition.schema(), definition.primary_key.clone()))
}

/// An empty relation for a view.
pub(crate) fn view_relation(view: &ProgramView) -> Relation {
    Relation::new(schema_of(&view.definition.columns), Vec::new())
}

/// A circuit that has seen all rows of its tables.
pub(crate) struct Filled {
    /// The circuit; `None` for a program without materialised views.
    pub circuit: Option<Circuit>,
    /// Expressions that had no value on the way, as far as they are listed.
    pub errors: Vec<ExpressionError>,
}

/// Builds the circuit of a program and feeds it the rows of its tables. `each` sees every change of a view on the way;
/// errors are gathered of the views that are `listed`.
pub(crate) fn filled_circuit(
    program: &RunningProgram,
    tables: &[Option<&Relation>],
    listed: impl Fn(&Name) -> bool,
    mut each: impl FnMut(&Name, Delta) -> Result<(), FillError>,
) -> Result<Filled, FillError> {
    let mut errors = Vec::new();
    if program.views.is_empty() {
        return Ok(Filled { circuit: None, errors });
    }
    let mut circuit = Circuit::new(CircuitOptions::default());
    circuit
        .begin_change(&program.compiled, &HashSet::new())
        .map_err(|error| FillError::Build(error.to_string()))?;
    let sources = circuit.change_sources();
    let mut feed = |inputs: Vec<(Name, Delta)>| -> Result<(), FillError> {
        let output = circuit.feed_change(inputs)?;
        let room = ERRORS_PER_STEP_MAX.saturating_sub(errors.len());
        errors.extend(output.errors.into_iter().filter(|error| listed(&error.view)).take(room));
        output.deltas.into_iter().try_for_each(|(view, delta)| each(&view, delta))
    };
    // A view without GROUP BY keys has a row even over no rows at all.
    feed(Vec::new())?;
    for (table, rows) in program.tables.iter().zip(tables) {
        let Some(rows) = rows.filter(|_| sources.contains(&table.definition.name)) else { continue };
        let snapshot = rows.snapshot();
        for segment in 0..snapshot.num_segments() {
            let batch = snapshot.segment(segment, None);
            for start in (0..batch.num_rows()).step_by(FILL_ROWS) {
                let part = batch.slice(start, FILL_ROWS.min(batch.num_rows() - start));
                feed(vec![(table.definition.name.clone(), Delta::inserted(part))])?;
            }
        }
    }
    circuit.finish_change();
    Ok(Filled { circuit: Some(circuit), errors })
}

/// Why a circuit could not be filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    /// It could not be built.
    #[error("{0}")]
    Build(String),
    /// It failed on rows that are there.
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
