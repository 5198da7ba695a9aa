use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use headwater_engine::{FollowError, From};
use headwater_types::{Lsn, limits};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::{BAD_PARAMETER, FOLLOWERS_FULL};
use crate::http::answer::{self, Answer};
use crate::http::change_lines::LineStyle;
use crate::http::change_stream::ChangeStream;
use crate::http::headers::single;
use crate::http::params::Params;
use crate::http::segments::Segments;

/// What a browser sends when it comes back to a stream of server-sent events.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Follows the changes of one table or materialised view.
///
/// The answer does not end: it is one JSON object per line, `{"lsn":2,"insert":{…}}` or `{"lsn":3,"delete":{…}}`, in the
/// order of LSNs; a changed row is a delete and an insert of one LSN. `Accept: text/event-stream` or `format=sse` gives
/// server-sent events, whose `id` is the cursor. Whoever comes back with the last cursor gets every change once.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/changes/{relation}",
    tag = "changes",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("relation" = String, Path, description = "A table or materialised view"),
        ("from" = Option<String>, Query, description = "`now` (default) or `snapshot`: all rows first, as inserts of one LSN", pattern = "^(now|snapshot)$"),
        ("cursor" = Option<String>, Query, description = "Go on behind this cursor"),
        ("cursors" = Option<bool>, Query, description = "Every line carries the cursor behind it"),
        ("format" = Option<String>, Query, description = "`ndjson` (default) or `sse`", pattern = "^(ndjson|sse)$"),
        ("heartbeat_ms" = Option<u64>, Query, description = "Time between two heartbeats while nothing changes; 10,000 if left out", minimum = 50, maximum = 600000),
        ("until_lsn" = Option<u64>, Query, description = "The stream ends when everything up to this LSN was told"),
        ("limit" = Option<u64>, Query, description = "The stream ends after so many lines; heartbeats do not count", minimum = 1),
        ("last-event-id" = Option<String>, Header, description = "Go on behind this cursor; a browser sends it by itself when it comes back"),
    ),
    responses(
        (status = 200, description = "The changes", content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = "4XX", description = "It cannot be followed", body = ErrorAnswer),
        (status = 410, description = "Changes behind the cursor are gone; the hint says where to start over", body = ErrorAnswer),
        (status = 429, description = "There are too many change streams", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn of_relation(
    State(app): State<Arc<App>>,
    Segments((workspace, relation)): Segments<(String, String)>,
    request: Request,
) -> Answer {
    let params = Params::of(request.uri())?;
    let wish = Wish::take(params, request.headers())?;
    let again =
        format!("/v1/workspaces/{}/changes/{}?from=snapshot", segment(&workspace), segment(&relation));
    follow(app, &workspace, &[relation], wish, false, &again).await
}

/// Follows the changes of several tables and views in one stream, in the order of LSNs.
///
/// As for one relation, but each line names its own: `{"lsn":2,"relation":"spend","insert":{…}}`. Without `relations` it is
/// all tables and materialised views that the program has, from time to time.
#[utoipa::path(
    get,
    path = "/v1/workspaces/{workspace}/changes",
    tag = "changes",
    params(
        ("workspace" = String, Path, description = "The workspace"),
        ("relations" = Option<String>, Query, description = "Tables and materialised views, separated by commas; all of them if left out"),
        ("from" = Option<String>, Query, description = "`now` (default) or `snapshot`: all rows first, as inserts of one LSN", pattern = "^(now|snapshot)$"),
        ("cursor" = Option<String>, Query, description = "Go on behind this cursor"),
        ("cursors" = Option<bool>, Query, description = "Every line carries the cursor behind it"),
        ("format" = Option<String>, Query, description = "`ndjson` (default) or `sse`", pattern = "^(ndjson|sse)$"),
        ("heartbeat_ms" = Option<u64>, Query, description = "Time between two heartbeats while nothing changes; 10,000 if left out", minimum = 50, maximum = 600000),
        ("until_lsn" = Option<u64>, Query, description = "The stream ends when everything up to this LSN was told"),
        ("limit" = Option<u64>, Query, description = "The stream ends after so many lines; heartbeats do not count", minimum = 1),
        ("last-event-id" = Option<String>, Header, description = "Go on behind this cursor; a browser sends it by itself when it comes back"),
    ),
    responses(
        (status = 200, description = "The changes", content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = "4XX", description = "They cannot be followed", body = ErrorAnswer),
        (status = 410, description = "Changes behind the cursor are gone; the hint says where to start over", body = ErrorAnswer),
        (status = 429, description = "There are too many change streams", body = ErrorAnswer),
        (status = 503, description = "The server is stopping", body = ErrorAnswer),
    )
)]
pub async fn of_relations(
    State(app): State<Arc<App>>,
    Segments(workspace): Segments<String>,
    request: Request,
) -> Answer {
    let mut params = Params::of(request.uri())?;
    let lists = params.take_all("relations");
    let relations: Vec<String> =
        lists.iter().flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect();
    let relations: Vec<String> = relations.into_iter().filter(|name| !name.is_empty()).collect();
    let wish = Wish::take(params, request.headers())?;
    let named = if relations.is_empty() {
        String::new()
    } else {
        let names = relations.iter().map(|name| segment(name)).collect::<Vec<_>>();
        format!("relations={}&", names.join(","))
    };
    let again = format!("/v1/workspaces/{}/changes?{named}from=snapshot", segment(&workspace));
    follow(app, &workspace, &relations, wish, true, &again).await
}

/// What is asked of a stream.
struct Wish {
    from: From,
    is_sse: bool,
    has_cursors: bool,
    heartbeat: Duration,
    until: Option<Lsn>,
    limit: Option<u64>,
}

impl Wish {
    fn take(mut params: Params, headers: &HeaderMap) -> Result<Wish, ApiError> {
        let format = params.take_choice("format", &[("ndjson", false), ("sse", true)])?;
        let is_snapshot = params.take_choice("from", &[("now", false), ("snapshot", true)])?;
        let cursor = params.take("cursor")?;
        let has_cursors = params.take_flag("cursors")?;
        let heartbeat_ms = params.take_number("heartbeat_ms")?.unwrap_or(limits::HEARTBEAT_MS);
        let until = params.take_lsn("until_lsn")?;
        let limit = params.take_number("limit")?;
        params.finish()?;
        if !(limits::HEARTBEAT_MIN_MS..=limits::HEARTBEAT_MAX_MS).contains(&heartbeat_ms) {
            let (min, max) = (limits::HEARTBEAT_MIN_MS, limits::HEARTBEAT_MAX_MS);
            let message = format!("parameter 'heartbeat_ms' must be from {min} to {max}");
            return Err(ApiError::new(&BAD_PARAMETER, message));
        }
        if limit == Some(0) {
            return Err(ApiError::new(&BAD_PARAMETER, "parameter 'limit' must be at least 1"));
        }
        if is_snapshot.is_some() && cursor.is_some() {
            let error = ApiError::new(&BAD_PARAMETER, "parameters 'from' and 'cursor' exclude each other");
            return Err(error.hint("a cursor says itself where the stream goes on: leave 'from' out"));
        }
        // A browser repeats the URL with which it began, and says in the header how far it has come.
        let last = single(headers, &LAST_EVENT_ID)?.filter(|last| !last.is_empty()).map(str::to_owned);
        let from = match (last.or(cursor), is_snapshot) {
            (Some(cursor), _) => From::Cursor(cursor),
            (None, Some(true)) => From::Snapshot,
            (None, Some(false) | None) => From::Now,
        };
        let is_sse = format.unwrap_or_else(|| accepts_events(headers));
        let heartbeat = Duration::from_millis(heartbeat_ms);
        Ok(Wish { from, is_sse, has_cursors, heartbeat, until, limit })
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
    })
}

async fn follow(
    app: Arc<App>,
    workspace: &str,
    relations: &[String],
    wish: Wish,
    names_relation: bool,
    again: &str,
) -> Answer {
    let place = Arc::clone(&app.followers).try_acquire_owned().map_err(|_| {
        ApiError::new(&FOLLOWERS_FULL, format!("{} change streams are open", app.bounds.followers_max))
    })?;
    let workspace = app.workspace(workspace).await?;
    let follower = workspace.follow(relations, &wish.from).map_err(|error| {
        let starts_over = matches!(error, FollowError::CursorGone { .. });
        let error = ApiError::from(error);
        if starts_over { error.hint(format!("start over with all rows: GET {again}")) } else { error }
    })?;
    let style = LineStyle { is_sse: wish.is_sse, names_relation, has_cursors: wish.has_cursors };
    let content_type = if wish.is_sse { "text/event-stream" } else { "application/x-ndjson" };
    let follower = follower.until(wish.until);
    let is_new = !matches!(wish.from, From::Cursor(_));
    let stream = ChangeStream::new(app, follower, is_new, style, wish.heartbeat, wish.limit, place);
    let mut response = answer::bytes(StatusCode::OK, content_type, stream.into_body());
    // Nothing between here and the client may keep lines back.
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn segment(name: &str) -> String {
    const UNRESERVED: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(name, UNRESERVED).to_string()
}
