//! What takes a defect, thousands of clients or much time to provoke over HTTP is translated here by itself.

use headwater_engine::ModuleConflict;
use headwater_types::Lsn;

use super::*;

fn check(error: impl Into<ApiError>, code: &str, status: u16) {
    let error = error.into();
    assert_eq!((error.code(), error.condition().status.as_u16()), (code, status));
}

fn workspace() -> String {
    "w".to_owned()
}

#[test]
fn overload_is_429_and_names_what_is_full() {
    check(PushError::QueueFull { workspace: workspace() }, "queue_full", 429);
    check(PushError::PausedQueueFull { queued_bytes: 1 }, "paused_queue_full", 429);
    check(PushError::IdempotencyFull { keys: 1 }, "idempotency_full", 429);
    check(QueryFailure::Query(QueryError::Busy), "queries_full", 429);
}

#[test]
fn a_change_under_way_keeps_others_out_for_a_moment() {
    check(PushError::ProgramChanging { workspace: workspace() }, "program_changing", 503);
    check(SetProgramError::Changing { workspace: workspace() }, "program_changing", 503);
}

#[test]
fn what_another_module_uses_is_a_conflict() {
    let in_use = ModuleConflict::InUse { name: "orders".to_owned(), dependents: vec!["view v".to_owned()] };
    check(SetProgramError::Conflict(in_use), "object_in_use", 409);
}

#[test]
fn a_query_beyond_its_bounds_is_not_retried_by_clients() {
    check(QueryFailure::Query(QueryError::Timeout { timeout_ms: 1 }), "query_timeout", 422);
    check(QueryFailure::Query(QueryError::Memory { bytes_max: 1 }), "query_memory", 422);
    check(QueryFailure::Query(QueryError::TooManyRows { rows_max: 1 }), "query_too_many_rows", 422);
    check(QueryFailure::Query(QueryError::TooManyBytes { bytes_max: 1 }), "query_too_many_bytes", 422);
}

#[test]
fn an_lsn_that_did_not_come_is_a_precondition_that_failed() {
    check(WaitError::Timeout { lsn: Lsn(9), newest: Lsn(1) }, "lsn_not_reached", 412);
    check(WaitError::Closing, "closing", 503);
}

#[test]
fn a_full_list_of_workspaces_and_a_failing_one_are_told_apart() {
    check(CreateWorkspaceError::TooMany { max: 1 }, "too_many_workspaces", 409);
    check(CreateWorkspaceError::System(PushError::NoSpace), "no_space", 507);
    check(DeleteWorkspaceError::System(PushError::OutcomeUnknown), "outcome_unknown", 500);
}

#[test]
fn views_that_cannot_be_computed_are_the_clients_to_change() {
    check(SetProgramError::Build { reason: "a window".to_owned() }, "program_not_computable", 400);
}

#[test]
fn a_long_list_of_names_stays_a_line() {
    let names = (0..30).map(|n| format!("t{n}")).collect::<Vec<_>>();
    assert!(listed(&names).ends_with("t19 and 10 more"));
}
