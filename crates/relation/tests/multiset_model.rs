//! A relation without key does what a map from rows to counts does.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::is_null;
use common::{Row, contents, row, rows_batch, schema, sorted_bytes};
use headwater_relation::{ChangeError, Relation, RelationSnapshot};
use headwater_types::{Delta, WeightedRows};
use proptest::prelude::*;

const BOOLEAN: usize = 1;

/// Rows by their values: different numbers can stand for the same value.
type Model = BTreeMap<Vec<u8>, (Row, i64)>;

#[derive(Clone, Debug)]
enum Step {
    Change(Vec<Vec<(Row, i64)>>),
    /// Rows whose BOOLEAN is not NULL go.
    RemoveWhere,
}

fn step() -> impl Strategy<Value = Step> {
    let weight =
        prop_oneof![4 => Just(1_i64), 2 => Just(-1), 1 => -3_i64..20].prop_filter("not zero", |w| *w != 0);
    let part = prop::collection::vec((row(common::TYPES.len()), weight), 0..15);
    let adds = prop::collection::vec((row(common::TYPES.len()), Just(1_i64)), 0..30);
    prop_oneof![
        8 => prop::collection::vec(part, 0..4).prop_map(Step::Change),
        3 => prop::collection::vec(adds, 0..4).prop_map(Step::Change),
        1 => Just(Step::RemoveWhere),
    ]
}

fn delta_of(parts: &[Vec<(Row, i64)>]) -> Delta {
    let part = |part: &Vec<(Row, i64)>| {
        let rows = rows_batch(&part.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>());
        if part.iter().all(|(_, weight)| *weight == 1) {
            WeightedRows::inserted(rows)
        } else {
            WeightedRows::weighted(rows, part.iter().map(|(_, weight)| *weight).collect())
        }
    };
    Delta { parts: parts.iter().map(part).collect() }
}

fn changed(model: &Model, parts: &[Vec<(Row, i64)>]) -> Model {
    let mut model = model.clone();
    for (row, weight) in parts.iter().flatten() {
        let bytes = sorted_bytes(&rows_batch(std::slice::from_ref(row))).remove(0);
        model.entry(bytes).or_insert_with(|| (row.clone(), 0)).1 += weight;
    }
    model.retain(|_, (_, count)| *count != 0);
    model
}

fn expected(model: &Model) -> Vec<Vec<u8>> {
    let copies = |(bytes, (_, count)): (&Vec<u8>, &(Row, i64))| vec![bytes.clone(); *count as usize];
    model.iter().flat_map(copies).collect()
}

fn take_step(relation: &mut Relation, model: &mut Model, step: &Step) {
    match step {
        Step::Change(parts) => {
            let after = changed(model, parts);
            match relation.prepare_multiset(&delta_of(parts)) {
                Ok(change) => {
                    assert!(after.values().all(|(_, count)| *count > 0));
                    relation.publish(change);
                    *model = after;
                }
                Err(ChangeError::NegativeWeight { row, held, removed }) => {
                    let bytes = sorted_bytes(&row).remove(0);
                    assert_eq!(held, model.get(&bytes).map_or(0, |(_, count)| *count as u64));
                    assert_eq!(after[&bytes].1, held as i64 - removed as i64);
                    assert!(held < removed);
                }
                Err(error) => panic!("{error}"),
            }
        }
        Step::RemoveWhere => {
            let known = |rows: &arrow::array::RecordBatch| -> BooleanArray {
                let null = is_null(rows.column(BOOLEAN)).unwrap();
                arrow::compute::not(&null).unwrap()
            };
            let rows = relation.rows_where(known);
            assert!(relation.removal(&rows).parts.iter().all(|part| {
                part.rows.column(BOOLEAN).as_boolean().null_count() == 0
                    && part.weights.iter().all(|w| w[0] == -1)
            }));
            let change = relation.prepare_removal(&rows);
            relation.publish(change);
            model.retain(|_, (row, _)| row[BOOLEAN].is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_relation_without_key_is_a_multiset(steps in prop::collection::vec(step(), 1..30)) {
        let mut relation = Relation::new(schema(), vec![]);
        let mut model = Model::new();
        let mut kept: Vec<(RelationSnapshot, Vec<Vec<u8>>)> = Vec::new();
        for step in &steps {
            take_step(&mut relation, &mut model, step);
            kept.push((relation.snapshot(), expected(&model)));
        }
        for (snapshot, expected) in &kept {
            prop_assert_eq!(&contents(snapshot), expected);
        }
        let rows: Vec<Row> = model.values().map(|(row, _)| row.clone()).collect();
        let counts: Vec<u64> = model.values().map(|(_, count)| *count as u64).collect();
        prop_assert_eq!(relation.count_equal(&rows_batch(&rows)), counts);
        prop_assert_eq!(relation.count_equal(&rows_batch(&[vec![Some(9); common::TYPES.len()]])), vec![0]);
    }
}

#[test]
fn a_refused_change_leaves_no_trace() {
    let mut relation = Relation::new(schema(), vec![]);
    let rows = rows_batch(&[vec![Some(0); common::TYPES.len()], vec![None; common::TYPES.len()]]);
    let change = relation.prepare_multiset(&Delta::inserted(rows.clone())).unwrap();
    relation.publish(change);
    let before = contents(&relation.snapshot());
    let delta = Delta { parts: vec![WeightedRows::weighted(rows.clone(), vec![5, -2])] };
    let error = relation.prepare_multiset(&delta).unwrap_err();
    assert!(matches!(error, ChangeError::NegativeWeight { held: 1, removed: 2, .. }));
    assert_eq!(error.to_string(), "a row is held 1 times and cannot be removed 2 times");
    assert_eq!(contents(&relation.snapshot()), before);
    assert_eq!(relation.count_equal(&rows), [1, 1]);
}

#[test]
fn a_row_held_very_often_is_counted_and_removed_at_once() {
    let mut relation = Relation::new(schema(), vec![]);
    let rows = rows_batch(&[vec![Some(0); common::TYPES.len()]]);
    let weighted = |weight| Delta { parts: vec![WeightedRows::weighted(rows.clone(), vec![weight])] };
    for (weight, held) in [(200_000, 200_000), (-1, 199_999), (-199_998, 1), (3, 4), (-4, 0)] {
        let change = relation.prepare_multiset(&weighted(weight)).unwrap();
        relation.publish(change);
        assert_eq!(relation.count_equal(&rows), [held]);
        assert_eq!(relation.num_rows() as u64, held);
    }
}

#[test]
fn more_rows_than_can_be_numbered_are_refused() {
    let relation = Relation::new(schema(), vec![]);
    let rows = rows_batch(&[vec![Some(0); common::TYPES.len()]]);
    for weight in [1 << 40, i64::MAX] {
        let delta = Delta { parts: vec![WeightedRows::weighted(rows.clone(), vec![weight])] };
        assert!(matches!(relation.prepare_multiset(&delta), Err(ChangeError::TooManyRows { .. })));
    }
}

#[test]
fn an_index_built_after_a_change_was_prepared_does_not_miss_the_change() {
    let mut relation = Relation::new(schema(), vec![]);
    let rows = rows_batch(&[vec![Some(0); common::TYPES.len()]]);
    let change = relation.prepare_multiset(&Delta::inserted(rows.clone())).unwrap();
    assert_eq!(relation.count_equal(&rows), [0]);
    relation.publish(change);
    assert_eq!(relation.count_equal(&rows), [1]);
}
