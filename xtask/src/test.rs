use std::time::{Duration, Instant};

use crate::results::{CargoTestReader, Counts};
use crate::{features, lint, places, process, tidy, venv, walkthrough};

/// Parts of the run, in order. The cheap ones come first, so that a slip shows within a minute.
const PARTS: [(&str, Part); 8] = [
    ("format", || one(lint::format())),
    ("tidy", || one(tidy::run())),
    ("features", || one(features::run())),
    ("clippy (light crates)", || one(lint::clippy(lint::Scope::Light))),
    ("build", || one(build())),
    ("cargo test", cargo_test),
    ("README examples", walkthrough::run),
    ("demo", || one(demo())),
];

type Part = fn() -> Result<Counts, String>;

/// Runs every part, or those whose names start with one of the arguments, and sums up.
pub(crate) fn run(only: &[String]) -> Result<(), String> {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|start| name.starts_with(start.as_str()));
    let mut summary = Vec::new();
    let mut total = Counts::default();
    for (name, part) in PARTS.into_iter().filter(|(name, _)| wanted(name)) {
        println!("\n== {name}");
        let started = Instant::now();
        let counts = part().unwrap_or_else(|message| {
            eprintln!("{message}");
            Counts::one(false)
        });
        total.add(counts);
        summary.push((name, counts, started.elapsed()));
    }
    if summary.is_empty() {
        let names = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("no part of that name: there are {names}"));
    }
    print_summary(&summary, total);
    if total.failed == 0 { Ok(()) } else { Err(String::new()) }
}

fn print_summary(summary: &[(&str, Counts, Duration)], total: Counts) {
    println!("\n== what ran");
    for (name, counts, took) in summary {
        println!("{name:<24} {:>7.1} s   {counts}", took.as_secs_f64());
    }
    println!("{total}");
}

fn one(outcome: Result<(), String>) -> Result<Counts, String> {
    outcome.map(|()| Counts::one(true))
}

/// Tests and the binary under test, in one profile: the dependencies are compiled once. Cargo builds the binary along
/// with the integration tests of its package.
fn build() -> Result<(), String> {
    process::run(&mut process::cargo(&["test", "--release", "--workspace", "--no-run", "--quiet"]))?;
    let binary = places::headwater();
    if binary.exists() { Ok(()) } else { Err(format!("{} was not built", binary.display())) }
}

fn cargo_test() -> Result<Counts, String> {
    let mut command = process::cargo(&["test", "--release", "--workspace", "--no-fail-fast"]);
    command.env("HEADWATER_BIN", places::headwater()).env("HEADWATER_ORACLE_PYTHON", venv::python()?);
    let mut reader = CargoTestReader::default();
    let outcome = process::run_reading_lines(&mut command, |line| reader.line(line));
    let mut counts = reader.finish();
    println!("\n-- by test binary");
    for (name, counts) in reader.binaries.iter().filter(|(_, counts)| *counts != Counts::default()) {
        println!("{name:<60} {counts}");
    }
    reader.unfinished.iter().for_each(|name| println!("{name:<60} died"));
    if let Err(message) = outcome
        && counts.failed == 0
    {
        eprintln!("{message}");
        counts.failed = 1;
    }
    Ok(counts)
}

/// The demo checks its own answers; flat out and without staying up.
fn demo() -> Result<(), String> {
    process::run(&mut process::program(places::headwater(), &["demo", "--seconds", "0", "--exit"]))
}
