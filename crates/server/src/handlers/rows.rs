use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri};
use headwater_codec::json::write_row;
use headwater_types::Lsn;
use headwater_types::limits::MIN_LSN_WAIT_MS;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::{BAD_PARAMETER, ROW_NOT_FOUND};
use crate::http::answer::{self, Answer};
use crate::http::headers::HEADWATER_LSN;
use crate::http::params::Params;
use crate::http::segments::{Segments, key_from_path};

/// A row that was looked up.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundRow {
    /// The LSN that the row is true at.
    pub lsn: u64,
    /// The row.
    pub row: serde_json::Map<String, serde_json::Value>,
}

/// Looks one row up by its primary key.
///
/// The values of a composite key stand in the order of the PRIMARY KEY, separated by commas; a comma inside a value is
/// `%2C`. Timestamps and dates are written as in answers.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/tables/{table}/rows/{key}",
    tag = "read",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("table" = String, Path, description = "A table with a PRIMARY KEY"),
        ("key" = String, Path, description = "The key's values, separated by commas"),
        ("min_lsn" = Option<u64>, Query, description = "Wait until the workspace has reached this LSN"),
    ),
    responses(
        (status = 200, description = "The row", body = FoundRow),
        (status = "4XX", description = "No row has this key, or it cannot be looked up", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` was not reached in time", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn by_path(
    State(app): State<Arc<App>>,
    Segments((workspace, table, _)): Segments<(String, String, String)>,
    request: Request,
) -> Answer {
    let mut params = Params::of(request.uri())?;
    let min_lsn = params.take_lsn("min_lsn")?;
    params.finish()?;
    let key = key_from_path(request.uri().path())?;
    look_up(&app, &workspace, &table, &key, min_lsn).await
}

/// The same, with one parameter `key` per key column, for values that a path cannot hold.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/tables/{table}/rows",
    tag = "read",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("table" = String, Path, description = "A table with a PRIMARY KEY"),
        ("key" = Vec<String>, Query, description = "The value of a key column; once per column, in key order"),
        ("min_lsn" = Option<u64>, Query, description = "Wait until the workspace has reached this LSN"),
    ),
    responses(
        (status = 200, description = "The row", body = FoundRow),
        (status = "4XX", description = "No row has this key, or it cannot be looked up", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` was not reached in time", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn by_parameter(
    State(app): State<Arc<App>>,
    Segments((workspace, table)): Segments<(String, String)>,
    uri: Uri,
) -> Answer {
    let mut params = Params::of(&uri)?;
    let key = params.take_all("key");
    let min_lsn = params.take_lsn("min_lsn")?;
    params.finish()?;
    if key.is_empty() {
        return Err(ApiError::new(&BAD_PARAMETER, "parameter 'key' is missing")
            .hint("give ?key= once per column of the primary key, or use query for many rows"));
    }
    look_up(&app, &workspace, &table, &key, min_lsn).await
}

async fn look_up(app: &App, workspace: &str, table: &str, key: &[String], min_lsn: Option<Lsn>) -> Answer {
    let workspace = app.workspace(workspace)?;
    if let Some(min_lsn) = min_lsn {
        workspace.wait_for(min_lsn, Duration::from_millis(MIN_LSN_WAIT_MS)).await?;
    }
    let key_texts = key.iter().map(String::as_str).collect::<Vec<_>>();
    let (lsn, found) = workspace.lookup(table, &key_texts)?;
    let Some(row) = found.filter(|row| row.num_rows() > 0) else {
        let message = format!("table {table:?} has no row with key {}", key.join(","));
        return Err(ApiError::new(&ROW_NOT_FOUND, message).at(lsn));
    };
    let mut document = format!("{{\"lsn\":{lsn},\"row\":").into_bytes();
    write_row(&row, 0, &mut document);
    document.push(b'}');
    let mut response = answer::bytes(StatusCode::OK, "application/json", document);
    response.headers_mut().insert(HEADWATER_LSN, HeaderValue::from(lsn.0));
    Ok(response)
}
