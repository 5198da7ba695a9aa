use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri};
use headwater_codec::json::write_row;
use headwater_engine::ReadAt;
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
        ("at_lsn" = Option<u64>, Query, description = "Read the version of this LSN, one of the last minute; waits for it as `min_lsn` does"),
    ),
    responses(
        (status = 200, description = "The row", body = FoundRow),
        (status = "4XX", description = "No row has this key, or it cannot be looked up", body = ErrorAnswer),
        (status = 410, description = "The version of `at_lsn` is not kept any more", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` or `at_lsn` was not reached in time", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn by_path(
    State(app): State<Arc<App>>,
    Segments((workspace, table, _)): Segments<(String, String, String)>,
    request: Request,
) -> Answer {
    let mut params = Params::of(request.uri())?;
    let at = params.take_read_at()?;
    params.finish()?;
    let key = key_from_path(request.uri().path())?;
    look_up(&app, &workspace, &table, &key, at).await
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
        ("at_lsn" = Option<u64>, Query, description = "Read the version of this LSN, one of the last minute; waits for it as `min_lsn` does"),
    ),
    responses(
        (status = 200, description = "The row", body = FoundRow),
        (status = "4XX", description = "No row has this key, or it cannot be looked up", body = ErrorAnswer),
        (status = 410, description = "The version of `at_lsn` is not kept any more", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` or `at_lsn` was not reached in time", body = ErrorAnswer),
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
    let at = params.take_read_at()?;
    params.finish()?;
    if key.is_empty() {
        return Err(ApiError::new(&BAD_PARAMETER, "parameter 'key' is missing")
            .hint("give ?key= once per column of the primary key, or use query for many rows"));
    }
    look_up(&app, &workspace, &table, &key, at).await
}

async fn look_up(app: &App, workspace: &str, table: &str, key: &[String], at: ReadAt) -> Answer {
    let workspace = app.workspace(workspace).await?;
    let key_texts = key.iter().map(String::as_str).collect::<Vec<_>>();
    let (lsn, found) = match at {
        ReadAt::Newest => workspace.lookup(table, &key_texts)?,
        at => {
            let published = workspace.version(at).await?;
            (published.lsn, workspace.lookup_in(&published, table, &key_texts)?)
        }
    };
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
