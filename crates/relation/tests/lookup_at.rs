//! A look-up in a snapshot finds what a scan of it does, whatever was changed since.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use headwater_relation::{Relation, RelationSnapshot};
use headwater_types::Scan;
use proptest::prelude::*;

fn schema() -> SchemaRef {
    let column = |name: &str| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![column("a"), column("b"), column("value")]))
}

fn batch(rows: &BTreeMap<(i64, i64), i64>) -> RecordBatch {
    let column = |of: fn((&(i64, i64), &i64)) -> i64| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let columns = vec![column(|(key, _)| key.0), column(|(key, _)| key.1), column(|(_, value)| *value)];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn key_batch(keys: &[(i64, i64)]) -> RecordBatch {
    let a: ArrayRef = Arc::new(keys.iter().map(|key| key.0).collect::<Int64Array>());
    let b: ArrayRef = Arc::new(keys.iter().map(|key| key.1).collect::<Int64Array>());
    RecordBatch::try_from_iter([("a", a), ("b", b)]).unwrap()
}

fn rows_of(batch: &RecordBatch) -> Vec<(i64, i64, i64)> {
    let column = |index: usize| batch.column(index).as_primitive::<Int64Type>().values().to_vec();
    let (a, b, value) = (column(0), column(1), column(2));
    a.into_iter().zip(b).zip(value).map(|((a, b), value)| (a, b, value)).collect()
}

fn scanned(snapshot: &RelationSnapshot) -> BTreeMap<(i64, i64), i64> {
    let rows = (0..snapshot.num_segments()).flat_map(|index| rows_of(&snapshot.segment(index, None)));
    rows.map(|(a, b, value)| ((a, b), value)).collect()
}

type Step = (BTreeMap<(i64, i64), i64>, Vec<(i64, i64)>);

fn step() -> impl Strategy<Value = Step> {
    let key = || (0_i64..6, 0_i64..6);
    (prop::collection::btree_map(key(), any::<i64>(), 0..12), prop::collection::vec(key(), 0..8))
}

proptest! {
    #[test]
    fn a_lookup_at_a_snapshot_is_a_scan_of_it(steps in prop::collection::vec(step(), 1..12)) {
        let mut relation = Relation::new(schema(), vec![0, 1]);
        let mut snapshots = vec![relation.snapshot()];
        for (upserted, deleted) in steps {
            let mut keys: Vec<_> = upserted.keys().copied().chain(deleted).collect();
            keys.sort_unstable();
            keys.dedup();
            let removed = relation.find_all(&relation.key_bytes(&key_batch(&keys)));
            let change = relation.prepare_keyed(removed.into_iter().flatten().collect(), batch(&upserted));
            relation.publish(change);
            snapshots.push(relation.snapshot());
        }
        let all: Vec<_> = (0..6).flat_map(|a| (0..6).map(move |b| (a, b))).collect();
        let reader = relation.reader();
        for snapshot in &snapshots {
            let found = rows_of(&reader.lookup_at(snapshot, &key_batch(&all)));
            let expected: Vec<_> = scanned(snapshot).into_iter().map(|((a, b), value)| (a, b, value)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_snapshot_holds_nothing_beyond_itself_and_what_was_merged_away_beyond_a_newer_one() {
    let mut relation = Relation::new(schema(), vec![0, 1]);
    let mut oldest = None;
    for a in 0..64 {
        let change = relation.prepare_keyed(Vec::new(), batch(&BTreeMap::from([((a, 0), a)])));
        relation.publish(change);
        oldest.get_or_insert_with(|| relation.snapshot());
    }
    let newest = relation.snapshot();
    assert_eq!(newest.bytes_beyond(&newest), 0);
    assert!(oldest.unwrap().bytes_beyond(&newest) > 0);
}
