//! GROUP BY.

use crate::support::{Fixture, added, changes, expected, float, removed, text, whole};
use crate::value::Value;

#[test]
fn an_aggregate_without_group_by_has_one_row_from_the_first_step_on() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n, SUM(a) AS s, MIN(a) AS least, MAX(a) AS most FROM t;",
    );
    let empty = vec![whole(0), Value::Null, Value::Null, Value::Null];
    let first = fixture.circuit.step(Vec::new()).unwrap();
    assert_eq!(changes(&first, "v"), expected(&[(empty.clone(), 1)]));
    assert!(fixture.circuit.step(Vec::new()).unwrap().deltas.is_empty());
    let one = vec![whole(1), whole(7), whole(7), whole(7)];
    let output = fixture.step("t", added(vec![vec![whole(7)]]));
    assert_eq!(changes(&output, "v"), expected(&[(empty.clone(), -1), (one.clone(), 1)]));
    let output = fixture.step("t", removed(vec![vec![whole(7)]]));
    assert_eq!(changes(&output, "v"), expected(&[(empty, 1), (one, -1)]));
}

#[test]
fn the_first_step_of_an_aggregate_without_group_by_may_bring_rows() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT COUNT(a) AS n FROM t;");
    let output = fixture.step("t", added(vec![vec![whole(7)], vec![Value::Null]]));
    assert_eq!(changes(&output, "v"), expected(&[(vec![whole(1)], 1)]));
}

#[test]
fn null_is_a_group_and_no_argument() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (g VARCHAR, a BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT MAX(a) AS m, g, COUNT(*) AS n, COUNT(a) AS c, AVG(a) AS mean FROM t GROUP BY g;",
    );
    let rows = vec![vec![Value::Null, whole(1)], vec![Value::Null, whole(2)], vec![text("x"), Value::Null]];
    let output = fixture.step("t", added(rows));
    let nulls = vec![whole(2), Value::Null, whole(2), whole(2), float(1.5)];
    let texts = vec![Value::Null, text("x"), whole(1), whole(0), Value::Null];
    assert_eq!(changes(&output, "v"), expected(&[(nulls, 1), (texts, 1)]));
}

#[test]
fn float_sums_do_not_depend_on_the_order_of_rows() {
    let values = [1e300, 1.0, -1e300, 1e-300, 0.1, 0.2, 0.3];
    let sum = |rows: Vec<f64>| {
        let mut fixture = Fixture::new(
            "CREATE TABLE t (a DOUBLE); CREATE MATERIALIZED VIEW v AS SELECT SUM(a) AS s, AVG(a) AS m FROM t;",
        );
        let mut last = Vec::new();
        for value in rows {
            let output = fixture.step("t", added(vec![vec![float(value)]]));
            last = changes(&output, "v").into_iter().filter(|(_, weight)| *weight > 0).collect();
        }
        last
    };
    let forwards = sum(values.to_vec());
    assert_eq!(forwards, sum(values.iter().rev().copied().collect()));
    assert!(forwards[0].0.starts_with(&float(1.6).text()), "{forwards:?}");
}

#[test]
fn the_mean_of_integers_is_rounded_once() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT AVG(a) AS m FROM t;");
    // The sum is 2^53 + 2. As a float, the first would lose its last digit before it is added.
    let output = fixture.step("t", added(vec![vec![whole((1 << 53) + 1)], vec![whole(1)]]));
    assert_eq!(changes(&output, "v"), expected(&[(vec![float(4_503_599_627_370_497.0)], 1)]));
}

#[test]
fn the_mean_of_decimals_is_rounded_half_away_from_zero() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a DECIMAL(10, 0)); CREATE MATERIALIZED VIEW v AS SELECT AVG(a) AS m FROM t;",
    );
    let rows =
        |first: i128| (0..32).map(|row| vec![whole(if row == 0 { first } else { 0 })]).collect::<Vec<_>>();
    // 1 / 32 = 0.03125: four decimals are kept.
    let output = fixture.step("t", added(rows(1)));
    assert_eq!(changes(&output, "v"), expected(&[(vec![whole(313)], 1)]));
    let output = fixture.step("t", [removed(rows(1)), added(rows(-1))].concat());
    assert_eq!(changes(&output, "v"), expected(&[(vec![whole(313)], -1), (vec![whole(-313)], 1)]));
}

#[test]
fn extremes_are_taken_of_every_type() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (b BOOLEAN, i INTEGER, f DOUBLE, c DECIMAL(5, 1), s VARCHAR, d DATE);
         CREATE MATERIALIZED VIEW v AS SELECT MIN(b) AS b, MAX(i) AS i, MIN(f) AS f, MAX(c) AS c, MIN(s) AS s, MAX(d) AS d FROM t;",
    );
    let low = vec![Value::Bool(false), whole(-5), float(f64::NEG_INFINITY), whole(-1), text(""), whole(-3)];
    let high = vec![Value::Bool(true), whole(5), float(f64::NAN), whole(1), text("a"), whole(3)];
    let mut content = std::collections::BTreeMap::new();
    let output = fixture.step("t", added(vec![low.clone(), high.clone()]));
    crate::support::integrate(&mut content, &output, "v");
    let mixed: Vec<Value> = (0..6)
        .map(|column| if column % 2 == 0 { low[column].clone() } else { high[column].clone() })
        .collect();
    assert_eq!(content.keys().cloned().collect::<Vec<_>>(), [crate::value::row_text(&mixed)]);
    let output = fixture.step("t", removed(vec![low]));
    crate::support::integrate(&mut content, &output, "v");
    assert_eq!(content.keys().cloned().collect::<Vec<_>>(), [crate::value::row_text(&high)]);
}
