use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::error::CliError;

/// Between two looks at whether Ctrl-C was typed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C does not end the process but what [`run`] runs.
pub(super) fn catch() -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::new(format!("Ctrl-C cannot be caught: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let listening = thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                INTERRUPTED.store(true, Ordering::Relaxed);
            }
        });
    });
    listening.map(drop).map_err(failed)
}

/// What the work gives; `None` if Ctrl-C came first. The work's thread is left to end by itself.
pub(super) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    INTERRUPTED.store(false, Ordering::Relaxed);
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(work());
    });
    loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(done) => return Some(done),
            Err(RecvTimeoutError::Timeout) if INTERRUPTED.load(Ordering::Relaxed) => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Waits; false if Ctrl-C came first.
pub(super) fn pause(pause: Duration) -> bool {
    INTERRUPTED.store(false, Ordering::Relaxed);
    let end = Instant::now() + pause;
    while !INTERRUPTED.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LOOK_EVERY));
    }
    false
}
