//! How long a step of one row takes over a million rows of state, and how fast those are loaded.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use headwater_sql::{CompileOptions, compile};
use headwater_types::{Delta, Name};
use headwater_views::{Circuit, CircuitOptions};

const ROWS: i64 = 1_000_000;
const ROWS_PER_LOAD: i64 = 10_000;
const STEPS: i64 = 5_000;
const VIEWS: [(&str, &str); 6] = [
    ("pass-through", "SELECT * FROM events"),
    ("filter", "SELECT id, amount * 2 AS amount FROM events WHERE amount > 10"),
    (
        "group by 1 k keys",
        "SELECT customer, COUNT(*) AS n, SUM(amount) AS s, AVG(amount) AS m FROM events GROUP BY customer",
    ),
    ("group by 1 M keys", "SELECT id, COUNT(*) AS n, SUM(amount) AS s FROM events GROUP BY id"),
    (
        "min and max of 1 k keys",
        "SELECT customer, MIN(amount) AS l, MAX(amount) AS h FROM events GROUP BY customer",
    ),
    (
        "join with 1 k rows",
        "SELECT e.id, e.amount, c.name FROM events e JOIN customers c ON e.customer = c.id",
    ),
];

fn events(ids: std::ops::Range<i64>) -> RecordBatch {
    let ids: Vec<i64> = ids.collect();
    let customers = ids.iter().map(|id| id.wrapping_mul(7919) % 1000).collect::<Int64Array>();
    let amounts = ids.iter().map(|id| id % 97).collect::<Int64Array>();
    let notes = ids.iter().map(|id| Some(format!("event {id}"))).collect::<StringArray>();
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(ids)) as _),
        ("customer", Arc::new(customers) as _),
        ("amount", Arc::new(amounts) as _),
        ("note", Arc::new(notes) as _),
    ])
    .unwrap()
}

fn customers() -> RecordBatch {
    let names = (0..1000).map(|id| Some(format!("customer {id}"))).collect::<StringArray>();
    RecordBatch::try_from_iter([
        ("id", Arc::new((0..1000).collect::<Int64Array>()) as _),
        ("name", Arc::new(names) as _),
    ])
    .unwrap()
}

fn measure(name: &str, select: &str) {
    let text = format!(
        "CREATE TABLE events (id BIGINT, customer BIGINT, amount BIGINT, note VARCHAR);
         CREATE TABLE customers (id BIGINT, name VARCHAR);
         CREATE MATERIALIZED VIEW v AS {select};"
    );
    let program = compile(&text, &CompileOptions::default()).unwrap();
    let schema = program.tables[0].schema();
    let started = Instant::now();
    let mut circuit = Circuit::new(CircuitOptions::default());
    circuit.begin_change(&program, &HashSet::new()).unwrap();
    circuit.finish_change();
    let built = started.elapsed();
    let step = |circuit: &mut Circuit, table: &str, rows: RecordBatch| {
        let started = Instant::now();
        circuit.step(vec![(Name::new(table).unwrap(), Delta::inserted(rows))]).unwrap();
        started.elapsed()
    };
    step(&mut circuit, "customers", customers());
    let rows = |ids| events(ids).with_schema(schema.clone()).unwrap();
    let loads = (0..ROWS / ROWS_PER_LOAD).map(|load| rows(load * ROWS_PER_LOAD..(load + 1) * ROWS_PER_LOAD));
    let loads: Vec<RecordBatch> = loads.collect();
    let loaded: Duration = loads.into_iter().map(|rows| step(&mut circuit, "events", rows)).sum();
    let mut steps: Vec<Duration> =
        (ROWS..ROWS + STEPS).map(|id| step(&mut circuit, "events", rows(id..id + 1))).collect();
    steps.sort();
    let at = |percent: usize| steps[steps.len() * percent / 100].as_micros();
    let speed = ROWS as f64 / loaded.as_secs_f64() / 1e6;
    println!(
        "{name:24} build {:5} µs   load {speed:6.2} M rows/s   1-row step p50 {:4} µs  p99 {:5} µs",
        built.as_micros(),
        at(50),
        at(99)
    );
}

fn main() {
    for (name, select) in VIEWS {
        measure(name, select);
    }
}
