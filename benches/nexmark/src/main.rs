//! Nexmark, each query through Headwater's circuits, which are made from SQL at run time, and through a circuit of
//! dbsp that was compiled with static types. Both run the same steps, interleaved in one process; the rows they end
//! with are compared.

/// Rows as Arrow batches, and batches as cells.
mod batches;
/// The compiled side.
mod compiled;
/// The rows of the tables.
mod events;
/// Nexmark's events.
mod generator;
/// Headwater's side.
mod headwater;
/// Speed, memory and results of one side.
mod measure;
/// An allocator that counts.
mod memory;
/// The command line.
mod options;
/// What is run.
mod queries;
/// Numbers that only look random.
mod random;
/// The table.
mod report;
/// What the two sides have in common.
mod side;

use std::process::ExitCode;

use compiled::Compiled;
use events::Event;
use headwater::Headwater;
use headwater_sql::Program;
use options::{Only, Options};
use queries::{QUERIES, Query};
use report::Measured;
use side::Side;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mut cases = Vec::new();
    let mut refused = Vec::new();
    for query in QUERIES.iter().filter(|query| options.query.as_deref().is_none_or(|name| name == query.name))
    {
        match headwater::program(query.sql) {
            Ok(program) => cases.push(Case { query, program, measured: Measured::new(query) }),
            Err(refusal) => refused.push(format!("{} ({}): {refusal}", query.name, query.does)),
        }
    }
    for case in &mut cases {
        if options.only.is_none() {
            case.check(options.events)?;
            case.measure_memory(options.events)?;
        }
    }
    for round in 1..=options.rounds {
        for case in &mut cases {
            case.round(options, round)?;
        }
    }
    let measured: Vec<Measured> = cases.into_iter().map(|case| case.measured).collect();
    print!("{}", report::table(&measured));
    if !refused.is_empty() {
        println!("\nNot expressible yet:\n");
        refused.iter().for_each(|line| println!("* {line}"));
    }
    Ok(())
}

/// One query that both sides can run.
struct Case {
    query: &'static Query,
    program: Program,
    measured: Measured,
}

impl Case {
    fn headwater(&self, keeps_tables: bool) -> Result<Box<dyn Side>, String> {
        Ok(Box::new(Headwater::start(&self.program, keeps_tables)?))
    }

    fn compiled(&self) -> Option<Result<Box<dyn Side>, String>> {
        let build = self.query.compiled?;
        Some(Compiled::start(build).map(|side| Box::new(side) as Box<dyn Side>))
    }

    /// Both sides must end with the same rows.
    fn check(&self, events: usize) -> Result<(), String> {
        let Some(compiled) = self.compiled() else { return Ok(()) };
        let ours = measure::contents(self.headwater(false)?.as_mut(), events);
        let theirs = measure::contents(compiled?.as_mut(), events);
        match ours.first_difference(&theirs) {
            Some(row) => Err(format!("{}: the sides differ in {row:?}", self.query.name)),
            None if ours.rows() == 0 => Err(format!("{}: there are no rows to compare", self.query.name)),
            None => {
                eprintln!("{}: the sides agree on {} rows", self.query.name, ours.rows());
                Ok(())
            }
        }
    }

    fn measure_memory(&mut self, events: usize) -> Result<(), String> {
        let ours = measure::peak_bytes(|| self.headwater(false), events)?;
        self.measured.headwater.peak_bytes = Some(ours);
        if self.query.compiled.is_some() {
            let start = || self.compiled().unwrap_or_else(|| Err("there is no compiled circuit".to_owned()));
            self.measured.compiled.peak_bytes = Some(measure::peak_bytes(start, events)?);
        }
        Ok(())
    }

    fn round(&mut self, options: &Options, round: usize) -> Result<(), String> {
        let reads = self.program.views[0].reads.clone();
        let read = |event: &Event| reads.iter().any(|name| name.as_str() == event.table());
        let speed = |mut side: Box<dyn Side>| {
            measure::speed(side.as_mut(), options.events, options.small_steps, read)
        };
        if options.only != Some(Only::Compiled) {
            let speed = speed(self.headwater(false)?);
            self.measured.headwater.speeds.push(speed);
        }
        if options.only != Some(Only::Headwater)
            && let Some(compiled) = self.compiled()
        {
            self.measured.compiled.speeds.push(speed(compiled?));
        }
        if options.only.is_none() {
            let speed = speed(self.headwater(true)?);
            self.measured.keeping.speeds.push(speed);
        }
        eprintln!("round {round}: {} done", self.query.name);
        Ok(())
    }
}
