//! Changing the program: new parts are built and fed beside the running ones, then take their place.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use headwater_sql::{Program, ViewDefinition};
use headwater_types::{Delta, Name};

use crate::checkpoint::plan_hash;
use crate::circuit::{BuildError, Circuit, Running, StepError, StepOutput, materialized_views};
use crate::component::{Component, components};
use crate::lower::lower;
use crate::part::{NewPart, PartId, PartPlan};
use crate::worker::Worker;

/// A change that has begun.
#[derive(Debug)]
pub(crate) struct Change {
    tables: HashSet<Name>,
    views: HashMap<Name, usize>,
    /// The running parts that go on.
    carried: Vec<PartPlan>,
    new: Vec<PartPlan>,
    /// Whether the new parts were run.
    is_fed: bool,
}

impl Circuit {
    /// Begins a change to `program`; one that had begun is dropped. `kept` are the materialised views that are the
    /// same as before, with all that they read.
    ///
    /// A running part is carried on if all its views are kept, and all whose views it reads are carried on. Every
    /// other materialised view is built anew, beside the running parts, which still run the old program.
    pub fn begin_change(&mut self, program: &Program, kept: &HashSet<Name>) -> Result<(), BuildError> {
        self.abandon_change();
        let views = materialized_views(program);
        let carried = self.carried(|view| kept.contains(view) && views.contains_key(view));
        let carried_views: HashSet<&Name> = carried.iter().flat_map(|part| &part.views).collect();
        let new = new_parts(program, &carried_views)?;
        let new = if new.is_empty() { Vec::new() } else { self.build_parts(new)? };
        let tables = program.tables.iter().map(|table| table.name.clone()).collect();
        self.change = Some(Change { tables, views, carried, new, is_fed: false });
        Ok(())
    }

    fn build_parts(&mut self, new: Vec<NewPart>) -> Result<Vec<PartPlan>, BuildError> {
        if self.worker.is_none() {
            let book = self.book().map_err(|error| BuildError::Runtime(error.to_string()))?;
            self.worker = Some(Worker::start(&self.options, book.as_ref())?);
        }
        let built = self.worker.as_mut().map_or(Ok(Vec::new()), |worker| worker.build(new));
        if built.is_err() && self.running.parts.is_empty() {
            self.worker = None;
        }
        built
    }

    /// The running parts that go on, where `stays` tells which views are the same.
    fn carried(&self, stays: impl Fn(&Name) -> bool) -> Vec<PartPlan> {
        let running = &self.running;
        let mut carried: Vec<PartPlan> = Vec::new();
        for part in &running.parts {
            let is_there = |source: &Name| {
                !running.views.contains_key(source)
                    || carried.iter().any(|earlier| earlier.views.contains(source))
            };
            if part.views.iter().all(&stays) && part.sources.iter().all(is_there) {
                carried.push(part.clone());
            }
        }
        carried
    }

    /// The tables, and the views of carried parts, that the new parts read: [`Circuit::feed_change`] must be given
    /// all their rows before [`Circuit::finish_change`]. Tables come first, then views in the program's order.
    #[must_use]
    pub fn change_sources(&self) -> Vec<Name> {
        let Some(change) = &self.change else { return Vec::new() };
        let sources: BTreeSet<&Name> = change.new.iter().flat_map(|part| &part.sources).collect();
        let mut sources: Vec<Name> = sources.into_iter().cloned().collect();
        sources.sort_by_key(|source| change.views.get(source).copied());
        sources
    }

    /// Runs the new parts on changes of what they read, and returns the changes of their views. The rows may come
    /// in any number of steps; at least one must be made, without rows if there are none, as some views have rows
    /// over empty tables.
    ///
    /// An error drops the change. The running parts do not notice, unless the disk refused something: then they are
    /// gone as after a failed step.
    ///
    /// # Panics
    /// If no change has begun, or an input is not one of its sources.
    pub fn feed_change(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        self.give_change(inputs, Worker::feed)
    }

    /// Gives the new parts rows in bulk, as [`Circuit::feed_change`] does, but computes nothing from them that needs
    /// state: [`Circuit::compute_change`] does, once for all that was loaded, which costs a fraction of doing it step by
    /// step. What was loaded is to be computed before anything is fed, and before the change is finished.
    pub fn load_change(&mut self, inputs: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        self.give_change(inputs, Worker::load)
    }

    /// Computes a bounded part of what follows from all that was loaded. Returns changes of views, and whether nothing
    /// is left to compute. An error drops the change.
    pub fn compute_change(&mut self) -> Result<(StepOutput, bool), StepError> {
        let change = self.change.as_ref().expect("the caller has begun a change");
        let Some(worker) = self.worker.as_mut().filter(|_| !change.new.is_empty()) else {
            return Ok((StepOutput::default(), true));
        };
        match worker.compute() {
            Ok((output, is_done)) => Ok((output.in_order_of(&change.views), is_done)),
            Err(error) => Err(self.change_failed(error)),
        }
    }

    fn give_change(
        &mut self,
        mut inputs: Vec<(Name, Delta)>,
        give: fn(&mut Worker, Vec<(Name, Delta)>) -> Result<StepOutput, StepError>,
    ) -> Result<StepOutput, StepError> {
        let change = self.change.as_mut().expect("the caller has begun a change");
        for (name, _) in &inputs {
            let is_source = change.new.iter().any(|part| part.sources.contains(name));
            assert!(is_source, "the new parts do not read {name}");
        }
        inputs.retain(|(_, delta)| !delta.is_empty());
        let worker = self.worker.as_mut().filter(|_| !inputs.is_empty() || !change.is_fed);
        let Some(worker) = worker else { return Ok(StepOutput::default()) };
        change.is_fed = true;
        match give(worker, inputs) {
            Ok(output) => Ok(output.in_order_of(&change.views)),
            Err(error) => Err(self.change_failed(error)),
        }
    }

    /// Drops the change; the running parts too if the disk refused something.
    fn change_failed(&mut self, error: StepError) -> StepError {
        self.abandon_change();
        if self.book.as_ref().is_some_and(|book| book.has_failed()) {
            self.lose_parts();
        }
        self.blamed(error)
    }

    /// Lets the new parts run from now on, and drops those that the new program does not need.
    ///
    /// # Panics
    /// If no change has begun.
    pub fn finish_change(&mut self) {
        let Change { tables, views, carried, new, is_fed } =
            self.change.take().expect("the caller has begun a change");
        let is_unstarted = (!is_fed && !new.is_empty()) || self.running.is_unstarted;
        let ids: Vec<PartId> = carried.iter().map(|part| part.id).collect();
        let parts: Vec<PartPlan> = carried.into_iter().chain(new).collect();
        let is_swapped = match &mut self.worker {
            _ if parts.is_empty() => {
                self.worker = None;
                true
            }
            Some(worker) => worker.swap(ids),
            None => false,
        };
        // A thread that ended meanwhile is found out by the next step.
        let is_broken = !is_swapped;
        let parts = if is_broken { Vec::new() } else { parts };
        self.running = Running { tables, views, parts, is_unstarted, is_broken };
    }

    /// Drops a change that has begun, if one has.
    pub fn abandon_change(&mut self) {
        if self.change.take().is_none() {
            return;
        }
        if let Some(worker) = &mut self.worker {
            worker.drop_new();
        }
        if self.running.parts.is_empty() {
            self.worker = None;
        }
    }
}

/// One part for each connected component of the views that are not carried on.
fn new_parts(program: &Program, carried: &HashSet<&Name>) -> Result<Vec<NewPart>, BuildError> {
    let views = program.views.iter().filter(|view| view.materialized && !carried.contains(&view.name));
    let views: Vec<&ViewDefinition> = views.map(AsRef::as_ref).collect();
    let dataflow = Arc::new(lower(&views)?);
    let part = |component: Component| {
        let names: HashSet<&Name> = component.views(&dataflow).map(|view| &view.name).collect();
        let plan_hash = plan_hash(views.iter().copied().filter(|view| names.contains(&view.name)));
        NewPart { plan_hash, dataflow: dataflow.clone(), component, restored: None }
    };
    Ok(components(&dataflow).into_iter().map(part).collect())
}
