//! What files cost: steps of one row over much state, in memory and with a folder, and checkpoints of it.
//!
//! `checkpoint_cost ROWS [FILE_BYTES_MIN …]`
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_sql::{CompileOptions, compile};
use headwater_types::{Delta, Name};
use headwater_views::{Circuit, CircuitOptions, CircuitStorage};
use tempfile::TempDir;

const ROWS_PER_LOAD: i64 = 50_000;
const STEPS: i64 = 2_000;
const PROGRAM: &str = "CREATE TABLE events (id BIGINT, customer BIGINT, amount BIGINT, note VARCHAR);
    CREATE TABLE customers (id BIGINT, name VARCHAR);
    CREATE MATERIALIZED VIEW spend AS
        SELECT customer, COUNT(*) AS n, SUM(amount) AS total, MAX(amount) AS most FROM events GROUP BY customer;
    CREATE MATERIALIZED VIEW named AS
        SELECT e.id, e.amount, c.name FROM events e JOIN customers c ON e.customer = c.id;";

/// The customer of an event, all over the place.
fn customer(id: i64, customers: i64) -> i64 {
    (id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> 20).rem_euclid(customers)
}

fn events(schema: &SchemaRef, ids: std::ops::Range<i64>, customers: i64) -> RecordBatch {
    let column = |of: &dyn Fn(i64) -> i64| Arc::new(ids.clone().map(of).collect::<Int64Array>());
    let notes = ids.clone().map(|id| Some(format!("note {}", id % 100))).collect::<StringArray>();
    let columns =
        vec![column(&|id| id) as _, column(&|id| customer(id, customers)) as _, column(&|id| id % 1000) as _];
    RecordBatch::try_new(schema.clone(), [columns, vec![Arc::new(notes) as _]].concat()).unwrap()
}

fn rss_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

struct Run {
    circuit: Circuit,
    schema: SchemaRef,
    next: i64,
    customers: i64,
}

impl Run {
    fn step(&mut self, rows: i64) -> Duration {
        let batch = events(&self.schema, self.next..self.next + rows, self.customers);
        self.next += rows;
        let started = Instant::now();
        self.circuit.step(vec![(Name::new("events").unwrap(), Delta::inserted(batch))]).unwrap();
        started.elapsed()
    }

    fn steps(&mut self, what: &str) {
        let mut steps: Vec<Duration> = (0..STEPS).map(|_| self.step(1)).collect();
        steps.sort();
        let at = |percent: usize| steps[(steps.len() - 1) * percent / 100].as_micros();
        println!(
            "    1-row steps {what:28} p50 {:5} µs   p99 {:6} µs   max {:7} µs",
            at(50),
            at(99),
            at(100)
        );
    }

    fn checkpoint(&mut self, what: &str) -> headwater_views::CircuitCheckpoint {
        let started = Instant::now();
        let prepared = self.circuit.prepare_checkpoint().unwrap();
        let prepare = started.elapsed();
        let started = Instant::now();
        let checkpoint = prepared.commit().unwrap();
        let (files, mib) = (checkpoint.files().count(), checkpoint.bytes() >> 20);
        println!(
            "    checkpoint  {what:28} prepare {prepare:9.1?}   commit {:9.1?}   {files} files, {mib} MiB",
            started.elapsed()
        );
        checkpoint
    }
}

fn measure(rows: i64, storage: Option<CircuitStorage>) {
    let program = compile(PROGRAM, &CompileOptions::default()).unwrap();
    let options = CircuitOptions { storage };
    let mut circuit = Circuit::new(options.clone());
    circuit.begin_change(&program, &HashSet::new()).unwrap();
    circuit.finish_change();
    let customers = rows / 5;
    let ids: Int64Array = (0..customers).collect();
    let names: StringArray = (0..customers).map(|id| Some(format!("customer {id}"))).collect();
    let batch =
        RecordBatch::try_new(program.tables[1].schema(), vec![Arc::new(ids), Arc::new(names)]).unwrap();
    circuit.step(vec![(Name::new("customers").unwrap(), Delta::inserted(batch))]).unwrap();
    let mut run = Run { circuit, schema: program.tables[0].schema(), next: 0, customers };
    let loaded: Duration = (0..rows / ROWS_PER_LOAD).map(|_| run.step(ROWS_PER_LOAD)).sum();
    let speed = rows as f64 / loaded.as_secs_f64() / 1e6;
    println!(
        "    loaded {speed:.2} M rows/s, {} MiB resident, {} MiB counted",
        rss_mib(),
        run.circuit.memory_bytes() >> 20
    );
    run.steps("");
    if options.storage.is_none() {
        return;
    }
    let first = run.checkpoint("at first");
    run.steps("after it");
    let second = run.checkpoint("after steps");
    run.circuit.release_checkpoint(&first);
    run.steps("after it");
    run.step(ROWS_PER_LOAD);
    let third = run.checkpoint("after a large step");
    run.circuit.release_checkpoint(&second);
    println!("    {} MiB resident", rss_mib());
    drop(run.circuit);
    let started = Instant::now();
    run.circuit = Circuit::restore(&program, options, &third).unwrap();
    println!("    restored in {:.1?}, {} MiB resident", started.elapsed(), rss_mib());
    run.steps("after a restart");
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<i64>().unwrap());
    let rows = arguments.next().unwrap_or(1_000_000);
    println!("{rows} rows, in memory");
    measure(rows, None);
    for file_bytes_min in arguments {
        println!("{rows} rows, batches of {} KiB and more in files", file_bytes_min >> 10);
        let dir = TempDir::new().unwrap();
        let mut storage = CircuitStorage::new(dir.path().to_owned());
        storage.file_bytes_min = usize::try_from(file_bytes_min).unwrap();
        measure(rows, Some(storage));
    }
}
