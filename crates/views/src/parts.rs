//! All parts of a circuit, on the thread that runs them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use feldera_storage::StoragePath;
use headwater_types::{Delta, Name};

use crate::checkpoint::PartRecord;
use crate::circuit::{StepError, StepOutput};
use crate::expression::errors::ErrorLog;
use crate::part::{NewPart, Part, PartId, PartPlan, step_error};
use crate::profile::PartProfile;
use crate::storage::book::Book;

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

/// The state of all parts, in files.
#[derive(Debug, Default)]
pub(crate) struct SavedParts {
    pub(crate) parts: Vec<PartRecord>,
    /// The names of batch files.
    pub(crate) batches: Vec<String>,
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
    pub(crate) fn build(&mut self, parts: &[NewPart]) -> Result<Vec<PartPlan>, dbsp::Error> {
        let new = parts.iter().map(|new| self.part(new)).collect::<Result<Vec<_>, _>>()?;
        let plans = new.iter().map(|part| part.plan.clone()).collect();
        self.new = new.into_iter().map(Some).collect();
        Ok(plans)
    }

    /// Builds running parts with the state that they saved in a checkpoint.
    pub(crate) fn restore(&mut self, parts: &[NewPart], checkpoint: u64) -> Result<Vec<PartPlan>, StepError> {
        let mut running = Vec::with_capacity(parts.len());
        for (position, new) in parts.iter().enumerate() {
            let mut part = self.part(new).map_err(|error| step_error(&error))?;
            if let Some(record) = &new.restored {
                part.restore(&base(checkpoint, position), record)?;
            }
            running.push(part);
        }
        let plans = running.iter().map(|part| part.plan.clone()).collect();
        self.running = running.into_iter().map(Some).collect();
        self.measure();
        Ok(plans)
    }

    /// Writes the state of the running parts to files that `checkpoint` holds from now on. While that is under way
    /// parts are out of their slots, as in a step.
    pub(crate) fn save(&mut self, checkpoint: u64, book: &Book) -> Result<SavedParts, StepError> {
        let mut running = std::mem::take(&mut self.running);
        let mut files = Vec::new();
        let mut parts = Vec::with_capacity(running.len());
        for (position, part) in running.iter_mut().flatten().enumerate() {
            let record = part.save(&base(checkpoint, position), &mut files);
            parts.push(record.map_err(|error| step_error(&error))?);
        }
        let names: BTreeSet<String> = files.iter().map(|file| file.path().to_string()).collect();
        let batches: Vec<String> = names.into_iter().filter(|name| !name.contains('/')).collect();
        book.hold(checkpoint, batches.clone());
        self.running = running;
        self.measure();
        Ok(SavedParts { parts, batches })
    }

    fn part(&mut self, new: &NewPart) -> Result<Part, dbsp::Error> {
        self.next_id += 1;
        Part::build(PartId(self.next_id), new, &self.errors)
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

    /// What the operators of the running parts did and hold.
    pub(crate) fn profile(&self) -> Vec<PartProfile> {
        self.running.iter().flatten().map(Part::profile).collect()
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

/// Where the notes of a part's operators are found in a checkpoint. Batches have names without folder.
fn base(checkpoint: u64, part: usize) -> StoragePath {
    StoragePath::from(format!("{checkpoint}/{part}"))
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
