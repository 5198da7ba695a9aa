use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dbsp::Runtime;
use dbsp::circuit::{
    CircuitConfig, CircuitStorageConfig, RuntimeHandle, StorageCacheConfig, StorageConfig, StorageOptions,
};
use headwater_types::{Delta, Name};

use crate::checkpoint::WORKERS;
use crate::circuit::{BuildError, StepError, StepOutput};
use crate::options::CircuitOptions;
use crate::part::{NewPart, PartId, PartPlan};
use crate::parts::{Parts, SavedParts};
use crate::profile::PartProfile;
use crate::storage::Storage;
use crate::storage::book::Book;

/// After how long without a reply the disk is asked about. dbsp's mergers panic when the disk refuses something, and
/// whoever waits for them waits for ever.
const PATIENCE: Duration = Duration::from_secs(3);

type Job = Box<dyn FnOnce(&mut Parts) + Send>;

/// The thread on which dbsp's circuits live, and the way to it. It does one thing at a time. What panics there is
/// caught there and answered.
#[derive(Debug)]
pub(crate) struct Worker {
    /// `None` once the thread was asked to end.
    jobs: Option<SyncSender<Job>>,
    /// `None` once the thread was joined.
    runtime: Option<RuntimeHandle>,
    memory_bytes: Arc<AtomicUsize>,
    /// Where its files are.
    book: Option<Arc<Book>>,
}

impl Worker {
    /// Starts the thread. With a book, state goes to its folder.
    pub(crate) fn start(options: &CircuitOptions, book: Option<&Arc<Book>>) -> Result<Worker, BuildError> {
        let (sender, jobs) = sync_channel(1);
        let jobs = Arc::new(Mutex::new(Some(jobs)));
        let memory_bytes = Arc::new(AtomicUsize::new(0));
        let measured = memory_bytes.clone();
        let config = config(options, book);
        let runtime = keeping_panic_hook(|| {
            Runtime::run(config, move |_parker| {
                if let Some(jobs) = jobs.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    serve(&jobs, Parts::new(measured));
                }
            })
        })
        .map_err(|error| BuildError::Runtime(error.to_string()))?;
        Ok(Worker { jobs: Some(sender), runtime: Some(runtime), memory_bytes, book: book.cloned() })
    }

    /// Builds the parts of a change.
    pub(crate) fn build(&mut self, new: Vec<NewPart>) -> Result<Vec<PartPlan>, BuildError> {
        self.call(move |parts| parts.build(&new))
            .map_err(BuildError::Runtime)?
            .map_err(|error| BuildError::Runtime(error.to_string()))
    }

    /// Builds running parts with the state that they saved in a checkpoint.
    pub(crate) fn restore(&mut self, new: Vec<NewPart>, checkpoint: u64) -> Result<Vec<PartPlan>, StepError> {
        self.call(move |parts| parts.restore(&new, checkpoint))
            .unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// Writes the state of the running parts to files. After an error they are gone.
    pub(crate) fn save(&mut self, checkpoint: u64, book: Arc<Book>) -> Result<SavedParts, StepError> {
        self.call(move |parts| parts.save(checkpoint, &book))
            .unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// Runs the running parts. After an error those that ran are gone.
    pub(crate) fn step(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        self.call(move |parts| parts.step(inputs)).unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// Runs the parts of a change.
    pub(crate) fn feed(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        self.call(move |parts| parts.feed(inputs)).unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// Loads the parts of a change.
    pub(crate) fn load(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        self.call(move |parts| parts.load(inputs)).unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// Computes a bounded part of what follows in the parts of a change, and says whether that was all.
    pub(crate) fn compute(&mut self) -> Result<(StepOutput, bool), StepError> {
        self.call(Parts::compute).unwrap_or_else(|panic| Err(StepError::Panicked(panic)))
    }

    /// What the operators of the running parts did and hold.
    pub(crate) fn profile(&mut self) -> Vec<PartProfile> {
        self.call(|parts| parts.profile()).unwrap_or_default()
    }

    /// The running parts that are left.
    pub(crate) fn running_parts(&mut self) -> Vec<PartId> {
        self.call(|parts| parts.running()).unwrap_or_default()
    }

    /// Of the running parts these go on, and those of the change run from now on. False if they are gone.
    pub(crate) fn swap(&mut self, carried: Vec<PartId>) -> bool {
        self.call(move |parts| parts.swap(&carried)).is_ok()
    }

    /// Drops the parts of a change.
    pub(crate) fn drop_new(&mut self) {
        // They are gone too if the thread is.
        let _ = self.call(Parts::drop_new);
    }

    /// What the state of all parts takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    /// Has the thread do something. An error is what it panicked with.
    fn call<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Parts) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (reply, replied) = sync_channel(1);
        let job: Job = Box::new(move |parts| {
            let outcome = catch_unwind(AssertUnwindSafe(|| job(parts)));
            // Whoever called waits for the reply.
            let _ = reply.send(outcome.map_err(|payload| panic_message(payload.as_ref())));
        });
        let ended = || "its thread ended".to_owned();
        match &self.jobs {
            Some(jobs) if jobs.send(job).is_ok() => {}
            _ => return Err(ended()),
        }
        loop {
            match replied.recv_timeout(PATIENCE) {
                Ok(reply) => return reply,
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) if self.has_storage_failed() => {
                    self.give_up();
                    return Err("it waits for files that the disk refused".to_owned());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn has_storage_failed(&self) -> bool {
        self.book.as_ref().is_some_and(|book| book.has_failed())
    }

    /// Leaves the thread to itself.
    fn give_up(&mut self) {
        self.jobs = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.kill_async();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(runtime) = self.runtime.take() {
            // The thread catches its panics, so there is none to pass on.
            let _ = runtime.kill();
        }
    }
}

/// dbsp replaces the process's panic hook whenever a runtime starts; what panics print is the server's business.
fn keeping_panic_hook<T>(start: impl FnOnce() -> T) -> T {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = std::panic::take_hook();
    let started = start();
    std::panic::set_hook(hook);
    started
}

fn config(options: &CircuitOptions, book: Option<&Arc<Book>>) -> CircuitConfig {
    let mut config = CircuitConfig::with_workers(WORKERS);
    config.dev_tweaks.merger_threads = Some(1);
    let (Some(storage), Some(book)) = (&options.storage, book) else { return config };
    config.max_rss_bytes = storage.process_bytes_max;
    config.storage = Some(CircuitStorageConfig {
        config: StorageConfig {
            path: storage.dir.to_string_lossy().into_owned(),
            cache: StorageCacheConfig::PageCache,
        },
        options: StorageOptions {
            min_storage_bytes: Some(storage.file_bytes_min),
            cache_mib: Some((storage.cache_bytes >> 20).max(1)),
            ..StorageOptions::default()
        },
        backend: Arc::new(Storage(book.clone())),
        init_checkpoint: None,
        defer_restore: false,
    });
    config
}

/// The thread's life.
fn serve(jobs: &Receiver<Job>, mut parts: Parts) {
    while let Ok(job) = jobs.recv() {
        job(&mut parts);
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without message").to_owned()
}
