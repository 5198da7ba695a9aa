//! The thread that parks what nobody uses.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::fleet::Fleet;

/// Time between two looks: how much later than promised a workspace is parked, and how long memory may grow unseen.
const EVERY: Duration = Duration::from_millis(250);

/// Looks after a fleet until it is stopped, or the fleet is gone.
pub(super) struct Housekeeping {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeping {
    pub(super) fn start(fleet: &Arc<Fleet>) -> std::io::Result<Housekeeping> {
        let (stop, stopped) = channel::<()>();
        let fleet: Weak<Fleet> = Arc::downgrade(fleet);
        let run = move || {
            // Nothing is ever sent: it ends when the sender is dropped.
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                match fleet.upgrade() {
                    Some(fleet) => fleet.tidy(),
                    None => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(run)?;
        Ok(Housekeeping { stop, thread })
    }

    /// Ends the thread, after what it is at.
    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}
