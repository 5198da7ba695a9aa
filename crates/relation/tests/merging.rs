//! Segments are merged as steps go, and memory follows the live rows.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use headwater_relation::Relation;
use headwater_types::{Delta, Scan, WeightedRows};

fn schema() -> SchemaRef {
    let fields = vec![Field::new("id", DataType::Int64, false), Field::new("text", DataType::Utf8, true)];
    Arc::new(Schema::new(fields))
}

fn rows(ids: impl Iterator<Item = i64> + Clone, text: &str) -> RecordBatch {
    let texts = StringArray::from_iter_values(ids.clone().map(|id| format!("{text} {id}")));
    RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from_iter_values(ids)), Arc::new(texts)])
        .unwrap()
}

fn upsert(relation: &mut Relation, batch: &RecordBatch) {
    let keys = relation.key_bytes(&batch.project(&[0]).unwrap());
    let removed = relation.find_all(&keys).into_iter().flatten().collect();
    let change = relation.prepare_keyed(removed, batch.clone());
    relation.publish(change);
}

fn ids(relation: &Relation) -> Vec<i64> {
    let snapshot = relation.snapshot();
    let ids =
        |index| snapshot.segment(index, Some(&[0])).column(0).as_primitive::<Int64Type>().values().to_vec();
    let mut ids: Vec<i64> = (0..snapshot.num_segments()).flat_map(ids).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn many_small_steps_leave_few_segments() {
    let mut relation = Relation::new(schema(), vec![0]);
    for id in 0..5_000 {
        upsert(&mut relation, &rows(id..id + 1, "one"));
        assert!(relation.snapshot().num_segments() <= 5 * 8);
    }
    assert_eq!(ids(&relation), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn rows_overwritten_many_times_take_no_more_than_a_few_times_their_memory() {
    let mut relation = Relation::new(schema(), vec![0]);
    upsert(&mut relation, &rows(0..100_000, "first"));
    let fresh = relation.memory_bytes();
    for round in 0..200_i64 {
        // Rows from all over: each step touches every segment.
        upsert(&mut relation, &rows((0..5_000).map(|n| (n * 20 + round * 7) % 100_000), "later"));
        assert!(relation.memory_bytes() < fresh * 3, "{} after {fresh}", relation.memory_bytes());
    }
    assert_eq!(relation.num_rows(), 100_000);
    assert_eq!(ids(&relation), (0..100_000).collect::<Vec<_>>());
}

#[test]
fn a_relation_that_shrinks_gives_its_memory_back() {
    let mut relation = Relation::new(schema(), vec![0]);
    upsert(&mut relation, &rows(0..200_000, "some"));
    let full = relation.memory_bytes();
    let gone = relation.rows_where(|rows| {
        rows.column(0).as_primitive::<Int64Type>().iter().map(|id| id.map(|id| id % 100 != 0)).collect()
    });
    let change = relation.prepare_removal(&gone);
    relation.publish(change);
    assert_eq!(relation.num_rows(), 2_000);
    // What stays is 8 bytes for each row there ever was at once: its number in the index, to be used again.
    assert!(relation.memory_bytes() < full / 5, "{} of {full}", relation.memory_bytes());
    upsert(&mut relation, &rows(0..200_000, "again"));
    assert_eq!(relation.num_rows(), 200_000);
    assert!(relation.memory_bytes() < full * 11 / 10);
}

#[test]
fn long_texts_make_segments_of_fewer_rows() {
    let mut relation = Relation::new(schema(), vec![]);
    let change = relation.prepare_multiset(&Delta::inserted(rows(0..100, &"x".repeat(1 << 20)))).unwrap();
    relation.publish(change);
    let snapshot = relation.snapshot();
    assert!(snapshot.num_segments() >= 2, "100 MiB do not go into one segment");
    assert_eq!(ids(&relation), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_small_slice_of_a_large_batch_does_not_keep_it() {
    let mut relation = Relation::new(schema(), vec![0]);
    upsert(&mut relation, &rows(0..50_000, "large").slice(777, 1));
    assert!(relation.memory_bytes() < 50_000);
    assert_eq!(ids(&relation), [777]);
}

#[test]
fn small_parts_of_one_delta_become_one_segment() {
    let mut relation = Relation::new(schema(), vec![]);
    let parts = (0..50).map(|id| WeightedRows::inserted(rows(id..id + 1, "part"))).collect();
    let change = relation.prepare_multiset(&Delta { parts }).unwrap();
    relation.publish(change);
    assert_eq!(relation.snapshot().num_segments(), 1);
}
