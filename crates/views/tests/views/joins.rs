//! Inner joins.

use crate::support::{Fixture, added, changes, expected, float, whole};
use crate::value::Value;

const TWO_TABLES: &str = "CREATE TABLE l (k BIGINT, x BIGINT); CREATE TABLE r (k BIGINT, y BIGINT);
    CREATE MATERIALIZED VIEW v AS SELECT l.x, r.y FROM l JOIN r ON l.k = r.k;";

#[test]
fn null_keys_never_match() {
    let mut fixture = Fixture::new(TWO_TABLES);
    fixture.step("l", added(vec![vec![Value::Null, whole(1)]]));
    let output = fixture.step("r", added(vec![vec![Value::Null, whole(2)]]));
    assert!(output.deltas.is_empty());
}

#[test]
fn rows_come_as_often_as_their_parts_multiply() {
    let mut fixture = Fixture::new(TWO_TABLES);
    fixture.step("l", vec![(vec![whole(1), whole(10)], 2)]);
    let output = fixture.step("r", vec![(vec![whole(1), whole(20)], 3)]);
    assert_eq!(changes(&output, "v"), expected(&[(vec![whole(10), whole(20)], 6)]));
}

#[test]
fn both_sides_changed_in_one_step_meet() {
    let mut fixture = Fixture::new(TWO_TABLES);
    let left = fixture.delta("l", added(vec![vec![whole(1), whole(10)]]));
    let right = fixture.delta("r", added(vec![vec![whole(1), whole(20)]]));
    let output = fixture.circuit.step(vec![left, right]).unwrap();
    assert_eq!(changes(&output, "v"), expected(&[(vec![whole(10), whole(20)], 1)]));
}

#[test]
fn a_computed_negative_zero_meets_zero_and_nan_meets_nan() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a DOUBLE);
         CREATE MATERIALIZED VIEW v AS SELECT x.a AS a, y.a AS b FROM t x JOIN t y ON x.a * -1 = y.a;",
    );
    let output = fixture.step("t", added(vec![vec![float(0.0)], vec![float(f64::NAN)]]));
    let rows = [(vec![float(0.0), float(0.0)], 1), (vec![float(f64::NAN), float(f64::NAN)], 1)];
    assert_eq!(changes(&output, "v"), expected(&rows));
}
