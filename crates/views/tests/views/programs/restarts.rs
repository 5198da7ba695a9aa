//! Random programs that are stopped now and then and go on from a checkpoint.

use std::collections::HashSet;

use headwater_types::{Delta, Name};
use headwater_views::{Circuit, CircuitCheckpoint, CircuitOptions, CircuitStorage, StepOutput};
use tempfile::TempDir;

use super::generate::Domain;
use super::random::Random;
use super::{Case, base_seed};

/// Rows and weights as they come.
fn texts(output: &StepOutput) -> Vec<String> {
    let part = |(view, delta): &(Name, Delta)| format!("{view:?} {:?}", delta.parts);
    output.deltas.iter().map(part).collect()
}

struct Twins {
    case: Case,
    /// Runs the same steps, and is stopped and restored.
    interrupted: Option<Circuit>,
    options: CircuitOptions,
    _dir: TempDir,
}

impl Twins {
    fn new(seed: u64, random: &mut Random) -> Option<Twins> {
        let case = Case::new(seed, random, Domain::Everything)?;
        let dir = TempDir::new().unwrap();
        let mut storage = CircuitStorage::new(dir.path().to_owned());
        storage.file_bytes_min = *random.pick(&[0, 1, 300, 10 << 20]);
        let options = CircuitOptions { storage: Some(storage) };
        let mut interrupted = Circuit::new(options.clone());
        interrupted.begin_change(&case.program, &HashSet::new()).unwrap();
        interrupted.finish_change();
        Some(Twins { case, interrupted: Some(interrupted), options, _dir: dir })
    }

    fn step(&mut self, random: &mut Random) {
        let changes = self.case.random_changes(random);
        let inputs = self.case.inputs(random, changes);
        let mine = self.interrupted.as_mut().unwrap().step(inputs.clone()).unwrap();
        let output = self.case.circuit.step(inputs).unwrap();
        assert_eq!(texts(&mine), texts(&output), "seed {}\n{}", self.case.seed, self.case.generated.sql());
        assert_eq!(mine.errors, output.errors);
        self.case.integrate(&output);
    }

    fn checkpoint(&mut self) -> CircuitCheckpoint {
        let prepared = self.interrupted.as_mut().unwrap().prepare_checkpoint().unwrap();
        prepared.commit().unwrap()
    }

    fn restart(&mut self, checkpoint: &CircuitCheckpoint) {
        self.interrupted = None;
        let restored = Circuit::restore(&self.case.program, self.options.clone(), checkpoint);
        self.interrupted = Some(restored.unwrap_or_else(|error| panic!("seed {}: {error}", self.case.seed)));
    }
}

fn run(seed: u64) -> bool {
    let mut random = Random::new(seed);
    let Some(mut twins) = Twins::new(seed, &mut random) else { return false };
    let mut before = None;
    for _ in 0..8 {
        twins.step(&mut random);
        if random.one_in(3) {
            let checkpoint = twins.checkpoint();
            if let Some(before) = before.replace(checkpoint.clone()) {
                twins.interrupted.as_mut().unwrap().release_checkpoint(&before);
            }
            if random.one_in(2) {
                twins.restart(&checkpoint);
            }
        }
    }
    twins.case.check();
    true
}

#[test]
fn a_restored_circuit_does_what_it_would_have_done() {
    let base = base_seed();
    println!("seeds {base}..{}", base + 60);
    let ran = (base..base + 60).filter(|seed| run(*seed)).count();
    assert!(ran > 30, "too few programs compile: {ran}");
}
