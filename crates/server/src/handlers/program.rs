use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use headwater_engine::program::SQL_MODULE;
use headwater_engine::{PlanAction, PlanEntry, SetProgram, Workspace};
use headwater_sql::CompileOptions;
use serde::Serialize;
use utoipa::ToSchema;

use super::workspaces::create_or_get;
use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::SQL_REFUSED;
use crate::http::answer::{self, Answer};
use crate::http::body::read_text;
use crate::http::params::Params;
use crate::http::segments::Segments;

/// A program was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramSet {
    /// The LSN of the change. The old program served until then.
    pub lsn: u64,
    /// How often the program has been changed.
    pub program_version: u64,
    /// What was done with each table and view.
    pub changes: Vec<Change>,
}

/// What setting a program would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramPlan {
    /// The LSN that the plan was made at.
    pub lsn: u64,
    /// Whether setting it needs `drop_data=true`.
    pub needs_drop_data: bool,
    /// What would be done with each table and view.
    pub changes: Vec<Change>,
}

/// What is done with one table or view.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// The module that it is of.
    pub module: String,
    /// Its name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// `create`, `keep`, `alter` (other columns for the same rows), `replace` (dropped and made anew) or `drop`.
    pub action: &'static str,
    /// Why, where the action alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether rows or columns that were pushed are lost by it; refused unless `drop_data=true`.
    pub drops_data: bool,
}

/// The running program.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramText {
    /// The LSN that this is the program at.
    pub lsn: u64,
    /// How often the program has been changed.
    pub program_version: u64,
    /// The text of each module.
    pub modules: BTreeMap<String, String>,
}

impl From<PlanEntry> for Change {
    fn from(entry: PlanEntry) -> Change {
        let action = match entry.action {
            PlanAction::Create => "create",
            PlanAction::Keep => "keep",
            PlanAction::Alter => "alter",
            PlanAction::Replace => "replace",
            PlanAction::Drop => "drop",
        };
        let PlanEntry { module, name, kind, reason, drops_data, .. } = entry;
        Change { module, name, kind, action, reason, drops_data }
    }
}

/// Sets the program of a workspace, which is created if there is none of this name.
///
/// The body is SQL text: `CREATE TABLE`, `CREATE VIEW`, `CREATE MATERIALIZED VIEW`. It replaces the whole text of the
/// module. Tables keep their rows when columns are added, dropped or widened; new views are filled while pushes go on. A
/// text that is refused changes nothing.
#[utoipa::path(
    put,
    path = "/v1/workspaces/{workspace}/program",
    tag = "program",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("drop_data" = Option<bool>, Query, description = "Allow tables to be dropped, or made anew, with their rows, and columns with their values"),
        ("module" = Option<String>, Query, description = "The module that the text replaces: `sql`"),
    ),
    request_body(content = String, content_type = "application/sql", description = "SQL text"),
    responses(
        (status = 200, description = "The program runs", body = ProgramSet),
        (status = "4XX", description = "Nothing changed", body = ErrorAnswer),
        (status = "5XX", description = "Nothing changed, unless the code is `outcome_unknown` or `internal`", body = ErrorAnswer),
    )
)]
pub async fn put(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let mut params = Params::of(request.uri())?;
    let drop_data = params.take_flag("drop_data")?;
    let module = params.take("module")?.unwrap_or_else(|| SQL_MODULE.to_owned());
    params.finish()?;
    let (head, body) = request.into_parts();
    let text = read_text(&app, &head.headers, body).await?;
    let workspace = workspace_for(&app, &name, &text).await?;
    let set = workspace.set_program(text, SetProgram { drop_data, module }).await?;
    answer::json(&ProgramSet {
        lsn: set.lsn.0,
        program_version: set.version.0,
        changes: set.entries.into_iter().map(Change::from).collect(),
    })
}

/// The workspace that a program is for. A text that is refused leaves no trace, so none is created for it.
async fn workspace_for(app: &App, name: &str, text: &str) -> Result<Arc<Workspace>, ApiError> {
    if app.engine.has_workspace(name) {
        return app.workspace(name).await;
    }
    let options = CompileOptions { test_hooks: app.test_hooks };
    headwater_sql::compile(text, &options)
        .map_err(|refused| ApiError::from_diagnostic(&SQL_REFUSED, &refused))?;
    create_or_get(app, name).await.map(|(workspace, _)| workspace)
}

/// Says what setting a program would do, without doing it.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/plan",
    tag = "program",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("module" = Option<String>, Query, description = "The module that the text would replace: `sql`"),
    ),
    request_body(content = String, content_type = "application/sql", description = "SQL text"),
    responses(
        (status = 200, description = "What would be done", body = ProgramPlan),
        (status = "4XX", description = "The text would be refused", body = ErrorAnswer),
    )
)]
pub async fn plan(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let workspace = app.workspace(&name).await?;
    let mut params = Params::of(request.uri())?;
    let module = params.take("module")?.unwrap_or_else(|| SQL_MODULE.to_owned());
    params.finish()?;
    let (head, body) = request.into_parts();
    let text = read_text(&app, &head.headers, body).await?;
    let lsn = workspace.published().lsn;
    let plan = tokio::task::block_in_place(|| workspace.plan(&text, &module))?;
    answer::json(&ProgramPlan {
        lsn: lsn.0,
        needs_drop_data: plan.entries.iter().any(|entry| entry.drops_data),
        changes: plan.entries.into_iter().map(Change::from).collect(),
    })
}

/// The running program's text, as JSON by module, or with `format=text` the SQL alone.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/program",
    tag = "program",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("format" = Option<String>, Query, description = "`json` (default) or `text`", pattern = "^(json|text)$"),
    ),
    responses(
        (status = 200, description = "The program", content((ProgramText = "application/json"), (String = "text/plain"))),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
    )
)]
pub async fn get(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let workspace = app.workspace(&name).await?;
    let mut params = Params::of(request.uri())?;
    let as_text = params.take_choice("format", &[("json", false), ("text", true)])?.unwrap_or(false);
    params.finish()?;
    let published = workspace.published();
    let program = &published.program;
    if as_text {
        let text = program.modules.get(SQL_MODULE).cloned().unwrap_or_default();
        return Ok(answer::bytes(StatusCode::OK, "text/plain; charset=utf-8", text));
    }
    answer::json(&ProgramText {
        lsn: published.lsn.0,
        program_version: program.version.0,
        modules: program.modules.clone(),
    })
}
