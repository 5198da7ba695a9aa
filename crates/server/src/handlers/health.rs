use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::answer::{self, Answer};
use crate::http::params::Params;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `failing`.
    pub status: &'static str,
    /// Workspaces that take no writes, because their log or their views failed or their files are damaged, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<FailingWorkspace>,
}

/// A workspace that takes no writes.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailingWorkspace {
    /// Its name.
    pub workspace: String,
    /// What failed.
    pub reason: String,
}

/// Whether the process is alive and nothing in it has failed for good.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    responses(
        (status = 200, description = "Alive, and nothing has failed", body = Health),
        (status = 503, description = "Some workspace takes no writes until somebody looks after it", body = Health),
    )
)]
pub async fn healthz(State(app): State<Arc<App>>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let failing = failing(&app);
    if failing.is_empty() {
        return answer::json(&Health { status: "ok", failing });
    }
    answer::json_with(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "failing", failing })
}

/// Whether the server takes requests: it has its data, and it is not stopping.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "server",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "Stopping", body = Health),
    )
)]
pub async fn readyz(State(app): State<Arc<App>>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let (status, word) = if app.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    } else {
        (StatusCode::OK, "ok")
    };
    answer::json_with(status, &Health { status: word, failing: Vec::new() })
}

fn failing(app: &App) -> Vec<FailingWorkspace> {
    let statuses = app.engine.statuses().into_iter().chain([app.engine.system_status()]);
    let failing = statuses.filter_map(|status| {
        let reason = status.condition.failure()?.to_owned();
        Some(FailingWorkspace { workspace: status.name.to_string(), reason })
    });
    failing.collect()
}
