//! What one step takes and gives.

use std::collections::BTreeMap;

use headwater_types::{Delta, Name};

use crate::support::{Fixture, added, changes, expected, integrate, whole};
use crate::value::Value;

#[test]
fn an_update_that_a_view_does_not_see_changes_nothing() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT, b BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT a FROM t;",
    );
    fixture.step("t", added(vec![vec![whole(1), whole(10)]]));
    let output = fixture.step("t", vec![(vec![whole(1), whole(10)], -1), (vec![whole(1), whole(11)], 1)]);
    assert!(output.deltas.is_empty());
}

#[test]
fn only_views_that_change_are_named_in_the_order_of_the_program() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT); CREATE TABLE u (a BIGINT);
         CREATE MATERIALIZED VIEW z AS SELECT a FROM t;
         CREATE MATERIALIZED VIEW m AS SELECT a FROM u;
         CREATE MATERIALIZED VIEW b AS SELECT a + 1 AS a FROM t;",
    );
    let output = fixture.step("t", added(vec![vec![whole(1)]]));
    let names: Vec<&str> = output.deltas.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["z", "b"]);
}

#[test]
fn a_table_that_no_view_reads_is_ignored() {
    let mut fixture = Fixture::new("CREATE TABLE t (a BIGINT); CREATE VIEW v AS SELECT a FROM t;");
    assert!(fixture.step("t", added(vec![vec![whole(1)]])).deltas.is_empty());
}

#[test]
#[should_panic(expected = "the program has no table missing")]
fn a_table_that_the_program_lacks_is_a_mistake_of_the_caller() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT a FROM t;");
    let _ = fixture.circuit.step(vec![(Name::new("missing").unwrap(), Delta::default())]);
}

#[test]
fn rows_taken_back_within_a_step_leave_nothing() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT a, COUNT(*) AS n FROM t GROUP BY a;
         CREATE MATERIALIZED VIEW w AS SELECT a FROM t;",
    );
    let output = fixture.step("t", vec![(vec![whole(1)], 1), (vec![whole(1)], -1)]);
    assert!(output.deltas.is_empty());
}

#[test]
fn a_table_given_in_parts_gives_the_same_views_as_given_at_once() {
    let sql = "CREATE TABLE t (a BIGINT, b BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT a, SUM(b) AS s, MAX(b) AS m FROM t GROUP BY a;
         CREATE MATERIALIZED VIEW w AS SELECT v.a, v.s, t.b FROM v JOIN t ON v.a = t.a;";
    let rows: Vec<Vec<Value>> = (0..100).map(|i| vec![whole(i % 7), whole(i * i % 31)]).collect();
    let contents = [100, 9].map(|size| {
        let mut fixture = Fixture::new(sql);
        let mut content = BTreeMap::new();
        for part in rows.chunks(size) {
            integrate(&mut content, &fixture.step("t", added(part.to_vec())), "w");
        }
        content
    });
    assert!(!contents[0].is_empty());
    assert_eq!(contents[0], contents[1]);
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let sql = "CREATE TABLE t (a BIGINT, b BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT x.a, y.b, SUM(x.b) AS s FROM t x JOIN t y ON x.a = y.a GROUP BY x.a, y.b;
         CREATE MATERIALIZED VIEW w AS SELECT b, a FROM t WHERE a > 2;";
    let run = || {
        let mut fixture = Fixture::new(sql);
        let steps = (0..10).map(|step| {
            let rows = (0..40).map(|i| {
                (vec![whole((i * 7 + step) % 5), whole(i % 11)], if step % 3 == 2 { -1 } else { 1 })
            });
            let output = fixture.step("t", rows.collect());
            let parts = output.deltas.into_iter().flat_map(|(name, delta)| {
                delta.parts.into_iter().map(move |part| (name.clone(), part.rows, part.weights))
            });
            parts.collect::<Vec<_>>()
        });
        steps.collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_view_over_a_view_sees_its_changes_in_the_same_step() {
    let mut fixture = Fixture::new(
        "CREATE TABLE t (a BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT a, COUNT(*) AS n FROM t GROUP BY a;
         CREATE MATERIALIZED VIEW w AS SELECT n, COUNT(*) AS groups FROM v GROUP BY n;",
    );
    fixture.step("t", added(vec![vec![whole(1)], vec![whole(2)]]));
    let output = fixture.step("t", added(vec![vec![whole(1)]]));
    let row = |n, groups| vec![whole(n), whole(groups)];
    assert_eq!(changes(&output, "w"), expected(&[(row(1, 2), -1), (row(1, 1), 1), (row(2, 1), 1)]));
}

#[test]
fn a_circuit_may_move_to_another_thread() {
    let mut fixture =
        Fixture::new("CREATE TABLE t (a BIGINT); CREATE MATERIALIZED VIEW v AS SELECT a FROM t;");
    let input = fixture.delta("t", added(vec![vec![whole(1)]]));
    let moved = std::thread::spawn(move || fixture.circuit.step(vec![input]));
    assert_eq!(moved.join().unwrap().unwrap().deltas.len(), 1);
}
