//! Views that compute the same share it, and the profile shows it.

use headwater_views::{OperatorProfile, PartProfile};

use crate::support::{Fixture, added, changes, expected, whole};

const TABLES: &str = "CREATE TABLE t (a BIGINT, b BIGINT); CREATE TABLE u (a BIGINT, c BIGINT);";
const JOIN: &str = "SELECT t.a, t.b, u.c FROM t JOIN u ON t.a = u.a";

/// A circuit of one join view per SELECT over it, with rows in both tables.
fn over_join(selects: &[&str]) -> Fixture {
    let view = |(number, select): (usize, &&str)| {
        format!("CREATE MATERIALIZED VIEW v{number} AS {};", select.replace("JOINED", &format!("({JOIN}) j")))
    };
    let views: Vec<String> = selects.iter().enumerate().map(view).collect();
    let mut fixture = Fixture::new(&(TABLES.to_owned() + &views.concat()));
    fixture.step("t", added((0..100).map(|i| vec![whole(i % 10), whole(i)]).collect()));
    fixture.step("u", added((0..10).map(|i| vec![whole(i), whole(i)]).collect()));
    fixture
}

fn only_part(fixture: &mut Fixture) -> PartProfile {
    let [part] = fixture.circuit.profile().parts.try_into().unwrap();
    part
}

fn starting(part: &PartProfile, what: &str) -> Vec<OperatorProfile> {
    part.operators.iter().filter(|operator| operator.what.starts_with(what)).cloned().collect()
}

fn state_rows(part: &PartProfile) -> u64 {
    part.operators.iter().map(|operator| operator.state_rows).sum()
}

#[test]
fn two_views_of_one_join_build_its_indexes_once() {
    let selects = ["SELECT a, b, c FROM JOINED", "SELECT a, b + c AS d FROM JOINED"];
    let part = only_part(&mut over_join(&selects));
    assert_eq!(starting(&part, "index").len(), 2);
    let [join] = starting(&part, "join").try_into().unwrap();
    assert_eq!(join.views.len(), 2);
    assert_eq!((join.rows_in, join.rows_out), (110, 100));
    assert_eq!(state_rows(&part), state_rows(&only_part(&mut over_join(&selects[..1]))));
}

#[test]
fn two_joins_of_one_index_share_its_state() {
    let sql = format!(
        "{TABLES} CREATE TABLE w (a BIGINT, d BIGINT);
         CREATE MATERIALIZED VIEW x AS SELECT t.a, t.b, u.c FROM t JOIN u ON t.a = u.a;
         CREATE MATERIALIZED VIEW y AS SELECT t.a, t.b, w.d FROM t JOIN w ON t.a = w.a;"
    );
    let mut fixture = Fixture::new(&sql);
    fixture.step("t", added((0..100).map(|i| vec![whole(i % 10), whole(i)]).collect()));
    let part = only_part(&mut fixture);
    assert_eq!(starting(&part, "index").len(), 3);
    assert_eq!(state_rows(&part), 100);
}

#[test]
fn twelve_similar_views_keep_what_one_keeps() {
    let selects: Vec<String> =
        (0..12).map(|number| format!("SELECT a, b, c, a + {number} AS d FROM JOINED")).collect();
    let selects: Vec<&str> = selects.iter().map(String::as_str).collect();
    let (one, twelve) = (only_part(&mut over_join(&selects[..1])), only_part(&mut over_join(&selects)));
    assert_eq!(state_rows(&twelve), state_rows(&one));
}

#[test]
fn an_expression_that_views_share_is_reported_for_each_of_them() {
    let select = "SELECT a, SUM(9223372036854775807 + b) AS s FROM t GROUP BY a";
    let sql =
        format!("{TABLES} CREATE MATERIALIZED VIEW x AS {select}; CREATE MATERIALIZED VIEW y AS {select};");
    let mut fixture = Fixture::new(&sql);
    let output = fixture.step("t", added(vec![vec![whole(1), whole(1)]]));
    let views: Vec<&str> = output.errors.iter().map(|error| error.view.as_str()).collect();
    assert_eq!(views, ["x", "y"]);
    assert_eq!(changes(&output, "x"), changes(&output, "y"));
    assert_eq!(starting(&only_part(&mut fixture), "group by").len(), 1);
}

#[test]
fn a_profile_says_what_operators_did_and_hold() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT); CREATE TABLE u (a BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT a, COUNT(*) AS n FROM t WHERE a > 1 GROUP BY a;
         CREATE MATERIALIZED VIEW w AS SELECT a FROM u;",
    );
    let output = fixture.step("t", added((0..5).map(|a| vec![whole(a)]).collect()));
    assert_eq!(changes(&output, "v").len(), 3);
    let profile = fixture.circuit.profile();
    let part = |view: &str| profile.parts.iter().find(|part| part.views[0].as_str() == view).unwrap();
    assert_eq!((part("v").steps, part("w").steps), (1, 0), "only what a step touches runs");
    let operators = &part("v").operators;
    let [source] = starting(part("v"), "changes of t").try_into().unwrap();
    assert_eq!((source.rows_out, source.state_rows), (5, 0));
    let [group] = starting(part("v"), "group by the first column: COUNT").try_into().unwrap();
    assert!(group.what.contains("where a@0 > 1"), "{}", group.what);
    assert_eq!(group.rows_out, 3);
    assert!(group.state_rows >= 3 && group.state_bytes > 0 && group.time.as_nanos() > 0, "{group:?}");
    assert!(operators.iter().all(|operator| operator.views.len() == 1));
    assert_eq!(expected(&[(vec![whole(2), whole(1)], 1)])[0], changes(&output, "v")[0]);
}
