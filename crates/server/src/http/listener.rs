use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use headwater_types::limits::DRAIN_TIMEOUT_MS;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::connection;
use crate::app::App;
use crate::errors::ApiError;
use crate::errors::catalogue::TOO_MANY_CONNECTIONS;

/// Pause after an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop` is done, then waits for the requests under way, up to a limit.
pub async fn serve(listener: TcpListener, app: Arc<App>, router: Router, stop: impl Future<Output = ()>) {
    let draining = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.bounds.connections_max));
    tokio::select! {
        () = accept_all(&listener, &app, &router, &draining, &places) => {}
        () = stop => {}
    }
    drop(listener);
    app.start_draining();
    if timeout(Duration::from_millis(DRAIN_TIMEOUT_MS), draining.shutdown()).await.is_err() {
        tracing::warn!(
            limit_ms = DRAIN_TIMEOUT_MS,
            "requests were still under way when the time to drain ended"
        );
    }
}

async fn accept_all(
    listener: &TcpListener,
    app: &Arc<App>,
    router: &Router,
    draining: &GracefulShutdown,
    places: &Arc<Semaphore>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match Arc::clone(places).try_acquire_owned() {
                Ok(place) => {
                    let serving =
                        connection::serve(stream, Arc::clone(app), router.clone(), draining.watcher());
                    let open = app.counters.connection_opened();
                    tokio::spawn(async move {
                        serving.await;
                        drop((place, open));
                    });
                }
                Err(_) => turn_away(stream),
            },
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A fresh socket's buffer takes these few bytes at once; if it does not, the peer is told by the closing alone.
fn turn_away(stream: TcpStream) {
    let error = ApiError::new(&TOO_MANY_CONNECTIONS, "the server has as many connections as it may");
    let told = stream.into_std().and_then(|mut socket| socket.write_all(&error.render_raw()));
    tracing::debug!(told = told.is_ok(), "connection beyond the limit turned away");
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}
