//! One of a circuit's parts, as the thread that runs it sees it, and as the rest of the crate does.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

use dbsp::{CircuitHandle, RootCircuit};
use feldera_storage::{FileCommitter, StoragePath};
use headwater_types::{Delta, Name};

use crate::checkpoint::PartRecord;
use crate::circuit::StepError;
use crate::component::Component;
use crate::dataflow::Dataflow;
use crate::expression::errors::ErrorLog;
use crate::operators::{Ends, instantiate};
use crate::profile::{PartProfile, Watch, states};

/// The number of a part, never used twice by one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartId(pub(crate) u64);

/// What a part reads and keeps.
#[derive(Clone, Debug)]
pub(crate) struct PartPlan {
    pub(crate) id: PartId,
    /// The views whose rows it gives.
    pub(crate) views: Vec<Name>,
    /// The tables, and the views of other parts, that it reads.
    pub(crate) sources: BTreeSet<Name>,
}

/// A part that is to be built.
pub(crate) struct NewPart {
    pub(crate) dataflow: Arc<Dataflow>,
    pub(crate) component: Component,
    /// Of the views' plans.
    pub(crate) plan_hash: [u8; 32],
    /// How it was when its state was saved.
    pub(crate) restored: Option<PartRecord>,
}

impl NewPart {
    /// Whether it must run though nothing changes.
    pub(crate) fn must_run(&self) -> bool {
        self.restored.as_ref().map_or(self.component.starts_with_rows, |record| record.must_run)
    }
}

/// One circuit of dbsp. It lives and dies on one thread.
pub(crate) struct Part {
    pub(crate) plan: PartPlan,
    plan_hash: [u8; 32],
    dataflow: Arc<Dataflow>,
    component: Component,
    circuit: CircuitHandle,
    /// The same circuit, to ask its nodes.
    nodes: RootCircuit,
    ends: Ends,
    watch: Watch,
    /// Whether it must run though nothing changed: it was never run, and has rows without any.
    must_run: bool,
    bulk: Bulk,
}

/// Where a part is with rows that it was given in bulk: one transaction of dbsp.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bulk {
    /// It was given none, or has computed all that follows.
    Idle,
    /// It takes them in.
    Loading,
    /// It computes what follows from them.
    Computing,
}

impl Part {
    /// Builds a part.
    pub(crate) fn build(id: PartId, new: &NewPart, errors: &Rc<ErrorLog>) -> Result<Part, dbsp::Error> {
        let NewPart { dataflow, component, plan_hash, restored } = new;
        let sources = dataflow.sources(&component.nodes);
        // A part that was saved before it ever ran has no state.
        let has_state = restored.as_ref().is_some_and(|record| !record.must_run);
        let (circuit, (nodes, mut ends)) = RootCircuit::build(|circuit| {
            let ends = instantiate(circuit, dataflow, &component.nodes, errors, has_state);
            Ok((circuit.clone(), ends))
        })?;
        let views = ends.outputs.iter().map(|(view, _)| view.clone()).collect();
        let plan = PartPlan { id, views, sources };
        let watch = Watch::new(&circuit, std::mem::take(&mut ends.nodes));
        Ok(Part {
            plan,
            plan_hash: *plan_hash,
            dataflow: dataflow.clone(),
            component: component.clone(),
            circuit,
            nodes,
            ends,
            watch,
            must_run: new.must_run(),
            bulk: Bulk::Idle,
        })
    }

    /// Writes the state of all operators to files, whose list grows.
    pub(crate) fn save(
        &mut self,
        base: &StoragePath,
        files: &mut Vec<Arc<dyn FileCommitter>>,
    ) -> Result<PartRecord, dbsp::Error> {
        self.circuit.checkpoint(base, files)?;
        Ok(PartRecord {
            views: self.plan.views.clone(),
            plan_hash: self.plan_hash,
            fingerprint: self.circuit.fingerprint(),
            must_run: self.must_run,
        })
    }

    /// Gives all operators the state that they saved. Says what is wrong if these are other operators.
    pub(crate) fn restore(&mut self, base: &StoragePath, record: &PartRecord) -> Result<(), StepError> {
        let differs = |what: &str| Err(StepError::Storage(format!("the saved operators differ: {what}")));
        if self.circuit.fingerprint() != record.fingerprint {
            return differs("another order or kind");
        }
        match self.circuit.restore(base, false).map_err(|error| step_error(&error))? {
            None => Ok(()),
            Some(_) => differs("some have no state"),
        }
    }

    /// Whether these changes are any of its business.
    pub(crate) fn reads(&self, changes: &[(Name, Delta)]) -> bool {
        self.must_run || changes.iter().any(|(relation, _)| self.ends.inputs.contains_key(relation))
    }

    /// Runs it on those of the changes that it reads, and appends those of its views.
    pub(crate) fn run(&mut self, changes: &mut Vec<(Name, Delta)>) -> Result<(), StepError> {
        self.put(changes);
        self.circuit.transaction().map_err(|error| step_error(&error))?;
        self.take(changes);
        Ok(())
    }

    /// Takes in those of the changes that it reads. What needs state is not computed before [`Part::compute`], and then
    /// once for all that was taken in; changes of views that need none are appended.
    pub(crate) fn load(&mut self, changes: &mut Vec<(Name, Delta)>) -> Result<(), StepError> {
        if self.bulk == Bulk::Idle {
            self.circuit.start_transaction().map_err(|error| step_error(&error))?;
            self.bulk = Bulk::Loading;
        }
        self.put(changes);
        self.circuit.step().map_err(|error| step_error(&error))?;
        self.take(changes);
        Ok(())
    }

    /// Computes a bounded part of what follows from all that was loaded, and appends the changes of its views.
    pub(crate) fn compute(&mut self, changes: &mut Vec<(Name, Delta)>) -> Result<(), StepError> {
        if self.bulk == Bulk::Loading {
            self.circuit.start_commit_transaction().map_err(|error| step_error(&error))?;
            self.bulk = Bulk::Computing;
        }
        self.circuit.step().map_err(|error| step_error(&error))?;
        if self.circuit.is_commit_complete() {
            self.bulk = Bulk::Idle;
        }
        self.take(changes);
        Ok(())
    }

    /// Whether something was loaded of which not all is computed.
    pub(crate) fn is_loaded(&self) -> bool {
        self.bulk != Bulk::Idle
    }

    /// Drops it. In the middle of a transaction dbsp would check what only holds at its end, unless something panics.
    pub(crate) fn discard(self) {
        if self.is_loaded() {
            let _ = catch_unwind(AssertUnwindSafe(move || {
                let _part = self;
                resume_unwind(Box::new(()));
            }));
        }
    }

    fn put(&mut self, changes: &[(Name, Delta)]) {
        self.must_run = false;
        self.watch.count_step();
        for (relation, delta) in changes {
            if let Some((input, rows)) = self.ends.inputs.get(relation) {
                let delta = delta.clone();
                rows.add(delta.num_rows());
                input.update_for_worker(0, |pending| pending.parts.extend(delta.parts));
            }
        }
    }

    fn take(&self, changes: &mut Vec<(Name, Delta)>) {
        let deltas = self.ends.outputs.iter().map(|(view, sink)| (view.clone(), sink.take()));
        changes.extend(deltas.filter(|(_, delta)| !delta.is_empty()));
    }

    /// What its operators did and hold.
    pub(crate) fn profile(&self) -> PartProfile {
        self.watch.profile(&self.nodes, &self.dataflow, &self.component)
    }

    /// Roughly the memory that its state takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let bytes: u64 = states(&self.nodes).into_iter().map(|(_, bytes)| bytes).sum();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}

pub(crate) fn step_error(error: &dbsp::Error) -> StepError {
    match error {
        dbsp::Error::Storage(_) | dbsp::Error::IO(_) => StepError::Storage(error.to_string()),
        _ => StepError::Panicked(error.to_string()),
    }
}
