//! What was added and taken away again leaves nothing.

use std::collections::BTreeMap;

use crate::support::{Fixture, added, changes, expected, float, integrate, removed, whole};
use crate::value::Value;

const EXTREME: [f64; 8] = [1e300, 1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, -1e300, 5e-324];

#[test]
fn deleting_every_row_empties_every_view() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (g BIGINT, f DOUBLE, c DECIMAL(38, 2));
         CREATE MATERIALIZED VIEW sums AS SELECT g, SUM(f) AS s, AVG(f) AS m, SUM(c) AS d, AVG(c) AS e, MIN(f) AS l, MAX(f) AS h FROM t GROUP BY g;
         CREATE MATERIALIZED VIEW pairs AS SELECT a.f AS x, b.f AS y FROM t a JOIN t b ON a.g = b.g;
         CREATE MATERIALIZED VIEW all_rows AS SELECT f FROM t UNION ALL SELECT f * 2 FROM t;
         CREATE MATERIALIZED VIEW over AS SELECT SUM(s) AS s, COUNT(*) AS n, h FROM sums GROUP BY h;",
    );
    let decimal = 10_i128.pow(38) - 1;
    let rows: Vec<Vec<Value>> = (0..64)
        .map(|row| vec![whole(row % 3), float(EXTREME[row as usize % EXTREME.len()]), whole(decimal - row)])
        .collect();
    let views = ["sums", "pairs", "all_rows", "over"];
    let mut contents: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    let mut track =
        |output| views.iter().for_each(|view| integrate(contents.entry(view).or_default(), &output, view));
    rows.chunks(7).for_each(|part| track(fixture.step("t", added(part.to_vec()))));
    let backwards: Vec<Vec<Value>> = rows.iter().rev().cloned().collect();
    backwards.chunks(5).for_each(|part| track(fixture.step("t", removed(part.to_vec()))));
    for view in views {
        assert!(contents[view].is_empty(), "{view}: {:?}", contents[view]);
    }
}

#[test]
fn a_sum_is_exact_again_once_infinities_and_nan_are_gone() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (f DOUBLE); CREATE MATERIALIZED VIEW v AS SELECT SUM(f) AS s FROM t;");
    let special: Vec<Vec<Value>> = EXTREME.iter().map(|value| vec![float(*value)]).collect();
    fixture.step("t", added(vec![vec![float(0.25)]]));
    let output = fixture.step("t", added(special.clone()));
    assert_eq!(changes(&output, "v"), expected(&[(vec![float(0.25)], -1), (vec![float(f64::NAN)], 1)]));
    let output = fixture.step("t", removed(special));
    assert_eq!(changes(&output, "v"), expected(&[(vec![float(0.25)], 1), (vec![float(f64::NAN)], -1)]));
}
