use std::sync::Arc;
use std::time::Duration;

use headwater_engine::{Engine, Workspace, WorkspaceStatus};
use headwater_types::limits;
use tokio::sync::{Semaphore, watch};

use crate::counters::Counters;
use crate::errors::ApiError;
use crate::http::body_budget::BodyBudget;

/// What every connection and handler shares.
#[derive(Debug)]
pub struct App {
    /// The engine; everything about data is asked of it.
    pub engine: Arc<Engine>,
    /// What `/metrics` shows beside the engine's own counts.
    pub counters: Counters,
    /// Bytes that all request bodies together hold.
    pub bodies: BodyBudget,
    /// Places for change streams.
    pub followers: Arc<Semaphore>,
    /// What clients may take of the server.
    pub bounds: Bounds,
    /// Whether functions that exist for tests may be called.
    pub test_hooks: bool,
    draining: watch::Sender<bool>,
}

/// What clients may take of the server: connections, memory, time. As in [`limits`], unless a test narrows them.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Open connections.
    pub connections_max: usize,
    /// Bytes that all request bodies together hold.
    pub bodies_bytes_max: usize,
    /// Change streams served at once.
    pub followers_max: usize,
    /// Time for a request's head, and for staying idle between two requests.
    pub head: Duration,
    /// Time between two pieces of a body.
    pub body_idle: Duration,
    /// Time for a whole body.
    pub body: Duration,
    /// Time for taking the next piece of an answer.
    pub answer_stall: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connections_max: limits::CONNECTIONS_MAX,
            bodies_bytes_max: limits::BODIES_BYTES_MAX,
            followers_max: limits::FOLLOWERS_MAX,
            head: Duration::from_millis(limits::HEAD_TIMEOUT_MS),
            body_idle: Duration::from_millis(limits::BODY_IDLE_TIMEOUT_MS),
            body: Duration::from_millis(limits::BODY_TIMEOUT_MS),
            answer_stall: Duration::from_millis(limits::ANSWER_STALL_TIMEOUT_MS),
        }
    }
}

impl App {
    /// The shared state of a server over this engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, bounds: Bounds, test_hooks: bool) -> App {
        App {
            engine,
            counters: Counters::default(),
            bodies: BodyBudget::new(bounds.bodies_bytes_max),
            followers: Arc::new(Semaphore::new(bounds.followers_max)),
            bounds,
            test_hooks,
            draining: watch::Sender::new(false),
        }
    }

    /// The workspace of this name, opened if it is not. It stays open while somebody holds it.
    pub async fn workspace(&self, name: &str) -> Result<Arc<Workspace>, ApiError> {
        self.engine.workspace(name).await.map_err(ApiError::from)
    }

    /// What is told about a workspace. Does not open it.
    pub fn status(&self, name: &str) -> Result<WorkspaceStatus, ApiError> {
        self.engine.status(name).map_err(ApiError::from)
    }

    /// From now on no connection is accepted.
    pub fn start_draining(&self) {
        self.draining.send_replace(true);
    }

    /// Whether the server is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Done when the server is stopping.
    pub async fn draining(&self) {
        let mut receiver = self.draining.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|draining| *draining).await;
    }
}
