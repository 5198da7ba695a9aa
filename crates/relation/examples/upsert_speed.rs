//! Prints how quickly a relation restores, upserts, finds, steps row by row, and nets a multiset.
//! `cargo run --release -p headwater-relation --example upsert_speed`

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use headwater_relation::{Relation, RowId};
use headwater_types::{Delta, WeightedRows};

const ROWS: u64 = 1_000_000;
const STEP_ROWS: u64 = 6_400;
const STEPS: u64 = 400;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("customer", DataType::Utf8, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
    ]))
}

fn batch(ids: &[u64], round: u64) -> RecordBatch {
    let ids = || ids.iter().copied();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids().map(|id| id as i64))),
        Arc::new(StringArray::from_iter_values(ids().map(|id| format!("customer {}", id % 10_000)))),
        Arc::new(Float64Array::from_iter_values(ids().map(|id| (id + round) as f64 / 100.0))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(ids().map(|id| (id + round) as i64))),
    ];
    RecordBatch::try_new(schema(), columns).expect("the columns fit the schema")
}

/// Numbers without a pattern, the same in every run.
fn scattered(number: u64) -> u64 {
    let mixed = (number ^ number >> 31).wrapping_mul(0x7fb5_d329_728e_a185);
    (mixed ^ mixed >> 27).wrapping_mul(0x81da_def4_bc2d_d44d) >> 20
}

/// The distinct ids among so many scattered ones.
fn step_ids(step: u64, rows: u64) -> Vec<u64> {
    let mut ids: Vec<u64> = (0..rows).map(|n| scattered(step * rows + n) % ROWS).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.sort_unstable_by_key(|&id| scattered(id));
    ids
}

struct Times {
    name: &'static str,
    rows: u64,
    each: Vec<Duration>,
}

impl Times {
    fn new(name: &'static str) -> Times {
        Times { name, rows: 0, each: Vec::new() }
    }

    fn add(&mut self, rows: usize, time: Duration) {
        self.rows += rows as u64;
        self.each.push(time);
    }

    fn print(mut self) {
        self.each.sort_unstable();
        let total: Duration = self.each.iter().sum();
        let rank = |percent: usize| self.each[(self.each.len() - 1) * percent / 100].as_secs_f64() * 1e6;
        println!(
            "{:<34} {:>10.0} rows/s   p50 {:>9.1} µs   p99 {:>9.1} µs   max {:>9.1} µs",
            self.name,
            self.rows as f64 / total.as_secs_f64(),
            rank(50),
            rank(99),
            rank(100),
        );
    }
}

fn key_columns(rows: &RecordBatch) -> RecordBatch {
    rows.project(&[0]).expect("the first column is there")
}

fn restore(relation: &mut Relation) {
    let rows = batch(&(0..ROWS).collect::<Vec<_>>(), 0);
    let start = Instant::now();
    let change = relation.prepare_keyed(vec![], rows);
    let prepared = start.elapsed();
    relation.publish(change);
    let (total, mib) = (start.elapsed(), relation.memory_bytes() >> 20);
    println!("restore of {ROWS} rows: prepare {prepared:.1?}, with publish {total:.1?}, {mib} MiB");
}

fn upserts(relation: &mut Relation, steps: u64, step_rows: u64, names: [&'static str; 4]) {
    let [mut find, mut take, mut prepare, mut publish] = names.map(Times::new);
    for step in 0..steps {
        let rows = batch(&step_ids(step, step_rows), step);
        let count = rows.num_rows();
        let start = Instant::now();
        let found = relation.find_all(&relation.key_bytes(&key_columns(&rows)));
        let removed: Vec<RowId> = found.into_iter().flatten().collect();
        find.add(count, start.elapsed());
        let start = Instant::now();
        let old = relation.removal(&removed);
        take.add(count, start.elapsed());
        drop(old);
        let start = Instant::now();
        let change = relation.prepare_keyed(removed, rows);
        prepare.add(count, start.elapsed());
        let start = Instant::now();
        relation.publish(change);
        let snapshot = relation.snapshot();
        publish.add(count, start.elapsed());
        drop(snapshot);
    }
    for times in [find, take, prepare, publish] {
        times.print();
    }
    println!("{:<34} {} MiB for {} rows", "", relation.memory_bytes() >> 20, relation.num_rows());
}

fn single_finds(relation: &Relation) {
    let rows = batch(&step_ids(77, 100_000), 0);
    let keys = relation.key_bytes(&key_columns(&rows));
    let start = Instant::now();
    let found = keys.iter().filter(|key| relation.find(key).is_some()).count();
    println!(
        "single find by bytes: {:.0} ns (all {found} found)",
        start.elapsed().as_nanos() as f64 / found as f64
    );
}

fn multiset(steps: u64) {
    let mut relation = Relation::new(schema(), vec![]);
    let mut times = Times::new("multiset −6,400 +6,400 per step");
    let ids = |step: u64| (step * STEP_ROWS..(step + 1) * STEP_ROWS).collect::<Vec<_>>();
    let all: Vec<u64> = (0..ROWS).collect();
    let start = Instant::now();
    let change = relation.prepare_multiset(&Delta::inserted(batch(&all, 0))).expect("nothing is removed");
    relation.publish(change);
    println!("insert of {ROWS} rows without key: {:.1?}", start.elapsed());
    let start = Instant::now();
    let held = relation.count_equal(&batch(&[1], 0));
    println!("first count, which builds the index: {:.1?} ({held:?} held)", start.elapsed());
    for step in 0..steps {
        let (old, new) = (batch(&ids(step), step), batch(&ids(step), 0));
        let minus = WeightedRows::weighted(new, vec![-1; STEP_ROWS as usize]);
        let delta = Delta { parts: vec![minus, WeightedRows::inserted(batch_after(old))] };
        let start = Instant::now();
        let change = relation.prepare_multiset(&delta).expect("each row is held");
        relation.publish(change);
        times.add(2 * STEP_ROWS as usize, start.elapsed());
    }
    times.print();
    println!("{:<34} {} MiB for {} rows", "", relation.memory_bytes() >> 20, relation.num_rows());
}

/// Rows that differ from those that are held.
fn batch_after(rows: RecordBatch) -> RecordBatch {
    let mut columns = rows.columns().to_vec();
    columns[2] = Arc::new(Float64Array::from_iter_values((0..rows.num_rows()).map(|n| n as f64 + 0.5)));
    RecordBatch::try_new(schema(), columns).expect("the columns fit the schema")
}

fn main() {
    let mut relation = Relation::new(schema(), vec![0]);
    restore(&mut relation);
    upserts(
        &mut relation,
        STEPS,
        STEP_ROWS,
        ["find_all of 6,400", "removal of 6,400", "prepare of 6,400", "publish of 6,400"],
    );
    single_finds(&relation);
    upserts(&mut relation, 20_000, 1, ["find_all of 1", "removal of 1", "prepare of 1", "publish of 1"]);
    multiset(STEPS / 4);
}
