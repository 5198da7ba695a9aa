use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use headwater_codec::write_rows::{RowsFormat, RowsWriter, WriteRowsError};
use headwater_engine::ReadAt;
use headwater_sql::QueryResult;
use headwater_types::{ColumnType, Lsn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::{BAD_JSON, BAD_PARAMETER, EMPTY_BODY, INTERNAL};
use crate::http::answer::{self, Answer};
use crate::http::body::read_text;
use crate::http::compress::Finite;
use crate::http::headers::HEADWATER_LSN;
use crate::http::params::Params;
use crate::http::rows_body::RowsBody;
use crate::http::segments::Segments;

/// A query in JSON, for clients that send nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryBody {
    /// One SELECT.
    pub query: String,
}

/// The answer of a query with `format=json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryAnswer {
    /// The LSN that the answer is true at.
    pub lsn: u64,
    /// The columns, in order.
    pub columns: Vec<ResultColumn>,
    /// One object per row.
    pub rows: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its SQL type.
    #[serde(rename = "type")]
    pub column_type: String,
}

/// Runs one SELECT over tables, views and system tables, all as of one LSN.
///
/// The body is the SQL text, or `{"query": "…"}`. The answer is NDJSON, one object per row, with the LSN in the header
/// `x-headwater-lsn`; `format=` or `Accept` gives one JSON object, CSV or an Arrow IPC stream instead.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/query",
    tag = "read",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("format" = Option<String>, Query, description = "`ndjson` (default), `json`, `csv` or `arrow`", pattern = "^(ndjson|json|csv|arrow)$"),
        ("min_lsn" = Option<u64>, Query, description = "Wait until the workspace has reached this LSN"),
        ("at_lsn" = Option<u64>, Query, description = "Read the version of this LSN, one of the last minute; waits for it as `min_lsn` does"),
    ),
    request_body(description = "One SELECT", content((String = "application/sql"), (QueryBody = "application/json"))),
    responses(
        (status = 200, description = "The rows", content((String = "application/x-ndjson"), (QueryAnswer = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
        (status = "4XX", description = "No answer", body = ErrorAnswer),
        (status = 410, description = "The version of `at_lsn` is not kept any more", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` or `at_lsn` was not reached in time", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn post(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let mut params = Params::of(request.uri())?;
    let wish = Wish::take(&mut params, request.headers())?;
    params.finish()?;
    let (head, body) = request.into_parts();
    let text = query_text(read_text(&app, &head.headers, body).await?)?;
    run(&app, &name, &text, wish).await
}

/// The same, with the SELECT in the parameter `q`.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/query",
    tag = "read",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("q" = String, Query, description = "One SELECT"),
        ("format" = Option<String>, Query, description = "`ndjson` (default), `json`, `csv` or `arrow`", pattern = "^(ndjson|json|csv|arrow)$"),
        ("min_lsn" = Option<u64>, Query, description = "Wait until the workspace has reached this LSN"),
        ("at_lsn" = Option<u64>, Query, description = "Read the version of this LSN, one of the last minute; waits for it as `min_lsn` does"),
    ),
    responses(
        (status = 200, description = "The rows", content((String = "application/x-ndjson"), (QueryAnswer = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
        (status = "4XX", description = "No answer", body = ErrorAnswer),
        (status = 410, description = "The version of `at_lsn` is not kept any more", body = ErrorAnswer),
        (status = 412, description = "`min_lsn` or `at_lsn` was not reached in time", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn get(State(app): State<Arc<App>>, Segments(name): Segments<String>, request: Request) -> Answer {
    let mut params = Params::of(request.uri())?;
    let wish = Wish::take(&mut params, request.headers())?;
    let text = params.take("q")?;
    params.finish()?;
    match text {
        Some(text) => run(&app, &name, &text, wish).await,
        None => {
            Err(ApiError::new(&BAD_PARAMETER, "parameter 'q' is missing").hint("give one SELECT: ?q=SELECT…"))
        }
    }
}

/// What is asked of the answer.
struct Wish {
    format: RowsFormat,
    at: ReadAt,
}

impl Wish {
    fn take(params: &mut Params, headers: &HeaderMap) -> Result<Wish, ApiError> {
        let format = params.take_choice("format", FORMATS)?;
        let at = params.take_read_at()?;
        Ok(Wish { format: format.unwrap_or_else(|| accepted(headers)), at })
    }
}

/// The formats of answers as the parameter and as `Accept` name them.
const FORMATS: &[(&str, RowsFormat)] = &[
    ("ndjson", RowsFormat::Ndjson),
    ("json", RowsFormat::ArrayElements),
    ("csv", RowsFormat::Csv),
    ("arrow", RowsFormat::Arrow),
];

fn content_type(format: RowsFormat) -> &'static str {
    match format {
        RowsFormat::Ndjson => "application/x-ndjson",
        RowsFormat::ArrayElements => "application/json",
        RowsFormat::Csv => "text/csv; charset=utf-8; header=present",
        RowsFormat::Arrow => "application/vnd.apache.arrow.stream",
    }
}

/// The format that a client asks for if it asks for nothing else; NDJSON for everybody else.
fn accepted(headers: &HeaderMap) -> RowsFormat {
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).map(essence);
    let asked = accept.and_then(|accept| {
        FORMATS.iter().map(|(_, format)| *format).find(|format| essence(content_type(*format)) == accept)
    });
    asked.unwrap_or(RowsFormat::Ndjson)
}

fn query_text(body: String) -> Result<String, ApiError> {
    let trimmed = body.trim_start();
    if trimmed.is_empty() {
        return Err(ApiError::new(&EMPTY_BODY, "the query is empty").hint("send one SELECT as the body"));
    }
    if !trimmed.starts_with('{') {
        return Ok(body);
    }
    match serde_json::from_str::<QueryBody>(trimmed) {
        Ok(QueryBody { query }) => Ok(query),
        Err(error) => {
            let refusal = ApiError::new(&BAD_JSON, format!("the body is not {{\"query\": \"…\"}}: {error}"));
            Err(refusal.hint("send {\"query\": \"SELECT …\"}, or the SQL text itself"))
        }
    }
}

async fn run(app: &App, workspace: &str, text: &str, wish: Wish) -> Answer {
    let workspace = app.workspace(workspace).await?;
    let (lsn, result) = workspace.query_at(text, wish.at).await?;
    let QueryResult { schema, batches } = result;
    let writer = RowsWriter::new(wish.format, &schema).map_err(|error| unwritable(&error))?;
    let rows = RowsBody::new(writer, batches);
    let body = match wish.format {
        RowsFormat::ArrayElements => RowsBody::within(document_start(lsn, &schema), rows, b"]}\n"),
        _ => rows,
    };
    let mut response = answer::bytes(StatusCode::OK, content_type(wish.format), Body::new(body));
    response.extensions_mut().insert(Finite);
    response.headers_mut().insert(HEADWATER_LSN, HeaderValue::from(lsn.0));
    Ok(response)
}

fn unwritable(error: &WriteRowsError) -> ApiError {
    ApiError::new(&INTERNAL, error.to_string())
}

/// A [`QueryAnswer`] up to its first row.
fn document_start(lsn: Lsn, schema: &SchemaRef) -> Vec<u8> {
    let columns = schema.fields().iter().map(|field| ResultColumn {
        name: field.name().clone(),
        column_type: match ColumnType::from_arrow(field.data_type()) {
            Some(column_type) => column_type.to_string(),
            None => field.data_type().to_string().to_uppercase(),
        },
    });
    let columns = serde_json::to_string(&columns.collect::<Vec<_>>()).unwrap_or_default();
    format!("{{\"lsn\":{lsn},\"columns\":{columns},\"rows\":[").into_bytes()
}
