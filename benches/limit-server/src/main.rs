//! The physical limit that Headwater's ingest is compared with: the least a Rust HTTP server can do and still be
//! honest. `POST /push` with NDJSON: every record is parsed to a struct, the raw body is appended to a preallocated log
//! by group commit, a small aggregate per user is updated, and the answer goes out when the log is synced.
//!
//! Started as `limit-server ADDRESS LOG_FILE`.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde::Deserialize;

/// Running aggregates by user.
mod aggregates;
/// The log with group commit.
mod log;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One record as the bench sends it.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    user_id: &'a str,
    #[serde(borrow)]
    timestamp: &'a str,
    clicked: i64,
    price: f64,
}

struct Server {
    log: log::Log,
    aggregates: aggregates::Aggregates,
}

async fn push(State(server): State<Arc<Server>>, body: Bytes) -> (StatusCode, String) {
    let mut ingested = 0_u32;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(event) = sonic_rs::from_slice::<Event<'_>>(line) else {
            return (StatusCode::BAD_REQUEST, "{\"error\":\"bad record\"}".to_string());
        };
        if server.aggregates.apply(&event).is_none() {
            return (StatusCode::BAD_REQUEST, "{\"error\":\"bad timestamp\"}".to_string());
        }
        ingested += 1;
    }
    match server.log.append(&body).await {
        Ok(()) => (StatusCode::OK, format!("{{\"ingested\":{ingested}}}")),
        Err(log::Closed) => (StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"log closed\"}".to_string()),
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, log_file] = arguments.as_slice() else {
        eprintln!("usage: limit-server ADDRESS LOG_FILE");
        std::process::exit(2);
    };
    let server =
        Arc::new(Server { log: log::Log::create(log_file)?, aggregates: aggregates::Aggregates::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let router = Router::new().route("/push", post(push)).with_state(server);
        let listener = tokio::net::TcpListener::bind(address.as_str()).await?;
        println!("limit server listening on http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            // Without this, an answer may wait for the peer's acknowledgement.
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await
    })
}
