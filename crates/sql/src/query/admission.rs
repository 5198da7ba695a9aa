use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use headwater_types::limits::{QUERIES_RUNNING_MAX, QUERIES_WAITING_MAX};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::QueryError;

static RUNNING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(QUERIES_RUNNING_MAX)));
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Waits for one of the places of the process. The place is free again when the permit is dropped, which is when the
/// query's thread has let go of its memory, not when its caller has stopped waiting.
pub(super) async fn enter() -> Result<OwnedSemaphorePermit, QueryError> {
    let _waiting = Waiting::begin().ok_or(QueryError::Busy)?;
    Arc::clone(&RUNNING).acquire_owned().await.map_err(|_| QueryError::Busy)
}

/// One of the queries that wait.
struct Waiting;

impl Waiting {
    fn begin() -> Option<Waiting> {
        let more = |waiting| (waiting < QUERIES_WAITING_MAX).then_some(waiting + 1);
        WAITING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}
