use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use dbsp::circuit::{CircuitConfig, RuntimeHandle};
use dbsp::{CircuitHandle, RootCircuit, Runtime};
use headwater_types::{Delta, Name};

use crate::circuit::{BuildError, StepError, StepOutput};
use crate::component::Component;
use crate::dataflow::{Dataflow, Node};
use crate::expression::errors::ErrorLog;
use crate::operators::{Ends, instantiate};

type Inputs = Vec<(Name, Delta)>;
type Reply = Result<StepOutput, StepError>;

/// The thread on which dbsp's circuits live, and the way to it. It does one thing at a time and answers each
/// request once. Whatever panics there is caught there: it answers, drops the circuits, and ends.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Tables that some view reads.
    tables: HashSet<Name>,
    /// Whether the first step is done; it runs though nothing changed.
    started: bool,
    /// `None` once the thread was asked to end.
    channel: Option<(SyncSender<Inputs>, Receiver<Reply>)>,
    /// `None` once the thread was joined.
    runtime: Option<RuntimeHandle>,
}

/// What the thread starts with.
struct Start {
    dataflow: Dataflow,
    components: Vec<Component>,
    requests: Receiver<Inputs>,
    replies: SyncSender<Reply>,
}

/// One of the thread's circuits.
struct Part {
    circuit: CircuitHandle,
    ends: Ends,
    /// Whether it must run in the first step whatever changed.
    starts_with_rows: bool,
}

impl Worker {
    /// Starts the thread and waits until its circuits are built.
    pub(crate) fn start(dataflow: Dataflow, components: Vec<Component>) -> Result<Worker, BuildError> {
        let source = |node: &Node| if let Node::Source { table } = node { Some(table.clone()) } else { None };
        let tables = dataflow.nodes.iter().filter_map(source).collect();
        let (request_sender, requests) = sync_channel(1);
        let (replies, reply_receiver) = sync_channel(1);
        let start = Arc::new(Mutex::new(Some(Start { dataflow, components, requests, replies })));
        let runtime = keeping_panic_hook(|| {
            Runtime::run(CircuitConfig::with_workers(1), move |_parker| {
                if let Some(start) = start.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    run(start);
                }
            })
        })
        .map_err(|error| BuildError::Runtime(error.to_string()))?;
        let mut worker = Worker {
            tables,
            started: false,
            channel: Some((request_sender, reply_receiver)),
            runtime: Some(runtime),
        };
        worker.receive().map_err(|error| BuildError::Runtime(error.to_string()))?;
        Ok(worker)
    }

    /// Runs one step. After an error the thread is gone.
    pub(crate) fn step(&mut self, mut inputs: Inputs) -> Reply {
        inputs.retain(|(name, delta)| self.tables.contains(name) && !delta.is_empty());
        if inputs.is_empty() && self.started {
            return Ok(StepOutput::default());
        }
        self.started = true;
        if let Some((requests, _)) = &self.channel {
            // A thread that is gone has left its reason among the replies.
            let _ = requests.send(inputs);
        }
        self.receive()
    }

    fn receive(&mut self) -> Reply {
        let ended = || Err(StepError::Panicked("its thread ended".into()));
        let reply = self
            .channel
            .as_ref()
            .map_or_else(ended, |(_, replies)| replies.recv().unwrap_or_else(|_| ended()));
        if reply.is_err() {
            self.stop();
        }
        reply
    }

    fn stop(&mut self) {
        self.channel = None;
        if let Some(runtime) = self.runtime.take() {
            // The thread catches its panics, so there is none to pass on.
            let _ = runtime.kill();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
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
fn run(start: Start) {
    let Start { dataflow, components, requests, replies } = start;
    // Circuits are dropped while a panic unwinds: dbsp does not run their last clock tick then.
    let outcome = catch_unwind(AssertUnwindSafe(|| serve(&dataflow, &components, &requests, &replies)));
    if let Err(payload) = outcome {
        // Nobody waits for a reply when the circuit is being dropped.
        let _ = replies.send(Err(StepError::Panicked(panic_message(payload.as_ref()))));
    }
}

fn serve(
    dataflow: &Dataflow,
    components: &[Component],
    requests: &Receiver<Inputs>,
    replies: &SyncSender<Reply>,
) {
    let errors = Rc::new(ErrorLog::default());
    let parts: Result<Vec<Part>, dbsp::Error> =
        components.iter().map(|component| build(dataflow, component, &errors)).collect();
    let parts = match parts {
        Ok(parts) => parts,
        Err(error) => {
            let _ = replies.send(Err(step_error(&error)));
            return;
        }
    };
    if replies.send(Ok(StepOutput::default())).is_err() {
        return;
    }
    let mut first = true;
    while let Ok(inputs) = requests.recv() {
        let reply = step(dataflow, &parts, &errors, inputs, first);
        first = false;
        let failed = reply.is_err();
        if replies.send(reply).is_err() || failed {
            return;
        }
    }
}

fn build(dataflow: &Dataflow, component: &Component, errors: &Rc<ErrorLog>) -> Result<Part, dbsp::Error> {
    let (circuit, ends) =
        RootCircuit::build(|circuit| Ok(instantiate(circuit, dataflow, &component.nodes, errors)))?;
    Ok(Part { circuit, ends, starts_with_rows: component.starts_with_rows })
}

fn step(dataflow: &Dataflow, parts: &[Part], errors: &ErrorLog, mut inputs: Inputs, first: bool) -> Reply {
    let mut deltas: Vec<(usize, Delta)> = Vec::new();
    for part in parts {
        let mut runs = first && part.starts_with_rows;
        for (name, delta) in &mut inputs {
            if let Some(input) = part.ends.inputs.get(name) {
                let delta = std::mem::take(delta);
                input.update_for_worker(0, |pending| pending.parts.extend(delta.parts));
                runs = true;
            }
        }
        if runs {
            part.circuit.transaction().map_err(|error| step_error(&error))?;
            deltas.extend(part.ends.outputs.iter().map(|(view, sink)| (*view, sink.take())));
        }
    }
    deltas.retain(|(_, delta)| !delta.is_empty());
    deltas.sort_by_key(|(view, _)| *view);
    let (errors, errors_total) = errors.take();
    let deltas = deltas.into_iter().map(|(view, delta)| (dataflow.views[view].name.clone(), delta)).collect();
    Ok(StepOutput { deltas, errors, errors_total })
}

fn step_error(error: &dbsp::Error) -> StepError {
    match error {
        dbsp::Error::Storage(_) | dbsp::Error::IO(_) => StepError::Storage(error.to_string()),
        _ => StepError::Panicked(error.to_string()),
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without message").to_owned()
}
