use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use headwater_types::limits::{HEAD_BYTES_MAX, HTTP2_PING_MS, HTTP2_STREAMS_MAX};

use super::door;
use super::stall::StallGuard;
use crate::app::App;

/// What every HTTP/2 connection starts with. No HTTP/1 method starts with `PRI`.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Pause between two looks at a preface that comes in pieces.
const PREFACE_PAUSE: Duration = Duration::from_millis(10);

/// Serves one connection until it ends, or, when draining, until its requests under way are answered.
pub(crate) async fn serve(stream: TcpStream, app: Arc<App>, router: Router, draining: Watcher) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let head_timeout = app.bounds.head;
    let version = tokio::select! {
        version = timeout(head_timeout, speaks(&stream)) => version.ok().flatten(),
        () = app.draining() => None,
    };
    let Some(version) = version else { return };
    let io = TokioIo::new(StallGuard::new(stream, app.bounds.answer_stall));
    let service = service_fn(move |request| door::pass(Arc::clone(&app), router.clone(), request));
    let served = match version {
        Version::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_timeout)
                .max_header_size(HEAD_BYTES_MAX)
                .serve_connection(io, service);
            draining.watch(connection).await
        }
        Version::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(HTTP2_STREAMS_MAX)
                .max_header_list_size(HEAD_BYTES_MAX as u32)
                .keep_alive_interval(Duration::from_millis(HTTP2_PING_MS))
                .keep_alive_timeout(Duration::from_millis(HTTP2_PING_MS))
                .serve_connection(io, service);
            draining.watch(connection).await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended early");
    }
}

enum Version {
    Http1,
    Http2,
}

/// Which HTTP the peer speaks, told by its first bytes, which stay in the socket; `None` if it left.
///
/// hyper-util's own detection waits for those bytes without any time-out, which would make the one on heads useless.
async fn speaks(stream: &TcpStream) -> Option<Version> {
    let mut start = [0; HTTP2_PREFACE.len()];
    loop {
        let seen = stream.peek(&mut start).await.ok()?;
        if seen == 0 {
            return None;
        }
        if start[..seen] != HTTP2_PREFACE[..seen] {
            return Some(Version::Http1);
        }
        if seen == HTTP2_PREFACE.len() {
            return Some(Version::Http2);
        }
        sleep(PREFACE_PAUSE).await;
    }
}
