//! The cases of `tests/slt`, whose expectations come from PostgreSQL or DuckDB, in two ways: *batch*, where tables are
//! filled and then asked, and *incremental*, where each query is a materialised view and its tables change in random
//! steps, with rows that come and go in between.
//!
//! `HEADWATER_SEED` replays the steps of one run, `HEADWATER_SLT_ROUNDS` sets how often steps are drawn anew, and
//! `HEADWATER_SLT` names the one file to run.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod batch;
mod cells;
mod file;
mod incremental;
mod noise;
#[allow(dead_code, reason = "shared with the random programs")]
#[path = "../views/programs/random.rs"]
mod random;
mod store;
mod values;

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use file::Script;
use random::Random;

/// How many queries were compared, and which were wrong.
#[derive(Default)]
pub struct Tally {
    batch: usize,
    incremental: usize,
    refused: usize,
    failed_as_expected: usize,
    emptied: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Compares the rows that were found with those that are expected.
    fn compare(&mut self, place: &str, sql: &str, expected: &[String], found: &[String]) {
        if expected != found {
            let [expected, found] = [expected, found].map(|rows| rows.join("\n  "));
            self.failures.push(format!("{place}\n{sql}\nexpected:\n  {expected}\nfound:\n  {found}"));
        }
    }
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/slt");
    let wanted = std::env::var("HEADWATER_SLT").unwrap_or_default();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.to_string_lossy().ends_with(&format!("{wanted}.slt"))).collect();
    files.sort();
    files
}

fn seed() -> u64 {
    match std::env::var("HEADWATER_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().hash_one(0) >> 1,
    }
}

#[test]
fn every_case_gives_what_its_oracle_gave_in_batch_and_in_steps() {
    let rounds: u64 = std::env::var("HEADWATER_SLT_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    let first_seed = seed();
    println!("seed {first_seed}, {rounds} rounds");
    let mut total = Tally::default();
    for path in scripts() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let script = Script::read(&name, &std::fs::read_to_string(&path).unwrap());
        let before = (total.batch, total.incremental);
        let events = batch::run(&script, &mut total);
        for round in 0..rounds {
            incremental::run(&script, &events, &mut Random::new(first_seed + round), &mut total);
        }
        let (batch, incremental) = (total.batch - before.0, total.incremental - before.1);
        println!("{name:32} {batch:4} in batch, {incremental:5} in steps");
        assert!(incremental > 0, "{name}: nothing ran");
    }
    println!("{} queries in batch, {} failing ones", total.batch, total.failed_as_expected);
    println!("{} queries in steps, {} rightly refused as views", total.incremental, total.refused);
    println!("{} views back to the start when all rows were deleted", total.emptied);
    let failures = total.failures.len();
    assert!(failures == 0, "seed {first_seed}: {failures} failed\n\n{}", total.failures.join("\n\n"));
    let counts = [total.batch, total.failed_as_expected, total.incremental, total.refused, total.emptied];
    assert!(counts.iter().all(|count| *count > 0));
}
