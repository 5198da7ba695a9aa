use headwater_types::Name;
use headwater_views::ExpressionError;

use crate::clock::Clocks;
use crate::program::RunningProgram;
use crate::record::{ErrorRecord, LogRecord, ProgramChangeRecord};
use crate::state::State;

/// The record of a change to `program`, whose new views found these errors in rows that were there.
pub(crate) fn program_record(
    state: &State,
    program: &RunningProgram,
    errors: &[ExpressionError],
    clocks: Clocks,
) -> LogRecord {
    LogRecord::ProgramChange(ProgramChangeRecord {
        stamp: Some(state.stamp(clocks)),
        version: program.version.0,
        modules: program.module_records(),
        relations: program.relation_records(),
        errors: errors.iter().map(error_record).collect(),
    })
}

fn error_record(error: &ExpressionError) -> ErrorRecord {
    ErrorRecord { view: error.view.to_string(), column: error.column.clone(), reason: error.reason.clone() }
}

/// The errors that a logged change found. Replay lists these: where rows lie may differ, and with it which are found first.
pub(crate) fn logged_errors(change: &ProgramChangeRecord) -> Vec<ExpressionError> {
    let error = |record: &ErrorRecord| {
        let view = Name::system(&record.view).ok()?;
        Some(ExpressionError { view, column: record.column.clone(), reason: record.reason.clone() })
    };
    change.errors.iter().filter_map(error).collect()
}
