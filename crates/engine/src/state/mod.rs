//! What a workspace knows between two steps. One thread owns it; readers see [`crate::Published`] instead.

/// How much memory it takes.
mod memory;
/// Tables that the system fills: quarantine and error_view.
mod system_table;

use std::collections::HashMap;
use std::sync::Arc;

use headwater_changes::ChangeLog;
use headwater_relation::Relation;
use headwater_types::schema::schema_of;
use headwater_types::{Lsn, Name};
use headwater_views::{Circuit, CircuitOptions};

use crate::clock::Clocks;
use crate::counters::{Counters, CountsBuilder};
use crate::idempotency::Idempotency;
use crate::program::{ProgramTable, ProgramView, RelationId, RunningProgram};
use crate::record::{RequestRecord, Stamp};

pub(crate) use system_table::{SystemTable, error_view_schema, quarantine_schema};

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
    /// The dataflow of the materialised views.
    pub circuit: Circuit,
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
    /// Where followers read what changed; `None` while the state is read back from snapshots.
    pub changes: Option<Arc<ChangeLog>>,
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
            circuit: Circuit::new(CircuitOptions::default()),
            counters: Counters::default(),
            unlogged_counts: CountsBuilder::default(),
            idempotency: Idempotency::default(),
            paused: false,
            queued: Vec::new(),
            queued_bytes: 0,
            changes: None,
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

    /// The rows of a table or materialised view, if they are kept.
    pub(crate) fn rows(&self, name: &Name) -> Option<&Relation> {
        let table = self.program.tables.iter().position(|table| table.definition.name == *name);
        let view = || self.program.views.iter().position(|view| view.definition.name == *name);
        match table {
            Some(table) => self.tables[table].as_ref(),
            None => view().map(|view| &self.views[view]),
        }
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
