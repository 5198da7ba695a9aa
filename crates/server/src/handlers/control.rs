use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;

use super::workspaces::WorkspaceAnswer;
use crate::app::App;
use crate::errors::api_error::ErrorAnswer;
use crate::http::answer::{self, Answer};
use crate::http::params::Params;
use crate::http::segments::Segments;

/// Pauses a workspace: from here on pushes are refused, or queued if they ask for it. Reads go on.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/pause",
    tag = "workspace",
    params(("workspace" = String, Path, description = "The workspace")),
    responses(
        (status = 200, description = "Paused", body = WorkspaceAnswer),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
        (status = "5XX", description = "Nothing changed, unless the code is `outcome_unknown`", body = ErrorAnswer),
    )
)]
pub async fn pause(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let status = app.workspace(&name).await?.pause().await?;
    answer::json(&WorkspaceAnswer::from(status))
}

/// Resumes a workspace: what was queued takes effect, in order, and pushes are taken again.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/resume",
    tag = "workspace",
    params(("workspace" = String, Path, description = "The workspace")),
    responses(
        (status = 200, description = "Running", body = WorkspaceAnswer),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
        (status = "5XX", description = "Nothing changed, unless the code is `outcome_unknown`", body = ErrorAnswer),
    )
)]
pub async fn resume(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let status = app.workspace(&name).await?.resume().await?;
    answer::json(&WorkspaceAnswer::from(status))
}
