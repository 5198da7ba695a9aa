//! An expression that fails gives NULL for its row and column alone, and is reported.

use headwater_types::limits;
use headwater_views::ExpressionError;

use crate::support::{Fixture, added, changes, expected, float, removed, text, whole};
use crate::value::{Row, Value};

fn columns(errors: &[ExpressionError]) -> Vec<&str> {
    errors.iter().map(|error| error.column.as_str()).collect()
}

#[test]
fn arithmetic_that_leaves_its_type_is_null_and_never_wraps() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT, i INTEGER, d DECIMAL(38, 0));
         CREATE MATERIALIZED VIEW v AS SELECT
            a + 1 AS plus, a - 1 AS minus, a * 2 AS times, - a AS negated, ABS(a) AS absolute, a / -1 AS quotient,
            i + i AS narrow, d + d AS decimal_sum, - d AS decimal_negated FROM t;",
    );
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let decimal = 10_i128.pow(38) - 1;
    let rows = vec![
        vec![whole(most), whole(i32::MAX.into()), whole(decimal)],
        vec![whole(least), whole(1), whole(1)],
    ];
    let output = fixture.step("t", added(rows));
    let null = Value::Null;
    let first = vec![
        null.clone(),
        whole(most - 1),
        null.clone(),
        whole(-most),
        whole(most),
        whole(-most),
        null.clone(),
        null.clone(),
        whole(-decimal),
    ];
    let second = vec![
        whole(least + 1),
        null.clone(),
        null.clone(),
        null.clone(),
        null.clone(),
        null,
        whole(2),
        whole(2),
        whole(-1),
    ];
    assert_eq!(changes(&output, "v"), expected(&[(first, 1), (second, 1)]));
    let mut wrong = columns(&output.errors);
    wrong.sort_unstable();
    let failing =
        ["absolute", "decimal_sum", "minus", "narrow", "negated", "plus", "quotient", "times", "times"];
    assert_eq!(wrong, failing);
    assert_eq!(output.errors_total, 9);
}

#[test]
fn a_failing_row_leaves_its_neighbours_alone() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT, b BIGINT); CREATE MATERIALIZED VIEW v AS SELECT a, 100 / b AS q FROM t;",
    );
    let rows: Vec<Row> = (0..1000).map(|row| vec![whole(row), whole(i128::from(row % 500 != 250))]).collect();
    let output = fixture.step("t", added(rows));
    let rows: Vec<(Row, i64)> = (0..1000)
        .map(|row| (vec![whole(row), if row % 500 == 250 { Value::Null } else { whole(100) }], 1))
        .collect();
    assert_eq!(changes(&output, "v"), expected(&rows));
    assert_eq!(columns(&output.errors), ["q", "q"]);
    assert_eq!(output.errors[0].reason, "Divide by zero error");
    assert_eq!(output.errors[0].view.as_str(), "v");
}

#[test]
fn a_failed_cast_is_reported_and_a_try_cast_is_not() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (s VARCHAR, f DOUBLE);
         CREATE MATERIALIZED VIEW v AS SELECT CAST(s AS INTEGER) AS c, TRY_CAST(s AS INTEGER) AS t, CAST(f AS INTEGER) AS f FROM t;",
    );
    let output = fixture.step("t", added(vec![vec![text("x"), float(1e20)], vec![text("7"), float(2.5)]]));
    let rows = [(vec![Value::Null, Value::Null, Value::Null], 1), (vec![whole(7), whole(7), whole(2)], 1)];
    assert_eq!(changes(&output, "v"), expected(&rows));
    assert_eq!(columns(&output.errors), ["c", "f"]);
}

#[test]
fn a_condition_that_fails_drops_the_row_and_names_its_clause() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT, b BIGINT);
         CREATE MATERIALIZED VIEW filtered AS SELECT a FROM t WHERE a / b > 0;
         CREATE MATERIALIZED VIEW grouped AS SELECT a FROM t GROUP BY a HAVING 1 / SUM(b) > 0;
         CREATE MATERIALIZED VIEW joined AS SELECT x.a FROM t x JOIN t y ON x.a = y.a AND x.a / y.b > x.b;",
    );
    let output = fixture.step("t", added(vec![vec![whole(1), whole(0)]]));
    assert!(output.deltas.is_empty());
    let found: Vec<(&str, &str)> =
        output.errors.iter().map(|e| (e.view.as_str(), e.column.as_str())).collect();
    assert_eq!(found, [("filtered", "WHERE"), ("grouped", "HAVING"), ("joined", "ON")]);
}

#[test]
fn a_row_taken_away_takes_back_its_null_and_is_not_reported_again() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT 1 / a AS q FROM t;");
    let row = vec![whole(0)];
    assert_eq!(fixture.step("t", added(vec![row.clone()])).errors_total, 1);
    let output = fixture.step("t", removed(vec![row]));
    assert_eq!(changes(&output, "v"), expected(&[(vec![Value::Null], -1)]));
    assert_eq!((output.errors.len(), output.errors_total), (0, 0));
}

#[test]
fn each_insertion_of_a_failing_row_counts() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT 1 / a AS q FROM t;");
    let output = fixture.step("t", vec![(vec![whole(0)], 3)]);
    assert_eq!((output.errors.len(), output.errors_total), (3, 3));
}

#[test]
fn many_errors_are_counted_and_some_are_listed() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT CAST(CAST(a AS VARCHAR) || 'x' AS BIGINT) AS q FROM t;",
    );
    let output = fixture.step("t", added((0..5000).map(|row| vec![whole(row)]).collect()));
    assert_eq!((output.errors.len(), output.errors_total), (limits::ERRORS_PER_STEP_MAX, 5000));
}

#[test]
fn a_sum_that_does_not_fit_is_null_until_it_fits_again() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT, d DECIMAL(38, 0));
         CREATE MATERIALIZED VIEW v AS SELECT SUM(a) AS s, SUM(d) AS d, AVG(d) AS m FROM t;",
    );
    let row = vec![whole(i64::MAX.into()), whole(10_i128.pow(38) - 1)];
    let one = vec![row[0].clone(), row[1].clone(), Value::Null];
    fixture.step("t", added(vec![row.clone()]));
    let output = fixture.step("t", added(vec![row.clone()]));
    assert_eq!(changes(&output, "v"), expected(&[(one.clone(), -1), (vec![Value::Null; 3], 1)]));
    assert_eq!(output.errors_total, 2, "{:?}", output.errors);
    let output = fixture.step("t", removed(vec![row]));
    assert_eq!(changes(&output, "v"), expected(&[(one, 1), (vec![Value::Null; 3], -1)]));
}

#[test]
fn what_a_join_adds_and_takes_back_within_a_step_is_not_reported() {
    let mut fixture = Fixture::new(
        "CREATE TABLE l (k BIGINT, x BIGINT); CREATE TABLE r (k BIGINT, y BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT l.x / r.y AS q FROM l JOIN r ON l.k = r.k;",
    );
    fixture.step("l", added(vec![vec![whole(1), whole(5)]]));
    assert_eq!(fixture.step("r", added(vec![vec![whole(1), whole(0)]])).errors_total, 1);
    let left = fixture.delta("l", vec![(vec![whole(1), whole(5)], -1), (vec![whole(1), whole(6)], 1)]);
    let right = fixture.delta("r", vec![(vec![whole(1), whole(0)], -1), (vec![whole(1), whole(2)], 1)]);
    let output = fixture.circuit.step(vec![left, right]).unwrap();
    assert_eq!(changes(&output, "v"), expected(&[(vec![Value::Null], -1), (vec![whole(3)], 1)]));
    assert_eq!(output.errors_total, 0);
}
