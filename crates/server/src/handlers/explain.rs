use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use headwater_engine::Published;
use headwater_sql::{PlanNode, ViewDefinition, explain};
use headwater_types::Scan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::UNKNOWN_VIEW;
use crate::http::answer::{self, Answer};
use crate::http::params::Params;
use crate::http::segments::Segments;

/// How views are computed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The LSN that this is true at.
    pub lsn: u64,
    /// The views, in the order of the program.
    pub views: Vec<ExplainedView>,
}

/// How a view is computed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedView {
    /// Its name.
    pub name: String,
    /// Whether its rows are kept, and so computed step by step; otherwise queries compute them.
    pub materialized: bool,
    /// Whether it joins or aggregates, and so keeps state beside its rows.
    pub stateful: bool,
    /// Its rows, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What its rows come from.
    pub plan: Operator,
}

/// An operator and those that feed it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operator {
    /// What it does: `scan`, `filter`, `project`, `aggregate`, `join`, `union`.
    pub operator: String,
    /// With what: a relation, a condition, expressions.
    pub detail: String,
    /// Rows of the relation that a `scan` reads, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Where its rows come from.
    #[schema(no_recursion)]
    pub inputs: Vec<Operator>,
}

/// How views are computed: the operators of each, as a tree.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/explain",
    tag = "read",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("view" = Option<String>, Query, description = "Only this view"),
    ),
    responses(
        (status = 200, description = "The plans", body = Explanation),
        (status = "4XX", description = "No such workspace or view", body = ErrorAnswer),
    )
)]
pub async fn get(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    let mut params = Params::of(&uri)?;
    let only = params.take("view")?;
    params.finish()?;
    let published = app.workspace(&name).await?.published();
    let views = &published.program.compiled.views;
    let is_wanted =
        |view: &&Arc<ViewDefinition>| only.as_deref().is_none_or(|only| view.name.as_str() == only);
    let explained =
        views.iter().filter(is_wanted).map(|view| explained(&published, view)).collect::<Vec<_>>();
    if let Some(only) = only.filter(|_| explained.is_empty()) {
        let known = views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>().join(", ");
        let unknown =
            ApiError::new(&UNKNOWN_VIEW, format!("view {only:?} does not exist in workspace {name:?}"));
        return Err(if known.is_empty() { unknown } else { unknown.hint(format!("there are: {known}")) });
    }
    answer::json(&Explanation { lsn: published.lsn.0, views: explained })
}

fn explained(published: &Published, view: &ViewDefinition) -> ExplainedView {
    ExplainedView {
        name: view.name.to_string(),
        materialized: view.materialized,
        stateful: view.stateful,
        rows: rows_of(published, view.name.as_str()),
        plan: operator(published, explain(&view.plan)),
    }
}

fn operator(published: &Published, node: PlanNode) -> Operator {
    let rows = (node.operator == "scan").then(|| rows_of(published, &node.detail)).flatten();
    let inputs = node.inputs.into_iter().map(|input| operator(published, input)).collect();
    Operator { operator: node.operator, detail: node.detail, rows, inputs }
}

fn rows_of(published: &Published, name: &str) -> Option<u64> {
    published.relation(name).map(|relation| relation.rows.num_rows() as u64)
}
