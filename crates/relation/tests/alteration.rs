//! A relation whose columns change has the rows that a new one would get by inserting each of them converted.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use common::{Row, batch, contents, rows_batch, schema, sorted_bytes};
use headwater_relation::{Alteration, ColumnSource, Relation, RowId};
use headwater_types::{Delta, Scan, WeightedRows};
use proptest::prelude::*;

const VARCHAR: usize = 0;
const SMALL_INT: usize = 4;
const REAL: usize = 6;
const TIMESTAMP: usize = 10;

/// What the tests make of the columns: moved, dropped, widened, added with and without a value.
fn new_schema() -> SchemaRef {
    let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("small", DataType::Int64, true),
        field("added", DataType::Utf8, true),
        field("text", DataType::Utf8, true),
        field("real", DataType::Float64, true),
        field("constant", DataType::Int64, false),
        field("at", schema().field(TIMESTAMP).data_type().clone(), true),
    ]))
}

fn sources() -> Vec<ColumnSource> {
    vec![
        ColumnSource::Kept(SMALL_INT),
        ColumnSource::Constant(new_null_array(&DataType::Utf8, 1)),
        ColumnSource::Kept(VARCHAR),
        ColumnSource::Kept(REAL),
        ColumnSource::Constant(Arc::new(Int64Array::from(vec![7]))),
        ColumnSource::Kept(TIMESTAMP),
    ]
}

/// The same rows in their new form, value by value.
fn converted(rows: &[Row]) -> RecordBatch {
    let old = rows_batch(rows);
    let small = rows.iter().map(|row| row[SMALL_INT].map(|n| i64::from(n) - 2));
    let real: Vec<Option<f64>> = rows
        .iter()
        .map(|row| row[REAL].map(|n| f64::from([0.0_f32, f32::NAN, f32::NEG_INFINITY, 0.1][n as usize % 4])))
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter(small)),
        Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
        old.column(VARCHAR).clone(),
        Arc::new(Float64Array::from(real)),
        Arc::new(Int64Array::from(vec![7; rows.len()])),
        old.column(TIMESTAMP).clone(),
    ];
    RecordBatch::try_new(new_schema(), columns).unwrap()
}

/// What a step does to one key: a row to put, or none.
type Step = Vec<(Row, bool)>;

fn steps(key: &'static [usize]) -> impl Strategy<Value = Vec<Step>> {
    let row = (0_u8..60, common::row(common::TYPES.len())).prop_map(|(number, mut row)| {
        (row[key[0]], row[key[1]]) = (Some(number / 4), Some(number % 4));
        row
    });
    let step = prop::collection::vec((row, prop::bool::weighted(0.7)), 0..40).prop_map(move |entries| {
        let by_key: BTreeMap<Row, (Row, bool)> =
            entries.into_iter().map(|entry| (key.iter().map(|&c| entry.0[c]).collect(), entry)).collect();
        by_key.into_values().collect()
    });
    prop::collection::vec(step, 1..12)
}

/// Takes a step whose rows are in the form that the relation has.
fn take(relation: &mut Relation, key: &[usize], step: &Step, form: impl Fn(&[Row]) -> RecordBatch) {
    let all: Vec<Row> = step.iter().map(|(row, _)| row.clone()).collect();
    let keys = form(&all).project(key).unwrap();
    let removed: Vec<RowId> = relation.find_all(&relation.key_bytes(&keys)).into_iter().flatten().collect();
    let puts: Vec<Row> = step.iter().filter(|(_, put)| *put).map(|(row, _)| row.clone()).collect();
    let change = relation.prepare_keyed(removed, form(&puts));
    relation.publish(change);
}

fn apply(model: &mut BTreeMap<Row, Row>, key: &[usize], step: &Step) {
    for (row, put) in step {
        let key: Row = key.iter().map(|&column| row[column]).collect();
        if *put {
            model.insert(key, row.clone());
        } else {
            model.remove(&key);
        }
    }
}

/// Runs steps, alters after those before, with pieces of it made between them, and runs steps on the altered.
fn check_keyed(key: &'static [usize], new_key: &[usize], before: &[Step], after: &[Step], piece: usize) {
    let mut relation = Relation::new(schema(), key.to_vec());
    let mut model = BTreeMap::new();
    let mut alteration = Alteration::new(new_schema(), new_key.to_vec(), sources());
    for step in before {
        take(&mut relation, key, step, rows_batch);
        apply(&mut model, key, step);
        alteration.convert(&relation, piece);
    }
    let expected =
        |model: &BTreeMap<Row, Row>| sorted_bytes(&converted(&model.values().cloned().collect::<Vec<_>>()));
    let old_rows = contents(&relation.snapshot());
    let mut altered = alteration.finish(&relation);
    assert_eq!(contents(&altered.snapshot()), expected(&model));
    assert_eq!(contents(&relation.snapshot()), old_rows, "the relation itself is as it was");
    let at_once = relation.altered(new_schema(), new_key.to_vec(), sources());
    assert_eq!(contents(&at_once.snapshot()), expected(&model), "at once or in pieces is the same");
    for step in after {
        take(&mut altered, new_key, step, converted);
        apply(&mut model, key, step);
        assert_eq!(contents(&altered.snapshot()), expected(&model));
    }
    let held: Vec<Row> = model.values().cloned().collect();
    let found = altered.reader().lookup(&converted(&held).project(new_key).unwrap());
    assert_eq!(found, converted(&held), "every row is found by its key");
    assert_eq!(altered.num_rows(), model.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_key_whose_columns_stay_finds_the_converted_rows(
        before in steps(&[TIMESTAMP, VARCHAR]), after in steps(&[TIMESTAMP, VARCHAR]), piece in 0_usize..40,
    ) {
        check_keyed(&[TIMESTAMP, VARCHAR], &[5, 2], &before, &after, piece);
    }

    #[test]
    fn a_key_that_is_widened_finds_the_converted_rows(
        before in steps(&[SMALL_INT, VARCHAR]), after in steps(&[SMALL_INT, VARCHAR]), piece in 0_usize..40,
    ) {
        check_keyed(&[SMALL_INT, VARCHAR], &[0, 2], &before, &after, piece);
    }

    #[test]
    fn a_multiset_keeps_its_rows_and_goes_on(
        before in prop::collection::vec(common::row(common::TYPES.len()), 0..200), removed in 0_usize..50,
        after in prop::collection::vec(common::row(common::TYPES.len()), 0..50),
    ) {
        let mut relation = Relation::new(schema(), vec![]);
        for rows in before.chunks(30) {
            let change = relation.prepare_multiset(&Delta::inserted(rows_batch(rows))).unwrap();
            relation.publish(change);
        }
        let removed = removed.min(before.len());
        let minus = |rows: RecordBatch| {
            let weights = vec![-1; rows.num_rows()];
            Delta { parts: vec![WeightedRows::weighted(rows, weights)] }
        };
        let change = relation.prepare_multiset(&minus(rows_batch(&before[..removed]))).unwrap();
        relation.publish(change);
        let mut altered = relation.altered(new_schema(), vec![], sources());
        let rest = &before[removed..];
        prop_assert_eq!(contents(&altered.snapshot()), sorted_bytes(&converted(rest)));
        let change = altered.prepare_multiset(&Delta::inserted(converted(&after))).unwrap();
        altered.publish(change);
        let change = altered.prepare_multiset(&minus(converted(rest))).unwrap();
        altered.publish(change);
        prop_assert_eq!(contents(&altered.snapshot()), sorted_bytes(&converted(&after)));
    }
}

#[test]
fn pieces_that_were_converted_are_not_converted_again() {
    let mut relation = Relation::new(schema(), vec![TIMESTAMP, VARCHAR]);
    let row = |number: u8| {
        let mut row: Row = vec![Some(number % 4); common::TYPES.len()];
        (row[TIMESTAMP], row[VARCHAR]) = (Some(number / 4), Some(number % 4));
        row
    };
    let rows: Vec<Row> = (0..200).map(row).collect();
    for rows in rows.chunks(10) {
        let change = relation.prepare_keyed(vec![], rows_batch(rows));
        relation.publish(change);
    }
    let mut alteration = Alteration::new(new_schema(), vec![5, 2], sources());
    let mut sizes = Vec::new();
    loop {
        match alteration.convert(&relation, 50) {
            0 => break,
            size => sizes.push(size),
        }
    }
    assert_eq!(sizes.iter().sum::<usize>(), 200, "each row once: {sizes:?}");
    assert!(sizes.len() > 1, "in pieces: {sizes:?}");
    let keys = batch(&[TIMESTAMP, VARCHAR], &[vec![Some(0), Some(0)]]);
    let gone = relation.find_all(&relation.key_bytes(&keys)).into_iter().flatten().collect();
    let change = relation.prepare_keyed(gone, rows_batch(&[]));
    relation.publish(change);
    assert_eq!(alteration.convert(&relation, 50), 0, "that a row died converts nothing anew");
    assert_eq!(alteration.finish(&relation).snapshot().num_rows(), 199);
}

#[test]
#[should_panic(expected = "the key consists of the columns that it did")]
fn another_key_is_not_an_alteration() {
    let relation = Relation::new(schema(), vec![TIMESTAMP, VARCHAR]);
    let _ = relation.altered(new_schema(), vec![2, 5], sources());
}
