//! The log's side of a step: one append, one sync, while the story's own thread computes what the step does.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use headwater_log::{AppendError, CutError, LogStore, NewRecord};
use headwater_types::Lsn;
use parking_lot::Mutex;

/// The log of a workspace and the thread that syncs it. At most one append is under way.
pub(crate) struct Committer {
    log: Arc<Mutex<Box<dyn LogStore>>>,
    /// `None` once the thread is told to end.
    jobs: Option<SyncSender<Job>>,
    results: Receiver<Result<(), AppendError>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    lsn: Lsn,
    kind: u8,
    payload: Vec<u8>,
}

/// An append that is under way. It must be waited for.
#[must_use = "an append must be waited for before anything is acknowledged"]
pub(crate) struct Committing<'a> {
    committer: &'a Committer,
}

impl Committer {
    /// Takes the log over.
    pub(crate) fn start(log: Box<dyn LogStore>, workspace: &str) -> std::io::Result<Committer> {
        let log = Arc::new(Mutex::new(log));
        let (jobs, job_receiver) = sync_channel::<Job>(1);
        let (result_sender, results) = sync_channel(1);
        let shared = Arc::clone(&log);
        let thread = std::thread::Builder::new().name(format!("commit {workspace}")).spawn(move || {
            for job in job_receiver {
                let result = append(&mut **shared.lock(), job.lsn, job.kind, &job.payload);
                if result_sender.send(result).is_err() {
                    return;
                }
            }
        })?;
        Ok(Committer { log, jobs: Some(jobs), results, thread: Some(thread) })
    }

    /// Appends a record in the background.
    pub(crate) fn begin(&self, lsn: Lsn, kind: u8, payload: Vec<u8>) -> Committing<'_> {
        // A failed send means that the thread is gone; the wait that follows then says so.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(Job { lsn, kind, payload }));
        Committing { committer: self }
    }

    /// Appends a record on this thread: quicker when there is nothing else to do meanwhile.
    pub(crate) fn append(&self, lsn: Lsn, kind: u8, payload: &[u8]) -> Result<(), AppendError> {
        append(&mut **self.log.lock(), lsn, kind, payload)
    }

    /// Whether a record of so many bytes fits.
    pub(crate) fn has_room(&self, payload_bytes: usize) -> bool {
        self.log.lock().has_room(payload_bytes)
    }

    /// Gives up log below `lsn`.
    pub(crate) fn cut_before(&self, lsn: Lsn) -> Result<(), CutError> {
        self.log.lock().cut_before(lsn)
    }

    /// Gives the log's reserve to the volume, so that snapshots fit on a full disk.
    pub(crate) fn release_reserve(&self) -> std::io::Result<()> {
        self.log.lock().release_reserve()
    }

    /// Takes the log's reserve back, now or when there is space.
    pub(crate) fn retake_reserve(&self) {
        self.log.lock().retake_reserve();
    }

    /// Bytes of log from `lsn` on.
    pub(crate) fn bytes_since(&self, lsn: Lsn) -> u64 {
        self.log.lock().bytes_since(lsn)
    }
}

impl Drop for Committer {
    /// Ends the thread and lets go of the log: whoever opens its folder next finds it free, and marked as whole.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Err(error) = self.log.lock().mark_durable() {
            tracing::warn!(%error, "the log's end could not be marked; the next start reads it all the same");
        }
    }
}

impl Committing<'_> {
    /// Waits until the record is durable, or is not.
    pub(crate) fn wait(self) -> Result<(), AppendError> {
        self.committer.results.recv().unwrap_or(Err(AppendError::Closed))
    }
}

fn append(log: &mut dyn LogStore, lsn: Lsn, kind: u8, payload: &[u8]) -> Result<(), AppendError> {
    passed!("commit");
    log.append(lsn, &[NewRecord { kind, payload: &[payload] }])
}
