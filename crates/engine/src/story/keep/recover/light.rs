use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use headwater_sql::CompileOptions;
use headwater_types::{Decoded, Lsn, Operation, RecordErrorCode};

use super::RecoverError;
use super::logged::{clocks_of, program_of};
use super::waiting::Waiting;
use crate::record::{ClockTickRecord, LogRecord, ProgramChangeRecord, RequestRecord};
use crate::state::{State, view_relation};
use crate::story::apply::Applied;
use crate::story::control::cut_changes;
use crate::story::keep::manifest::Manifest;
use crate::story::order::{NetChange, NetChanges, TableChange};
use crate::story::program_change::carry_tables;
use crate::story::reply::settle;

/// Lets records take effect on tables and on what a workspace knows beside its rows, but not on views.
///
/// The rows of many records are applied at once: what a table holds in the end does not depend on how its changes were
/// cut into steps.
pub(super) struct LightReplay<'a> {
    state: &'a mut State,
    options: &'a CompileOptions,
    /// Up to here the state is as it should be but for the rows of relations that lag.
    settled: Lsn,
    /// Relations whose rows are older, and as of which LSN they are.
    lagging: HashMap<u32, Lsn>,
    waiting: Waiting,
}

impl LightReplay<'_> {
    /// Goes on from the state that these snapshots hold.
    pub(super) fn new<'a>(
        state: &'a mut State,
        manifest: &Manifest,
        options: &'a CompileOptions,
    ) -> LightReplay<'a> {
        let entries = manifest.rows.iter().map(|entry| (entry.relation, Lsn(entry.lsn)));
        let lagging = entries.filter(|(_, lsn)| *lsn < manifest.state_lsn).collect();
        let waiting = Waiting::of(&state.program);
        LightReplay { state, options, settled: manifest.state_lsn, lagging, waiting }
    }

    /// Takes the record of this LSN; a void step only moves the LSN.
    pub(super) fn take(&mut self, lsn: Lsn, record: Option<LogRecord>) -> Result<(), RecoverError> {
        let is_settled = lsn <= self.settled;
        let Some(record) = record else {
            self.state.lsn = self.state.lsn.max(lsn);
            return Ok(());
        };
        match &record {
            LogRecord::ClockTick(tick) => self.cut(lsn, tick)?,
            LogRecord::ProgramChange(change) if !is_settled => self.change_program(lsn, change)?,
            other => self.wait(lsn, other.requests())?,
        }
        if !is_settled {
            let clocks = clocks_of(self.state, &record);
            settle(self.state, lsn, clocks, &record, Applied::default());
        }
        Ok(())
    }

    /// Applies what still waits.
    pub(super) fn finish(mut self) -> Result<(), RecoverError> {
        self.apply_waiting()
    }

    /// Whether the rows of a relation do not hold this LSN yet.
    fn concerns(&self, relation: u32, lsn: Lsn) -> bool {
        lsn > self.lagging.get(&relation).copied().unwrap_or(self.settled)
    }

    fn wait(&mut self, lsn: Lsn, requests: &[RequestRecord]) -> Result<(), RecoverError> {
        for operation in requests.iter().flat_map(|request| &request.operations) {
            if !self.concerns(operation.relation, lsn) {
                continue;
            }
            if !self.waiting.has_room_for(operation) {
                self.apply_waiting()?;
            }
            self.waiting.add(operation, lsn).map_err(|source| RecoverError::Record { lsn, source })?;
        }
        Ok(())
    }

    fn apply_waiting(&mut self) -> Result<(), RecoverError> {
        for table in self.waiting.take(&self.state.program) {
            let lsn = table.lsn;
            let mut operations = table.operations;
            while !operations.is_empty() {
                let changes = table_changes(self.state, &mut operations, lsn)?;
                publish(self.state, changes, lsn)?;
            }
        }
        Ok(())
    }

    /// Which rows are older than the cut depends on the rows that are there.
    fn cut(&mut self, lsn: Lsn, tick: &ClockTickRecord) -> Result<(), RecoverError> {
        let cuts: Vec<_> = tick.cuts.iter().filter(|cut| self.concerns(cut.relation, lsn)).cloned().collect();
        if cuts.is_empty() {
            return Ok(());
        }
        self.apply_waiting()?;
        let changes = cut_changes(&self.state.program, &self.state.tables, &cuts);
        publish(self.state, changes, lsn)
    }

    /// Tables that stay keep their rows, in their new columns; the views are left empty.
    fn change_program(&mut self, lsn: Lsn, change: &ProgramChangeRecord) -> Result<(), RecoverError> {
        self.apply_waiting()?;
        let program = program_of(self.state, lsn, change, self.options)?;
        carry_tables(self.state, &program, lsn)
            .map_err(|error| RecoverError::Program { lsn, reason: error.to_string() })?;
        self.state.views = program.views.iter().map(view_relation).collect();
        self.waiting = Waiting::of(&program);
        self.state.program = Arc::new(program);
        Ok(())
    }
}

/// The net change of the first of these operations, as many as fit one change; they are taken from the front.
fn table_changes(
    state: &State,
    operations: &mut VecDeque<Operation>,
    lsn: Lsn,
) -> Result<NetChanges, RecoverError> {
    let decoded = Decoded { operations: operations.iter().cloned().collect(), ..Decoded::default() };
    let mut net = NetChange::new(&state.program, &state.tables, std::iter::once(&decoded));
    let mut taken = 0;
    while let Some(operation) = operations.front_mut() {
        let refused = net.add(std::slice::from_mut(operation), false);
        match refused.first() {
            None => {}
            // Patches of one change are bounded in bytes; those of the next record may not fit any more.
            Some(error) if error.code == RecordErrorCode::TooLarge && taken > 0 => break,
            Some(error) => return Err(RecoverError::Step { lsn, reason: error.message.clone() }),
        }
        operations.pop_front();
        taken += 1;
    }
    Ok(net.finish())
}

fn publish(state: &mut State, changes: NetChanges, lsn: Lsn) -> Result<(), RecoverError> {
    for (table, change) in changes.tables {
        state.changed_at.insert(state.program.tables[table].id, lsn);
        let Some(rows) = &mut state.tables[table] else { continue };
        let prepared = match change {
            TableChange::Keyed { removed, inserted, .. } => rows.prepare_keyed(removed, inserted),
            TableChange::Multiset(delta) => rows
                .prepare_multiset(&delta)
                .map_err(|error| RecoverError::Step { lsn, reason: error.to_string() })?,
        };
        rows.publish(prepared);
    }
    Ok(())
}
