use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use headwater_engine::Published;
use headwater_types::{Column, Scan, TableDefinition};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::api_error::ErrorAnswer;
use crate::http::answer::{self, Answer};
use crate::http::params::Params;
use crate::http::segments::Segments;

/// The tables of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tables {
    /// The LSN that this is true at.
    pub lsn: u64,
    /// The tables, in the order of the program.
    pub tables: Vec<TableSummary>,
}

/// The views of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Views {
    /// The LSN that this is true at.
    pub lsn: u64,
    /// The views, in the order of the program.
    pub views: Vec<ViewSummary>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableSummary {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnSummary>,
    /// The names of the PRIMARY KEY's columns, in key order.
    pub primary_key: Vec<String>,
    /// Whether rows are kept.
    pub materialized: bool,
    /// Its rows, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A view.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewSummary {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnSummary>,
    /// Whether rows are kept.
    pub materialized: bool,
    /// Its SELECT.
    pub sql: String,
    /// Its rows, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Its SQL type.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl From<&Column> for ColumnSummary {
    fn from(column: &Column) -> ColumnSummary {
        ColumnSummary {
            name: column.name.to_string(),
            column_type: column.column_type.to_string(),
            nullable: column.nullable,
        }
    }
}

/// The tables: columns, key, number of rows.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/tables",
    tag = "read",
    params(("workspace" = String, Path, description = "The workspace")),
    responses(
        (status = 200, description = "The tables", body = Tables),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
    )
)]
pub async fn tables(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let published = app.workspace(&name).await?.published();
    let tables = published.program.compiled.tables.iter();
    answer::json(&Tables {
        lsn: published.lsn.0,
        tables: tables.map(|table| table_summary(&published, table)).collect(),
    })
}

/// The views: columns, SELECT, number of rows.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/views",
    tag = "read",
    params(("workspace" = String, Path, description = "The workspace")),
    responses(
        (status = 200, description = "The views", body = Views),
        (status = "4XX", description = "No such workspace", body = ErrorAnswer),
    )
)]
pub async fn views(State(app): State<Arc<App>>, Segments(name): Segments<String>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let published = app.workspace(&name).await?.published();
    let views = published.program.compiled.views.iter().map(|view| ViewSummary {
        name: view.name.to_string(),
        columns: view.columns.iter().map(ColumnSummary::from).collect(),
        materialized: view.materialized,
        sql: view.sql.clone(),
        rows: rows_of(&published, view.name.as_str()),
    });
    answer::json(&Views { lsn: published.lsn.0, views: views.collect() })
}

fn table_summary(published: &Published, table: &TableDefinition) -> TableSummary {
    TableSummary {
        name: table.name.to_string(),
        columns: table.columns.iter().map(ColumnSummary::from).collect(),
        primary_key: table.primary_key.iter().map(|index| table.columns[*index].name.to_string()).collect(),
        materialized: table.materialized,
        rows: rows_of(published, table.name.as_str()),
    }
}

fn rows_of(published: &Published, name: &str) -> Option<u64> {
    published.relation(name).map(|relation| relation.rows.num_rows() as u64)
}
