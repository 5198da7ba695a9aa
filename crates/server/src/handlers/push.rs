use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use headwater_codec::{BodyFormat, DecodeOptions, OperationName};
use headwater_engine::{IfPaused, OnError, PushAnswer, PushError, PushRequest, PushTarget, Workspace};
use headwater_types::IfAbsent;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::{ErrorAnswer, RecordErrorAnswer};
use crate::http::answer::{self, Answer};
use crate::http::body::{self, ReadBody, off_the_reactor};
use crate::http::headers::{IDEMPOTENCY_KEY, body_format, single};
use crate::http::params::Params;
use crate::http::segments::Segments;

/// Whose idempotency keys these are, while there are no API keys.
const NO_API_KEY: &str = "anonymous";

/// What was done with a push.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushDone {
    /// The step that holds the records. Reads from now on see it.
    pub lsn: u64,
    /// Records in the request.
    pub received: u64,
    /// Records whose change was made.
    pub applied: u64,
    /// Records put into quarantine.
    pub rejected: u64,
    /// Records that wait for the resume, if the workspace is paused and was asked to queue them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// True if the records wait for the resume. Absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<bool>,
    /// True if this request had been taken before under its Idempotency-Key: this is the answer it got then. Absent
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
    /// The first 1,000 records that were put into quarantine, by index. Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RecordErrorAnswer>,
}

impl From<PushAnswer> for PushDone {
    fn from(answer: PushAnswer) -> PushDone {
        let queued = !answer.applied_now;
        PushDone {
            lsn: answer.lsn.0,
            received: answer.received,
            applied: if queued { 0 } else { answer.applied },
            rejected: answer.rejected,
            pending: queued.then_some(answer.applied),
            queued: queued.then_some(true),
            duplicate: answer.duplicate.then_some(true),
            errors: answer.errors.iter().map(RecordErrorAnswer::from).collect(),
        }
    }
}

/// Pushes records to one table.
///
/// The body is one JSON object, an array of objects, NDJSON, CSV with a header row, or an Arrow IPC stream; JSON
/// forms are told by the first bytes whatever the content type. Columns are matched by name, and a value is
/// taken if its column holds it exactly. The request is atomic: all of it is one step, or, with `on_error=skip`, all good
/// records are.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/tables/{table}",
    tag = "push",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("table" = String, Path, description = "The table"),
        ("op" = Option<String>, Query, description = "`insert` (default; with a primary key it replaces), `upsert`, `delete` or `patch`", pattern = "^(insert|upsert|delete|patch)$"),
        ("if_absent" = Option<String>, Query, description = "What a patch does where no row has the key: `error` (default), `ignore` or `insert`", pattern = "^(error|ignore|insert)$"),
        ("on_error" = Option<String>, Query, description = "`reject_request` (default): one bad record refuses all; `skip`: bad records go to quarantine", pattern = "^(reject_request|skip)$"),
        ("if_paused" = Option<String>, Query, description = "`refuse` (default) or `queue`", pattern = "^(refuse|queue)$"),
        ("format" = Option<String>, Query, description = "`json`, `ndjson`, `csv` or `arrow`, for tools that cannot set Content-Type", pattern = "^(json|ndjson|csv|arrow)$"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Makes retries safe for 24 hours: the same request under the same key is answered again, not taken again"),
        ("Content-Encoding" = Option<String>, Header, description = "`gzip`, `zstd` or `identity`"),
    ),
    request_body(description = "Records", content((Object = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
    responses(
        (status = 200, description = "The records are durable, applied and readable", body = PushDone),
        (status = "4XX", description = "Nothing was taken", body = ErrorAnswer),
        (status = "5XX", description = "Nothing was taken, unless the code is `outcome_unknown` or `internal`", body = ErrorAnswer),
    )
)]
pub async fn push_table(
    State(app): State<Arc<App>>,
    Segments((workspace, table)): Segments<(String, String)>,
    request: Request,
) -> Answer {
    let workspace = app.workspace(&workspace).await?;
    let mut params = Params::of(request.uri())?;
    let operation = params.take_choice("op", OPERATIONS)?.unwrap_or_default();
    let if_absent = params.take_choice("if_absent", IF_ABSENT)?.unwrap_or_default();
    let format = params.take_choice("format", FORMATS)?;
    let common = Common::take(&mut params, request.headers())?;
    params.finish()?;
    let format = match format {
        Some(format) => format,
        None => body_format(request.headers())?,
    };
    let (head, body) = request.into_parts();
    let ReadBody { bytes, share } = body::read(&app, &head.headers, body).await?;
    let request = PushRequest {
        endpoint: format!("tables/{table}"),
        target: PushTarget::Table(table),
        options: DecodeOptions { operation, if_absent },
        ..common.request(bytes, format)
    };
    let done = push(&workspace, request).await;
    drop(share);
    answer::json(&PushDone::from(done?))
}

/// Pushes records to several tables in one atomic request.
///
/// Each record says where it goes: `{"table": "orders", "op": "insert", "row": {…}}`; `op` is `insert` unless given, a
/// `patch` may say `if_absent`.
#[utoipa::path(
    post,
    path = "/v1/workspaces/{workspace}/push",
    tag = "push",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("on_error" = Option<String>, Query, description = "`reject_request` (default): one bad record refuses all; `skip`: bad records go to quarantine", pattern = "^(reject_request|skip)$"),
        ("if_paused" = Option<String>, Query, description = "`refuse` (default) or `queue`", pattern = "^(refuse|queue)$"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Makes retries safe for 24 hours: the same request under the same key is answered again, not taken again"),
        ("Content-Encoding" = Option<String>, Header, description = "`gzip`, `zstd` or `identity`"),
    ),
    request_body(description = "Records", content((Object = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "The records are durable, applied and readable", body = PushDone),
        (status = "4XX", description = "Nothing was taken", body = ErrorAnswer),
        (status = "5XX", description = "Nothing was taken, unless the code is `outcome_unknown` or `internal`", body = ErrorAnswer),
    )
)]
pub async fn push_mixed(
    State(app): State<Arc<App>>,
    Segments(workspace): Segments<String>,
    request: Request,
) -> Answer {
    let workspace = app.workspace(&workspace).await?;
    let mut params = Params::of(request.uri())?;
    let common = Common::take(&mut params, request.headers())?;
    params.finish()?;
    let (head, body) = request.into_parts();
    let ReadBody { bytes, share } = body::read(&app, &head.headers, body).await?;
    let done = push(&workspace, common.request(bytes, BodyFormat::Json)).await;
    drop(share);
    answer::json(&PushDone::from(done?))
}

const OPERATIONS: &[(&str, OperationName)] = &[
    ("insert", OperationName::Insert),
    ("upsert", OperationName::Upsert),
    ("delete", OperationName::Delete),
    ("patch", OperationName::Patch),
];
const IF_ABSENT: &[(&str, IfAbsent)] =
    &[("error", IfAbsent::Error), ("ignore", IfAbsent::Ignore), ("insert", IfAbsent::Insert)];
const FORMATS: &[(&str, BodyFormat)] = &[
    ("json", BodyFormat::Json),
    ("ndjson", BodyFormat::Ndjson),
    ("csv", BodyFormat::Csv),
    ("arrow", BodyFormat::Arrow),
];
const ON_ERROR: &[(&str, OnError)] = &[("reject_request", OnError::RejectRequest), ("skip", OnError::Skip)];
const IF_PAUSED: &[(&str, IfPaused)] = &[("refuse", IfPaused::Refuse), ("queue", IfPaused::Queue)];

/// What both doors for records take.
struct Common {
    on_error: OnError,
    if_paused: IfPaused,
    idempotency_key: Option<String>,
}

impl Common {
    fn take(params: &mut Params, headers: &HeaderMap) -> Result<Common, ApiError> {
        Ok(Common {
            on_error: params.take_choice("on_error", ON_ERROR)?.unwrap_or_default(),
            if_paused: params.take_choice("if_paused", IF_PAUSED)?.unwrap_or_default(),
            idempotency_key: single(headers, &IDEMPOTENCY_KEY)?.map(str::to_owned),
        })
    }

    fn request(self, body: bytes::Bytes, format: BodyFormat) -> PushRequest {
        PushRequest {
            body,
            format,
            target: PushTarget::Mixed,
            options: DecodeOptions::default(),
            on_error: self.on_error,
            if_paused: self.if_paused,
            idempotency_key: self.idempotency_key,
            endpoint: "push".to_owned(),
            key_id: NO_API_KEY.to_owned(),
        }
    }
}

/// Pushes; the first poll, which decodes, is kept off the reactor if the body is large.
async fn push(workspace: &Workspace, request: PushRequest) -> Result<PushAnswer, PushError> {
    let body_bytes = request.body.len();
    let mut pushing = pin!(workspace.push(request));
    let decoded = poll_fn(|cx| Poll::Ready(off_the_reactor(body_bytes, || pushing.as_mut().poll(cx)))).await;
    match decoded {
        Poll::Ready(done) => done,
        Poll::Pending => pushing.await,
    }
}
