//! All parts of a circuit, on the thread that runs them.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_types::{Delta, Name};

use crate::circuit::{StepError, StepOutput};
use crate::component::Component;
use crate::dataflow::Dataflow;
use crate::expression::errors::ErrorLog;
use crate::part::{Part, PartId, PartPlan};

/// After how many rows the memory is measured again.
const MEASURED_ROWS: usize = 65_536;

/// After how many steps the memory is measured again.
const MEASURED_STEPS: usize = 1024;

/// The running parts and those of a change that has begun.
pub(crate) struct Parts {
    /// In the order in which they run. A slot is empty once its part is gone.
    running: Vec<Option<Part>>,
    /// Parts of a change. They do not read each other.
    new: Vec<Option<Part>>,
    errors: Rc<ErrorLog>,
    next_id: u64,
    memory_bytes: Arc<AtomicUsize>,
    /// Rows and steps since the memory was measured.
    unmeasured: (usize, usize),
}

impl Parts {
    /// No parts. What they come to take in memory is written to `memory_bytes`.
    pub(crate) fn new(memory_bytes: Arc<AtomicUsize>) -> Parts {
        Parts {
            running: Vec::new(),
            new: Vec::new(),
            errors: Rc::new(ErrorLog::default()),
            next_id: 0,
            memory_bytes,
            unmeasured: (0, 0),
        }
    }

    /// Builds the parts of a change.
    pub(crate) fn build(
        &mut self,
        dataflow: &Dataflow,
        components: &[Component],
    ) -> Result<Vec<PartPlan>, dbsp::Error> {
        let mut new = Vec::with_capacity(components.len());
        for component in components {
            self.next_id += 1;
            new.push(Some(Part::build(PartId(self.next_id), dataflow, component, &self.errors)?));
        }
        let plans = new.iter().flatten().map(|part| part.plan.clone()).collect();
        self.new = new;
        Ok(plans)
    }

    /// Runs the running parts.
    pub(crate) fn step(&mut self, changes: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        let rows = num_rows(&changes);
        let output = run(&mut self.running, &self.errors, changes, Part::run)?;
        self.measure_now_and_then(rows);
        Ok(output)
    }

    /// Runs the parts of a change.
    pub(crate) fn feed(&mut self, changes: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        let rows = num_rows(&changes);
        let output = run(&mut self.new, &self.errors, changes, Part::run)?;
        self.measure_now_and_then(rows);
        Ok(output)
    }

    /// Loads the parts of a change.
    pub(crate) fn load(&mut self, changes: Vec<(Name, Delta)>) -> Result<StepOutput, StepError> {
        let rows = num_rows(&changes);
        let output = run(&mut self.new, &self.errors, changes, Part::load)?;
        self.measure_now_and_then(rows);
        Ok(output)
    }

    /// Computes a bounded part of what follows in the parts of a change, and says whether that was all.
    pub(crate) fn compute(&mut self) -> Result<(StepOutput, bool), StepError> {
        let _of_a_failed_step = self.errors.take();
        let mut deltas = Vec::new();
        let is_loaded = |slot: &&mut Option<Part>| slot.as_ref().is_some_and(Part::is_loaded);
        if let Some(slot) = self.new.iter_mut().find(is_loaded)
            && let Some(mut part) = slot.take()
        {
            // It stays out of its slot if this fails.
            part.compute(&mut deltas)?;
            *slot = Some(part);
        }
        let is_done = !self.new.iter().flatten().any(Part::is_loaded);
        let (errors, errors_total) = self.errors.take();
        Ok((StepOutput { deltas, errors, errors_total }, is_done))
    }

    /// The running parts that are left.
    pub(crate) fn running(&self) -> Vec<PartId> {
        self.running.iter().flatten().map(|part| part.plan.id).collect()
    }

    /// Of the running parts these go on, and all new ones run from now on.
    pub(crate) fn swap(&mut self, carried: &[PartId]) {
        self.running.retain(|part| part.as_ref().is_some_and(|part| carried.contains(&part.plan.id)));
        self.running.append(&mut self.new);
        self.measure();
    }

    /// Drops the parts of a change.
    pub(crate) fn drop_new(&mut self) {
        self.new.drain(..).flatten().for_each(Part::discard);
        self.measure();
    }

    fn measure_now_and_then(&mut self, rows: usize) {
        self.unmeasured.0 += rows;
        self.unmeasured.1 += 1;
        if self.unmeasured.0 >= MEASURED_ROWS || self.unmeasured.1 >= MEASURED_STEPS {
            self.measure();
        }
    }

    fn measure(&mut self) {
        self.unmeasured = (0, 0);
        let parts = self.running.iter().chain(&self.new).flatten();
        self.memory_bytes.store(parts.map(Part::memory_bytes).sum(), Ordering::Relaxed);
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.new.drain(..).flatten().for_each(Part::discard);
    }
}

fn num_rows(changes: &[(Name, Delta)]) -> usize {
    changes.iter().map(|(_, delta)| delta.num_rows()).sum()
}

/// Runs those parts that these changes, or the changes of views that come of them, are for.
///
/// While parts run they are out of their slots, so that after an error or a panic those that ran are gone, and
/// those that did not are as they were. dbsp does not run their last clock tick when a panic drops them.
fn run(
    parts: &mut [Option<Part>],
    errors: &ErrorLog,
    mut changes: Vec<(Name, Delta)>,
    how: impl Fn(&mut Part, &mut Vec<(Name, Delta)>) -> Result<(), StepError>,
) -> Result<StepOutput, StepError> {
    let _of_a_failed_step = errors.take();
    let inputs = changes.len();
    let mut ran: Vec<(usize, Part)> = Vec::new();
    for (position, slot) in parts.iter_mut().enumerate() {
        if let Some(part) = slot.take_if(|part| part.reads(&changes)) {
            ran.push((position, part));
            if let Some((_, part)) = ran.last_mut() {
                how(part, &mut changes)?;
            }
        }
    }
    ran.into_iter().for_each(|(position, part)| parts[position] = Some(part));
    let (errors, errors_total) = errors.take();
    Ok(StepOutput { deltas: changes.split_off(inputs), errors, errors_total })
}
