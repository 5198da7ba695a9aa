//! Readers on other threads see states between changes, never a mix.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::compute::sum;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use headwater_relation::Relation;
use headwater_types::Scan;
use parking_lot::Mutex;

const ACCOUNTS: i64 = 500;
const BALANCE: i64 = 100;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("account", DataType::Int64, false),
        Field::new("balance", DataType::Int64, false),
    ]))
}

fn rows(accounts: Vec<i64>, balances: Vec<i64>) -> RecordBatch {
    let columns =
        vec![Arc::new(Int64Array::from(accounts)) as Arc<dyn Array>, Arc::new(Int64Array::from(balances))];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn total(rows: &RecordBatch) -> i64 {
    sum(rows.column(1).as_primitive::<Int64Type>()).unwrap_or(0)
}

/// Moves money between accounts from all over; every state has the same total.
fn transfer(relation: &mut Relation, step: i64) {
    let accounts: Vec<i64> = (0..20).map(|n| (step * 31 + n * 25) % ACCOUNTS).collect();
    let keys = relation.key_bytes(&rows(accounts.clone(), vec![0; 20]).project(&[0]).unwrap());
    let removed: Vec<_> = relation.find_all(&keys).into_iter().flatten().collect();
    let mut balances = relation.take(&removed).column(1).as_primitive::<Int64Type>().values().to_vec();
    for pair in balances.chunks_mut(2) {
        pair[0] -= step % 7;
        pair[1] += step % 7;
    }
    let change = relation.prepare_keyed(removed, rows(accounts, balances));
    relation.publish(change);
}

#[test]
fn every_look_up_and_snapshot_has_the_same_total() {
    let mut relation = Relation::new(schema(), vec![0]);
    let change =
        relation.prepare_keyed(vec![], rows((0..ACCOUNTS).collect(), vec![BALANCE; ACCOUNTS as usize]));
    relation.publish(change);
    let keys = rows((0..ACCOUNTS).collect(), vec![0; ACCOUNTS as usize]).project(&[0]).unwrap();
    let (reader, newest) = (relation.reader(), Mutex::new(relation.snapshot()));
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let found = reader.lookup(&keys);
                    assert_eq!((found.num_rows() as i64, total(&found)), (ACCOUNTS, ACCOUNTS * BALANCE));
                    let snapshot = newest.lock().clone();
                    let sums =
                        (0..snapshot.num_segments()).map(|index| total(&snapshot.segment(index, None)));
                    assert_eq!(sums.sum::<i64>(), ACCOUNTS * BALANCE);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut step = 0;
        while step < 2_000 || reads.load(Ordering::Relaxed) < 20 {
            transfer(&mut relation, step);
            *newest.lock() = relation.snapshot();
            step += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
}
