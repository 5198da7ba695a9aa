use headwater_sql::CompileOptions;
use headwater_types::{Lsn, ProgramVersion, TimestampMicros};

use super::RecoverError;
use crate::clock::{ClockMode, Clocks};
use crate::program::RunningProgram;
use crate::record::{LogRecord, ProgramChangeRecord};
use crate::state::State;

/// The program that a record changes to.
pub(super) fn program_of(
    state: &State,
    lsn: Lsn,
    change: &ProgramChangeRecord,
    options: &CompileOptions,
) -> Result<RunningProgram, RecoverError> {
    let version = ProgramVersion(change.version);
    let mut program = RunningProgram::restore(version, &change.modules, &change.relations, options)
        .map_err(|error| RecoverError::restore(lsn, &error))?;
    program.next_relation = program.next_relation.max(state.program.next_relation);
    Ok(program)
}

/// The clocks as of a record.
pub(super) fn clocks_of(state: &State, record: &LogRecord) -> Clocks {
    let stamp = record.stamp();
    let mode = match record {
        LogRecord::ClockTick(tick) => ClockMode::from_code(tick.mode).unwrap_or(state.clocks.mode),
        _ => state.clocks.mode,
    };
    Clocks {
        mode,
        ingest_time: TimestampMicros(stamp.ingest_time),
        workspace: TimestampMicros(stamp.workspace_clock),
    }
}
