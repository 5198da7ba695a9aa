use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use headwater_engine::{ClockMode, Condition, Counts, CreateWorkspaceError, Workspace, WorkspaceStatus};
use headwater_types::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::{BAD_JSON, BAD_NAME};
use crate::http::answer::{self, Answer};
use crate::http::body::read_text;
use crate::http::params::Params;
use crate::http::segments::Segments;

/// The workspaces of a server.
#[derive(Debug, Serialize, ToSchema)]
pub struct Workspaces {
    /// The workspaces, by name.
    pub workspaces: Vec<WorkspaceAnswer>,
}

/// A workspace to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    /// Its name: 1 to 255 bytes of UTF-8, not starting with `_`.
    pub name: String,
}

/// What can be set for a workspace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceOptions {
    /// Bytes that its rows, indexes and views may hold in memory. Above it the workspace takes deletions only. `null`: as
    /// much as the server's budget leaves.
    #[schema(required = false)]
    pub memory_bytes: Option<u64>,
}

/// A workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceAnswer {
    /// Its name.
    pub name: String,
    /// Its newest step.
    pub lsn: u64,
    /// `running`, `paused`, `read_only`, `parked` (nobody used it for a while; the next request opens it, and all else
    /// here is as it was known last), `opening` or `damaged`.
    pub condition: &'static str,
    /// Why it takes no writes, or cannot be opened, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often its program has been changed.
    pub program_version: u64,
    /// Its clock.
    pub clock: ClockAnswer,
    /// Counts of records by endpoint. In each, received = applied + rejected + duplicate + pending.
    pub endpoints: BTreeMap<String, CountsAnswer>,
    /// Bytes that wait for the resume.
    pub queued_bytes: u64,
    /// Idempotency keys remembered.
    pub idempotency_keys: u64,
    /// Bytes of log that a restart would read, about.
    pub log_bytes: u64,
    /// The LSN of the newest table snapshots.
    pub snapshot_lsn: u64,
    /// Bytes that its rows, their indexes and its views hold in memory, about; while it is parked: held.
    pub memory_bytes: u64,
    /// Bytes that they may hold: its own budget, or what the server's leaves to any workspace. Absent before it was
    /// opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
}

/// The clock of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockAnswer {
    /// What moves it: `system` time, a request (`manual`), or the newest `event`.
    pub mode: &'static str,
    /// The now of data. It never goes back.
    #[schema(example = "2026-11-22T10:00:00.000000Z")]
    pub now: String,
}

/// What was done with the records of one endpoint.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CountsAnswer {
    /// Records of requests that were taken, or had been taken before.
    pub received: u64,
    /// Records whose change was made.
    pub applied: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Records of requests that had been taken before.
    pub duplicate: u64,
    /// Records that wait for the resume.
    pub pending: u64,
}

impl From<&Counts> for CountsAnswer {
    fn from(counts: &Counts) -> CountsAnswer {
        let Counts { received, applied, rejected, duplicate, pending } = *counts;
        CountsAnswer { received, applied, rejected, duplicate, pending }
    }
}

impl From<WorkspaceStatus> for WorkspaceAnswer {
    fn from(status: WorkspaceStatus) -> WorkspaceAnswer {
        let clock = ClockAnswer::of(&status);
        let (condition, reason) = condition_words(status.condition);
        WorkspaceAnswer {
            name: status.name.to_string(),
            lsn: status.lsn.0,
            condition,
            reason,
            program_version: status.program_version.0,
            clock,
            endpoints: status.counts.iter().map(|(name, counts)| (name.clone(), counts.into())).collect(),
            queued_bytes: status.queued_bytes as u64,
            idempotency_keys: status.idempotency_keys as u64,
            log_bytes: status.log_bytes,
            snapshot_lsn: status.snapshot_lsn.0,
            memory_bytes: status.memory_bytes,
            memory_bytes_max: Some(status.memory_bytes_max).filter(|bytes| *bytes > 0),
        }
    }
}

impl ClockAnswer {
    /// The clock in a status.
    #[must_use]
    pub fn of(status: &WorkspaceStatus) -> ClockAnswer {
        let mode = match status.clock_mode {
            ClockMode::System => "system",
            ClockMode::Manual => "manual",
            ClockMode::Event => "event",
        };
        ClockAnswer { mode, now: status.workspace_clock.to_string() }
    }
}

/// A condition in one word, and its reason.
#[must_use]
pub fn condition_words(condition: Condition) -> (&'static str, Option<String>) {
    match condition {
        Condition::Running => ("running", None),
        Condition::Paused => ("paused", None),
        Condition::ReadOnly { reason } => ("read_only", Some(reason)),
        Condition::Parked => ("parked", None),
        Condition::Opening => ("opening", None),
        Condition::Damaged { reason } => ("damaged", Some(reason)),
    }
}

/// All workspaces.
#[utoipa::path(
    get,
    path = "/v1/workspaces",
    tag = "workspace",
    responses((status = 200, description = "The workspaces", body = Workspaces))
)]
pub async fn list(State(app): State<Arc<App>>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    answer::json(&Workspaces {
        workspaces: app.engine.statuses().into_iter().map(WorkspaceAnswer::from).collect(),
    })
}

/// Makes a workspace.
#[utoipa::path(
    post,
    path = "/v1/workspaces",
    tag = "workspace",
    request_body(content = NewWorkspace, description = "Its name"),
    responses(
        (status = 201, description = "Made", body = WorkspaceAnswer),
        (status = "4XX", description = "Not made", body = ErrorAnswer),
        (status = "5XX", description = "Not made", body = ErrorAnswer),
    )
)]
pub async fn create(State(app): State<Arc<App>>, request: Request) -> Answer {
    Params::of(request.uri())?.finish()?;
    let (head, body) = request.into_parts();
    let text = read_text(&app, &head.headers, body).await?;
    let new: NewWorkspace = serde_json::from_str(&text).map_err(|error| {
        ApiError::new(&BAD_JSON, format!("the body is not a workspace: {error}"))
            .hint("send {\"name\": \"…\"}")
    })?;
    let name = user_name(&new.name)?;
    let workspace = tokio::task::block_in_place(|| app.engine.create_workspace(&name))?;
    answer::json_with(StatusCode::CREATED, &WorkspaceAnswer::from(workspace.status()))
}

/// Makes a workspace unless it exists, and sets its options if the body has any.
#[utoipa::path(
    put,
    path = "/v1/workspaces/{workspace}",
    tag = "workspace",
    params(("workspace" = String, Path, description = "Its name")),
    request_body(content = WorkspaceOptions, description = "Its options; empty: they stay as they are"),
    responses(
        (status = 200, description = "It existed", body = WorkspaceAnswer),
        (status = 201, description = "Made", body = WorkspaceAnswer),
        (status = "4XX", description = "Not made", body = ErrorAnswer),
        (status = "5XX", description = "Not made, or made without its options", body = ErrorAnswer),
    )
)]
pub async fn ensure(
    State(app): State<Arc<App>>,
    Segments(name): Segments<String>,
    request: Request,
) -> Answer {
    Params::of(request.uri())?.finish()?;
    let (head, body) = request.into_parts();
    let text = read_text(&app, &head.headers, body).await?;
    let options = (!text.trim().is_empty()).then(|| parse_options(&text)).transpose()?;
    let created = !app.engine.has_workspace(&name) && create_or_get(&app, &name).await?.1;
    if let Some(WorkspaceOptions { memory_bytes }) = options {
        tokio::task::block_in_place(|| app.engine.set_memory_bytes_max(&name, memory_bytes))?;
    }
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    answer::json_with(status, &WorkspaceAnswer::from(app.status(&name)?))
}

fn parse_options(text: &str) -> Result<WorkspaceOptions, ApiError> {
    let options: WorkspaceOptions = serde_json::from_str(text).map_err(|error| {
        ApiError::new(&BAD_JSON, format!("the body is not a workspace's options: {error}"))
            .hint("send {\"memory_bytes\": 1073741824}, or null for as much as the server's budget leaves")
    })?;
    match options.memory_bytes {
        Some(bytes) if bytes == 0 || i64::try_from(bytes).is_err() => {
            Err(ApiError::new(&BAD_JSON, format!("memory_bytes cannot be {bytes}"))
                .hint("give a number of bytes above 0, or null for as much as the server's budget leaves"))
        }
        _ => Ok(options),
    }
}

/// How a workspace is: condition, clock, counts by endpoint.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}",
    tag = "workspace",
    params(("workspace" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "Its status", body = WorkspaceAnswer),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
    )
)]
pub async fn status(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    // What is known of a workspace that was not open since the start may be older than its log. Of one that cannot be
    // opened, the status says why.
    if !app.engine.was_used(&name)? {
        let _ = app.workspace(&name).await;
    }
    answer::json(&WorkspaceAnswer::from(app.status(&name)?))
}

/// Deletes a workspace with its program and all its rows.
#[utoipa::path(
    delete,
    path = "/v1/workspaces/{workspace}",
    tag = "workspace",
    params(("workspace" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "Deleted"),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
        (status = "5XX", description = "Not deleted", body = ErrorAnswer),
    )
)]
pub async fn delete(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    tokio::task::block_in_place(|| app.engine.delete_workspace(&name))?;
    let mut response = axum::response::Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The workspace of this name, and whether this call made it.
pub async fn create_or_get(app: &App, name: &str) -> Result<(Arc<Workspace>, bool), ApiError> {
    if app.engine.has_workspace(name) {
        return app.workspace(name).await.map(|workspace| (workspace, false));
    }
    let name = user_name(name)?;
    match tokio::task::block_in_place(|| app.engine.create_workspace(&name)) {
        Ok(workspace) => Ok((workspace, true)),
        Err(CreateWorkspaceError::Exists { .. }) => {
            app.workspace(name.as_str()).await.map(|workspace| (workspace, false))
        }
        Err(error) => Err(error.into()),
    }
}

fn user_name(text: &str) -> Result<Name, ApiError> {
    Name::new(text).map_err(|refused| ApiError::new(&BAD_NAME, refused.to_string()))
}
