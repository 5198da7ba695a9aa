use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use dbsp::Runtime;
use dbsp::circuit::{CircuitConfig, RuntimeHandle};
use headwater_types::{Delta, Name};

use crate::circuit::{BuildError, StepError, StepOutput};
use crate::component::Component;
use crate::dataflow::Dataflow;
use crate::options::CircuitOptions;
use crate::part::{PartId, PartPlan};
use crate::parts::Parts;

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
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(_options: &CircuitOptions) -> Result<Worker, BuildError> {
        let (sender, jobs) = sync_channel(1);
        let jobs = Arc::new(Mutex::new(Some(jobs)));
        let memory_bytes = Arc::new(AtomicUsize::new(0));
        let measured = memory_bytes.clone();
        let runtime = keeping_panic_hook(|| {
            Runtime::run(CircuitConfig::with_workers(1), move |_parker| {
                if let Some(jobs) = jobs.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    serve(&jobs, Parts::new(measured));
                }
            })
        })
        .map_err(|error| BuildError::Runtime(error.to_string()))?;
        Ok(Worker { jobs: Some(sender), runtime: Some(runtime), memory_bytes })
    }

    /// Builds the parts of a change.
    pub(crate) fn build(
        &mut self,
        dataflow: Dataflow,
        components: Vec<Component>,
    ) -> Result<Vec<PartPlan>, BuildError> {
        self.call(move |parts| parts.build(&dataflow, &components))
            .map_err(BuildError::Runtime)?
            .map_err(|error| BuildError::Runtime(error.to_string()))
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
        let ended = || Err("its thread ended".to_owned());
        match &self.jobs {
            Some(jobs) if jobs.send(job).is_ok() => replied.recv().unwrap_or_else(|_| ended()),
            _ => ended(),
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
