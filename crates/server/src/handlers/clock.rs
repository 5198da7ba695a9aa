use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Uri;
use chrono::DateTime;
use headwater_engine::{ClockMode, WorkspaceStatus};
use headwater_types::TimestampMicros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::workspaces::ClockAnswer;
use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::{BAD_CLOCK, BAD_JSON};
use crate::http::answer::{self, Answer};
use crate::http::body::read_text;
use crate::http::params::Params;
use crate::http::segments::Segments;

/// What is to move the workspace clock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// `system` time, only requests like this one (`manual`), or the newest `event`.
    pub mode: Mode,
    /// Where a manual clock is set to. It never goes back.
    #[schema(example = "2026-11-22T10:00:00Z")]
    pub now: Option<String>,
}

/// What moves the workspace clock.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// System time.
    System,
    /// Requests that set it.
    Manual,
    /// The newest event time.
    Event,
}

/// The clock, and the LSN that it stands so at.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockAt {
    /// The LSN.
    pub lsn: u64,
    /// The clock.
    #[serde(flatten)]
    pub clock: ClockAnswer,
}

impl ClockAt {
    fn of(status: &WorkspaceStatus) -> ClockAt {
        ClockAt { lsn: status.lsn.0, clock: ClockAnswer::of(status) }
    }
}

/// The workspace clock: the now of data.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/clock",
    tag = "workspace",
    params(("workspace" = String, Path, description = "The workspace")),
    responses(
        (status = 200, description = "The clock", body = ClockAt),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
    )
)]
pub async fn get(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    answer::json(&ClockAt::of(&app.status(&name)?))
}

/// Sets what moves the workspace clock, and where a manual clock stands. The clock never goes back.
#[utoipa::path(
    put,
    path = "/v1/workspaces/{workspace}/clock",
    tag = "workspace",
    params(("workspace" = String, Path, description = "The workspace")),
    request_body(content = SetClock, description = "What moves it"),
    responses(
        (status = 200, description = "Set", body = ClockAt),
        (status = "4XX", description = "Nothing changed", body = ErrorAnswer),
        (status = "5XX", description = "Nothing changed, unless the code is `outcome_unknown`", body = ErrorAnswer),
    )
)]
pub async fn put(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let workspace = app.workspace(&name).await?;
    Params::of(request.uri())?.finish()?;
    let (head, body) = request.into_parts();
    let wanted = parse(&read_text(&app, &head.headers, body).await?)?;
    let at = wanted.now.as_deref().map(parse_time).transpose()?;
    let mode = match wanted.mode {
        Mode::System => ClockMode::System,
        Mode::Manual => ClockMode::Manual,
        Mode::Event => ClockMode::Event,
    };
    answer::json(&ClockAt::of(&workspace.set_clock(mode, at).await?))
}

fn parse(body: &str) -> Result<SetClock, ApiError> {
    serde_json::from_str(body).map_err(|error| {
        ApiError::new(&BAD_JSON, format!("the body is not a clock: {error}"))
            .hint("send {\"mode\": \"system\"}, {\"mode\": \"event\"} or {\"mode\": \"manual\", \"now\": \"2026-11-22T10:00:00Z\"}")
    })
}

fn parse_time(text: &str) -> Result<TimestampMicros, ApiError> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(TimestampMicros(time.timestamp_micros())),
        Err(error) => Err(ApiError::new(&BAD_CLOCK, format!("{text:?} is not a time: {error}"))
            .hint("write it like 2026-11-22T10:00:00Z")),
    }
}
