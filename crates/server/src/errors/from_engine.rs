use headwater_codec::BodyError;
use headwater_engine::{
    ControlError, CreateWorkspaceError, DeleteWorkspaceError, FollowError, LookupError, PushError,
    QueryFailure, SetProgramError, UnknownWorkspace, WaitError, WorkspaceError,
};
use headwater_sql::QueryError;

use super::api_error::{ApiError, RefusedRecords};
use super::catalogue as c;

impl From<UnknownWorkspace> for ApiError {
    fn from(error: UnknownWorkspace) -> ApiError {
        let unknown = ApiError::new(&c::UNKNOWN_WORKSPACE, error.to_string());
        if error.known.is_empty() {
            return unknown;
        }
        unknown.hint(format!(
            "there are: {}; PUT /v1/workspaces/{{w}}/program makes a new one",
            listed(&error.known)
        ))
    }
}

impl From<WorkspaceError> for ApiError {
    fn from(error: WorkspaceError) -> ApiError {
        let message = error.to_string();
        match error {
            WorkspaceError::Unknown(unknown) => unknown.into(),
            WorkspaceError::Damaged { .. } => ApiError::new(&c::WORKSPACE_DAMAGED, message),
            WorkspaceError::NotOpened { .. } => ApiError::new(&c::WORKSPACE_NOT_OPENED, message),
            WorkspaceError::Opening { .. } => ApiError::new(&c::WORKSPACE_OPENING, message),
            WorkspaceError::Closing { .. } => ApiError::new(&c::CLOSING, message),
        }
    }
}

impl From<CreateWorkspaceError> for ApiError {
    fn from(error: CreateWorkspaceError) -> ApiError {
        let message = error.to_string();
        match error {
            CreateWorkspaceError::Name(_) => ApiError::new(&c::BAD_NAME, message),
            CreateWorkspaceError::Exists { .. } => ApiError::new(&c::WORKSPACE_EXISTS, message),
            CreateWorkspaceError::TooMany { .. } => ApiError::new(&c::TOO_MANY_WORKSPACES, message),
            CreateWorkspaceError::System(refused) => list_not_changed(message, &refused),
            CreateWorkspaceError::Open(error) => error.into(),
        }
    }
}

impl From<DeleteWorkspaceError> for ApiError {
    fn from(error: DeleteWorkspaceError) -> ApiError {
        let message = error.to_string();
        match error {
            DeleteWorkspaceError::Unknown(unknown) => unknown.into(),
            DeleteWorkspaceError::System(refused) => list_not_changed(message, &refused),
        }
    }
}

/// The list of workspaces is a table, so changing it fails as a push does; what a client can do is the same.
fn list_not_changed(message: String, error: &PushError) -> ApiError {
    let condition = match error {
        PushError::NoSpace => &c::NO_SPACE,
        PushError::ProgramChanging { .. } => &c::PROGRAM_CHANGING,
        PushError::OutcomeUnknown => &c::OUTCOME_UNKNOWN,
        PushError::QueueFull { .. } => &c::QUEUE_FULL,
        PushError::ReadOnly { .. } => &c::READ_ONLY,
        PushError::ShuttingDown { .. } => &c::CLOSING,
        PushError::UnknownTable { .. }
        | PushError::Body(_)
        | PushError::RecordsRefused { .. }
        | PushError::Paused { .. }
        | PushError::PausedQueueFull { .. }
        | PushError::OverBudget { .. }
        | PushError::ServerOverBudget { .. }
        | PushError::StepSkipped { .. }
        | PushError::IdempotencyMismatch { .. }
        | PushError::IdempotencyFull { .. }
        | PushError::IdempotencyKeyLength { .. } => &c::INTERNAL,
    };
    ApiError::new(condition, message)
}

impl From<PushError> for ApiError {
    fn from(error: PushError) -> ApiError {
        let message = error.to_string();
        match error {
            PushError::UnknownTable { known, .. } => unknown_table(message, &known),
            PushError::Body(error) => refused_body(&error),
            PushError::RecordsRefused { errors, total, received } => {
                let refused = RefusedRecords { received, rejected: total, errors };
                ApiError::new(&c::RECORDS_REFUSED, message).with_records(refused)
            }
            PushError::Paused { .. } => ApiError::new(&c::PAUSED, message),
            PushError::PausedQueueFull { .. } => ApiError::new(&c::PAUSED_QUEUE_FULL, message),
            PushError::QueueFull { .. } => ApiError::new(&c::QUEUE_FULL, message),
            PushError::ProgramChanging { .. } => ApiError::new(&c::PROGRAM_CHANGING, message),
            PushError::NoSpace => ApiError::new(&c::NO_SPACE, message),
            PushError::OverBudget { .. } => ApiError::new(&c::WORKSPACE_OVER_BUDGET, message),
            PushError::ServerOverBudget { .. } => ApiError::new(&c::SERVER_OVER_BUDGET, message),
            PushError::OutcomeUnknown => ApiError::new(&c::OUTCOME_UNKNOWN, message),
            PushError::StepSkipped { .. } => ApiError::new(&c::STEP_SKIPPED, message),
            PushError::IdempotencyMismatch { .. } => ApiError::new(&c::IDEMPOTENCY_MISMATCH, message),
            PushError::IdempotencyFull { .. } => ApiError::new(&c::IDEMPOTENCY_FULL, message),
            PushError::IdempotencyKeyLength { .. } => ApiError::new(&c::BAD_IDEMPOTENCY_KEY, message),
            PushError::ReadOnly { .. } => ApiError::new(&c::READ_ONLY, message),
            PushError::ShuttingDown { .. } => ApiError::new(&c::CLOSING, message),
        }
    }
}

fn refused_body(error: &BodyError) -> ApiError {
    let condition = match error {
        BodyError::Empty => &c::EMPTY_BODY,
        BodyError::TooLarge { .. } | BodyError::DecodedTooLarge => &c::BODY_TOO_LARGE,
        BodyError::TooManyRecords => &c::TOO_MANY_RECORDS,
        BodyError::NotUtf8 { .. } => &c::NOT_UTF8,
        BodyError::Columns { .. } => &c::BAD_COLUMNS,
        BodyError::Arrow { .. } => &c::BAD_ARROW,
        BodyError::Operation { .. } => &c::BAD_OPERATION,
    };
    ApiError::new(condition, error.to_string()).finer_code(error.code()).maybe_hint(error.hint())
}

impl From<SetProgramError> for ApiError {
    fn from(error: SetProgramError) -> ApiError {
        let message = error.to_string();
        match error {
            SetProgramError::Diagnostic(diagnostic) => {
                ApiError::from_diagnostic(&c::SQL_REFUSED, &diagnostic)
            }
            SetProgramError::UnknownModule { .. } => ApiError::new(&c::UNKNOWN_MODULE, message),
            SetProgramError::DropsData { .. } => ApiError::new(&c::DROPS_DATA, message),
            SetProgramError::Build { .. } => ApiError::new(&c::PROGRAM_NOT_COMPUTABLE, message),
            SetProgramError::RecordsQueued { .. } => ApiError::new(&c::RECORDS_QUEUED, message),
            SetProgramError::NoSpace => ApiError::new(&c::NO_SPACE, message),
            SetProgramError::OutcomeUnknown => ApiError::new(&c::OUTCOME_UNKNOWN, message),
            SetProgramError::ReadOnly { .. } => ApiError::new(&c::READ_ONLY, message),
            SetProgramError::Conflict(_) => ApiError::new(&c::OBJECT_IN_USE, message),
            SetProgramError::Changing { .. } => ApiError::new(&c::PROGRAM_CHANGING, message),
            SetProgramError::ShuttingDown { .. } => ApiError::new(&c::CLOSING, message),
        }
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> ApiError {
        let message = error.to_string();
        match error {
            ControlError::ClockGoesBack { .. } => {
                ApiError::new(&c::BAD_CLOCK, message).hint("give a later time")
            }
            ControlError::TimeNotTaken => {
                ApiError::new(&c::BAD_CLOCK, message).hint("leave 'now' out, or give mode 'manual'")
            }
            ControlError::NoSpace => ApiError::new(&c::NO_SPACE, message),
            ControlError::OutcomeUnknown => ApiError::new(&c::OUTCOME_UNKNOWN, message),
            ControlError::ReadOnly { .. } => ApiError::new(&c::READ_ONLY, message),
            ControlError::ShuttingDown { .. } => ApiError::new(&c::CLOSING, message),
        }
    }
}

impl From<WaitError> for ApiError {
    fn from(error: WaitError) -> ApiError {
        let message = error.to_string();
        match error {
            WaitError::Timeout { .. } => ApiError::new(&c::LSN_NOT_REACHED, message),
            WaitError::Closing => ApiError::new(&c::CLOSING, message),
            WaitError::Gone { oldest, .. } => ApiError::new(&c::VERSION_GONE, message)
                .hint(format!(
                    "leave at_lsn out to read the newest version, or ask for LSN {oldest} or later"
                ))
                .at(oldest),
        }
    }
}

impl From<LookupError> for ApiError {
    fn from(error: LookupError) -> ApiError {
        let message = error.to_string();
        match error {
            LookupError::UnknownTable { known, .. } => unknown_table(message, &known),
            LookupError::NoPrimaryKey { .. } => ApiError::new(&c::NO_PRIMARY_KEY, message),
            LookupError::BadKey(_) => ApiError::new(&c::BAD_KEY, message),
        }
    }
}

impl From<FollowError> for ApiError {
    fn from(error: FollowError) -> ApiError {
        let message = error.to_string();
        match error {
            FollowError::UnknownRelation { known, .. } if known.is_empty() => {
                let unknown = ApiError::new(&c::UNKNOWN_RELATION, message);
                unknown.hint("the workspace has no tables yet: PUT its /program with CREATE TABLE")
            }
            FollowError::UnknownRelation { known, .. } => {
                ApiError::new(&c::UNKNOWN_RELATION, message).hint(format!("there are: {}", listed(&known)))
            }
            FollowError::NotMaterialized { .. } => ApiError::new(&c::NOT_MATERIALIZED, message),
            FollowError::NotKept { .. } => ApiError::new(&c::CHANGES_NOT_KEPT, message),
            FollowError::BadCursor(_) => ApiError::new(&c::BAD_CURSOR, message),
            FollowError::CursorGone { .. } => ApiError::new(&c::CURSOR_GONE, message),
            FollowError::Closing { .. } => ApiError::new(&c::CLOSING, message),
        }
    }
}

impl From<QueryFailure> for ApiError {
    fn from(error: QueryFailure) -> ApiError {
        match error {
            QueryFailure::Query(error) => refused_query(&error),
            QueryFailure::Wait(error) => error.into(),
        }
    }
}

fn refused_query(error: &QueryError) -> ApiError {
    let message = error.to_string();
    match error {
        QueryError::Refused(diagnostic) => ApiError::from_diagnostic(&c::SQL_REFUSED, diagnostic),
        QueryError::Busy => ApiError::new(&c::QUERIES_FULL, message),
        QueryError::Timeout { .. } => ApiError::new(&c::QUERY_TIMEOUT, message),
        QueryError::Memory { .. } => ApiError::new(&c::QUERY_MEMORY, message),
        QueryError::TooManyRows { .. } => ApiError::new(&c::QUERY_TOO_MANY_ROWS, message),
        QueryError::TooManyBytes { .. } => ApiError::new(&c::QUERY_TOO_MANY_BYTES, message),
        QueryError::Failed(_) => ApiError::new(&c::QUERY_FAILED, message),
    }
}

fn unknown_table(message: String, known: &[String]) -> ApiError {
    let unknown = ApiError::new(&c::UNKNOWN_TABLE, message);
    if known.is_empty() {
        return unknown.hint("the workspace has no tables yet: PUT its /program with CREATE TABLE");
    }
    unknown.hint(format!("there are: {}", listed(known)))
}

/// Names for a hint: the first twenty, so that it stays a line.
fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 20;
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_MAX { format!("{shown} and {} more", names.len() - NAMES_MAX) } else { shown }
}

#[cfg(test)]
mod tests;
