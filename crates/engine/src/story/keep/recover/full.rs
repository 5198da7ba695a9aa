use headwater_sql::CompileOptions;
use headwater_types::{Decoded, Lsn};

use super::RecoverError;
use super::logged::{clocks_of, program_of};
use crate::clock::Clocks;
use crate::record::{LogRecord, ProgramChangeRecord, RequestRecord};
use crate::state::State;
use crate::story::apply::{Applied, ApplyError, apply, error_rows};
use crate::story::control::{cut_changes, operations_of};
use crate::story::order::{NetChange, NetChanges};
use crate::story::program_change::{Transition, logged_errors};
use crate::story::reply::settle;

/// Takes records again as they were taken first: each is resolved against the state that the one before it left.
pub(super) struct FullReplay<'a> {
    state: &'a mut State,
    options: &'a CompileOptions,
    newest: Lsn,
    /// The newest step, if it panicked: nobody has seen it yet.
    pub(super) panicked: Option<(Lsn, LogRecord, String)>,
}

impl FullReplay<'_> {
    pub(super) fn new<'a>(state: &'a mut State, options: &'a CompileOptions, newest: Lsn) -> FullReplay<'a> {
        FullReplay { state, options, newest, panicked: None }
    }

    /// Takes the record of this LSN; a void step only moves the LSN.
    pub(super) fn take(&mut self, lsn: Lsn, record: Option<LogRecord>) -> Result<(), RecoverError> {
        let Some(record) = record else {
            self.state.lsn = lsn;
            return Ok(());
        };
        let clocks = clocks_of(self.state, &record);
        let changes = match &record {
            LogRecord::ProgramChange(change) => return self.change_program(lsn, change, clocks, &record),
            LogRecord::ClockTick(tick) => cut_changes(&self.state.program, &self.state.tables, &tick.cuts),
            other => net_changes(self.state, other.requests(), lsn)?,
        };
        match apply(self.state, changes, lsn, clocks.ingest_time) {
            Ok(applied) => settle(self.state, lsn, clocks, &record, applied),
            Err(ApplyError::Panicked(reason)) if lsn == self.newest => {
                self.panicked = Some((lsn, record, reason));
            }
            Err(error) => return Err(RecoverError::Step { lsn, reason: error.to_string() }),
        }
        Ok(())
    }

    fn change_program(
        &mut self,
        lsn: Lsn,
        change: &ProgramChangeRecord,
        clocks: Clocks,
        record: &LogRecord,
    ) -> Result<(), RecoverError> {
        let program = program_of(self.state, lsn, change, self.options)?;
        let filled = |error| RecoverError::fill(lsn, &error);
        let mut transition = Transition::begin(self.state, &program).map_err(filled)?;
        transition.run_to_end(self.state).map_err(filled)?;
        let error_view = error_rows(&logged_errors(change), 0, lsn, clocks.ingest_time);
        transition.settle(self.state, program, lsn);
        settle(self.state, lsn, clocks, record, Applied { error_view, ..Applied::default() });
        Ok(())
    }
}

/// What logged requests do to tables, by the code that ordered them.
fn net_changes(state: &State, requests: &[RequestRecord], lsn: Lsn) -> Result<NetChanges, RecoverError> {
    let mut decoded = Decoded::default();
    for request in requests {
        let operations =
            operations_of(request, &state.program).map_err(|source| RecoverError::Record { lsn, source })?;
        decoded.operations.extend(operations);
    }
    let mut net = NetChange::new(&state.program, &state.tables, std::iter::once(&decoded));
    let absent = net.add(&mut decoded.operations.clone(), false);
    match absent.first() {
        None => Ok(net.finish()),
        Some(error) => Err(RecoverError::Step { lsn, reason: error.message.clone() }),
    }
}
