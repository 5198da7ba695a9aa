//! A keyed relation does what a map from keys to rows does.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{Row, batch, contents, rows_batch, schema, sorted_bytes};
use headwater_relation::{Relation, RelationSnapshot, RowId};
use proptest::prelude::*;

/// Timestamp and text, in this order, which is not that of the columns.
const KEY: [usize; 2] = [10, 0];

type Model = BTreeMap<Row, Row>;

fn key_of(row: &Row) -> Row {
    KEY.iter().map(|&column| row[column]).collect()
}

/// A row with the key that a number stands for.
fn keyed_row() -> impl Strategy<Value = Row> {
    (0_u8..60, common::row(common::TYPES.len())).prop_map(|(number, mut row)| {
        (row[KEY[0]], row[KEY[1]]) = (Some(number / 4), Some(number % 4));
        row
    })
}

/// Each key once: the row to put, or that it is to go.
fn step() -> impl Strategy<Value = Vec<(Row, bool)>> {
    let entry = (keyed_row(), prop::bool::weighted(0.7));
    prop::collection::vec(entry, 0..40).prop_map(|entries| {
        let by_key: BTreeMap<Row, (Row, bool)> = entries.into_iter().map(|e| (key_of(&e.0), e)).collect();
        by_key.into_values().collect()
    })
}

fn take_step(relation: &mut Relation, model: &mut Model, step: &[(Row, bool)]) {
    let keys: Vec<Row> = step.iter().map(|(row, _)| key_of(row)).collect();
    let found = relation.find_all(&relation.key_bytes(&batch(&KEY, &keys)));
    for (key, id) in keys.iter().zip(&found) {
        assert_eq!(id.is_some(), model.contains_key(key));
    }
    let removed: Vec<RowId> = found.into_iter().flatten().collect();
    let puts: Vec<Row> = step.iter().filter(|(_, put)| *put).map(|(row, _)| row.clone()).collect();
    let before = contents(&relation.snapshot());
    let change = relation.prepare_keyed(removed, rows_batch(&puts));
    assert_eq!(contents(&relation.snapshot()), before, "what is only prepared is not seen");
    relation.publish(change);
    for (row, put) in step {
        if *put {
            model.insert(key_of(row), row.clone());
        } else {
            model.remove(&key_of(row));
        }
    }
}

fn expected(model: &Model) -> Vec<Vec<u8>> {
    sorted_bytes(&rows_batch(&model.values().cloned().collect::<Vec<_>>()))
}

fn check_look_ups(relation: &Relation, model: &Model) {
    let all_keys: Vec<Row> = (0..60).map(|n| vec![Some(n / 4), Some(n % 4)]).collect();
    let key_columns = batch(&KEY, &all_keys);
    let keys = relation.key_bytes(&key_columns);
    for (key, bytes) in all_keys.iter().zip(keys.iter()) {
        let row = relation.find(bytes).map(|id| relation.take(&[id]));
        assert_eq!(row, model.get(key).map(|row| rows_batch(std::slice::from_ref(row))));
    }
    let held: Vec<Row> = all_keys.iter().filter_map(|key| model.get(key)).cloned().collect();
    let rows = relation.reader().lookup(&key_columns);
    assert_eq!(rows, rows_batch(&held), "found rows come in the order of their keys");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_keyed_relation_is_a_map(steps in prop::collection::vec(step(), 1..40)) {
        let mut relation = Relation::new(schema(), KEY.to_vec());
        let mut model = Model::new();
        let mut kept: Vec<(RelationSnapshot, Vec<Vec<u8>>)> = Vec::new();
        for step in &steps {
            take_step(&mut relation, &mut model, step);
            prop_assert_eq!(relation.num_rows(), model.len());
            kept.push((relation.snapshot(), expected(&model)));
        }
        check_look_ups(&relation, &model);
        for (snapshot, expected) in &kept {
            prop_assert_eq!(&contents(snapshot), expected);
        }
    }
}

#[test]
#[should_panic(expected = "an inserted key is new or among the removed")]
fn a_key_that_is_held_cannot_be_inserted_again() {
    let mut relation = Relation::new(schema(), KEY.to_vec());
    let row = rows_batch(&[vec![Some(1); common::TYPES.len()]]);
    let change = relation.prepare_keyed(vec![], row.clone());
    relation.publish(change);
    let _ = relation.prepare_keyed(vec![], row);
}

#[test]
#[should_panic(expected = "published on the state it was prepared on")]
fn a_change_is_not_published_on_a_later_state() {
    let mut relation = Relation::new(schema(), KEY.to_vec());
    let none = || rows_batch(&[]);
    let (one, other) = (relation.prepare_keyed(vec![], none()), relation.prepare_keyed(vec![], none()));
    relation.publish(one);
    relation.publish(other);
}
