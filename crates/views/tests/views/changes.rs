//! Changing the program: what is kept goes on, what is new is filled.

use std::collections::HashSet;

use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name};
use headwater_views::{Circuit, CircuitOptions, StepError};

use crate::support::{Fixture, added, changes, expected, whole};

const TABLES: &str = "CREATE TABLE t (a BIGINT); CREATE TABLE u (a BIGINT);";
const OVER_T: &str = "CREATE MATERIALIZED VIEW over_t AS SELECT a, COUNT(*) AS n FROM t GROUP BY a;";
const OVER_U: &str = "CREATE MATERIALIZED VIEW over_u AS SELECT a, COUNT(*) AS n FROM u GROUP BY a;";
const OVER_VIEW: &str =
    "CREATE MATERIALIZED VIEW over_view AS SELECT n, COUNT(*) AS groups FROM over_t GROUP BY n;";
const PANICS: &str = "CREATE MATERIALIZED VIEW panics AS SELECT hw_test_panic(a) AS a FROM t;";
const TOTAL: &str = "CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS n FROM u;";

fn program(parts: &[&str]) -> Program {
    compile(&(TABLES.to_owned() + &parts.concat()), &CompileOptions { test_hooks: true }).unwrap()
}

fn names(names: &[&str]) -> HashSet<Name> {
    names.iter().map(|name| Name::new(name).unwrap()).collect()
}

fn sources(circuit: &Circuit) -> Vec<String> {
    circuit.change_sources().iter().map(|name| name.as_str().to_owned()).collect()
}

fn begin(fixture: &mut Fixture, parts: &[&str], kept: &[&str]) {
    fixture.circuit.begin_change(&program(parts), &names(kept)).unwrap();
}

/// A circuit of `parts` whose tables hold one row each.
fn running(parts: &[&str]) -> Fixture {
    let mut fixture = Fixture::new(&(TABLES.to_owned() + &parts.concat()));
    fixture.step("t", added(vec![vec![whole(1)]]));
    fixture.step("u", added(vec![vec![whole(1)]]));
    fixture
}

fn one_group(n: i64) -> Vec<(String, i64)> {
    expected(&[(vec![whole(1), whole(n.into())], 1)])
}

#[test]
fn only_what_new_views_read_is_fed_and_only_their_rows_come() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_T, OVER_U], &["over_t"]);
    assert_eq!(sources(&fixture.circuit), ["u"]);
    let input = fixture.delta("u", added(vec![vec![whole(1)]]));
    let output = fixture.circuit.feed_change(vec![input]).unwrap();
    assert_eq!(output.deltas.len(), 1);
    assert_eq!(changes(&output, "over_u"), one_group(1));
    fixture.circuit.finish_change();
    let output = fixture.step("t", added(vec![vec![whole(1)]]));
    let group = |n| vec![whole(1), whole(n)];
    assert_eq!(changes(&output, "over_t"), expected(&[(group(1), -1), (group(2), 1)]), "its state was kept");
}

#[test]
fn a_new_view_over_a_carried_one_reads_its_rows_and_then_its_changes_in_the_same_step() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_T, OVER_VIEW], &["over_t"]);
    assert_eq!(sources(&fixture.circuit), ["over_t"]);
    let row = crate::value::batch(
        &headwater_views::view_schema(&program(&[OVER_T]).views[0]),
        &[vec![whole(1), whole(1)]],
    );
    let fed =
        fixture.circuit.feed_change(vec![(Name::new("over_t").unwrap(), Delta::inserted(row))]).unwrap();
    assert_eq!(changes(&fed, "over_view"), expected(&[(vec![whole(1), whole(1)], 1)]));
    fixture.circuit.finish_change();
    let output = fixture.step("t", added(vec![vec![whole(1)]]));
    let row = |n| vec![whole(n), whole(1)];
    assert_eq!(changes(&output, "over_view"), expected(&[(row(1), -1), (row(2), 1)]));
}

#[test]
fn what_reads_a_part_that_is_built_anew_is_built_anew_too() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_T, OVER_VIEW], &["over_t"]);
    fixture.circuit.feed_change(Vec::new()).unwrap();
    fixture.circuit.finish_change();
    begin(&mut fixture, &[OVER_T, OVER_VIEW], &["over_view"]);
    assert_eq!(sources(&fixture.circuit), ["t"]);
}

#[test]
fn dropped_views_give_no_changes_and_nothing_is_fed_for_them() {
    let mut fixture = running(&[OVER_T, OVER_U]);
    begin(&mut fixture, &[OVER_U], &["over_u"]);
    assert!(sources(&fixture.circuit).is_empty());
    fixture.circuit.finish_change();
    assert!(fixture.step("t", added(vec![vec![whole(1)]])).deltas.is_empty());
    assert_eq!(fixture.step("u", added(vec![vec![whole(2)]])).deltas.len(), 1);
}

#[test]
fn until_it_is_finished_a_change_does_not_show_and_abandoned_it_never_does() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_U], &[]);
    let output = fixture.step("t", added(vec![vec![whole(2)]]));
    assert_eq!(changes(&output, "over_t"), expected(&[(vec![whole(2), whole(1)], 1)]));
    assert!(fixture.step("u", added(vec![vec![whole(2)]])).deltas.is_empty());
    fixture.circuit.abandon_change();
    assert!(fixture.step("u", added(vec![vec![whole(2)]])).deltas.is_empty());
    assert_eq!(fixture.step("t", added(vec![vec![whole(2)]])).deltas.len(), 1);
}

#[test]
fn rows_over_empty_tables_come_with_the_first_feed() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_T, TOTAL], &["over_t"]);
    let output = fixture.circuit.feed_change(Vec::new()).unwrap();
    assert_eq!(changes(&output, "total"), expected(&[(vec![whole(0)], 1)]));
    assert!(fixture.circuit.feed_change(Vec::new()).unwrap().deltas.is_empty());
    fixture.circuit.finish_change();
    assert!(fixture.circuit.step(Vec::new()).unwrap().deltas.is_empty());
}

#[test]
fn what_is_loaded_in_bulk_comes_to_the_same_as_what_is_fed_step_by_step() {
    let mut fixture = running(&[OVER_T]);
    let views = [OVER_T, OVER_U, OVER_VIEW, TOTAL];
    begin(&mut fixture, &views, &["over_t"]);
    let view_row = crate::value::batch(
        &headwater_views::view_schema(&program(&[OVER_T]).views[0]),
        &[vec![whole(1), whole(1)]],
    );
    let mut output = fixture.circuit.load_change(Vec::new()).unwrap().deltas;
    for _ in 0..3 {
        let input = fixture.delta("u", added(vec![vec![whole(1)], vec![whole(2)]]));
        output.extend(fixture.circuit.load_change(vec![input]).unwrap().deltas);
    }
    let over_t = (Name::new("over_t").unwrap(), Delta::inserted(view_row));
    output.extend(fixture.circuit.load_change(vec![over_t]).unwrap().deltas);
    assert!(output.is_empty(), "nothing that needs state is computed while rows are loaded");
    let mut errors = 0;
    loop {
        let (piece, is_done) = fixture.circuit.compute_change().unwrap();
        errors += piece.errors_total;
        output.extend(piece.deltas);
        if is_done {
            break;
        }
    }
    let output = headwater_views::StepOutput { deltas: output, errors: Vec::new(), errors_total: errors };
    let group = |group, n| vec![whole(group), whole(n)];
    assert_eq!(changes(&output, "over_u"), expected(&[(group(1, 3), 1), (group(2, 3), 1)]));
    assert_eq!(changes(&output, "total"), expected(&[(vec![whole(6)], 1)]));
    assert_eq!(changes(&output, "over_view"), expected(&[(group(1, 1), 1)]));
    let input = fixture.delta("u", added(vec![vec![whole(2)]]));
    let fed = fixture.circuit.feed_change(vec![input]).unwrap();
    assert_eq!(
        changes(&fed, "over_u"),
        expected(&[(group(2, 3), -1), (group(2, 4), 1)]),
        "and then step by step"
    );
    fixture.circuit.finish_change();
    let output = fixture.step("u", added(vec![vec![whole(1)]]));
    assert_eq!(changes(&output, "over_u"), expected(&[(group(1, 3), -1), (group(1, 4), 1)]));
}

#[test]
fn a_change_that_is_dropped_while_it_is_loaded_leaves_the_running_parts_alone() {
    for is_computing in [false, true] {
        let mut fixture = running(&[OVER_T]);
        begin(&mut fixture, &[OVER_T, OVER_U, TOTAL], &["over_t"]);
        let input = fixture.delta("u", added(vec![vec![whole(1)]]));
        fixture.circuit.load_change(vec![input]).unwrap();
        if is_computing {
            fixture.circuit.compute_change().unwrap();
        }
        fixture.circuit.abandon_change();
        let output = fixture.step("t", added(vec![vec![whole(2)]]));
        assert_eq!(changes(&output, "over_t"), expected(&[(vec![whole(2), whole(1)], 1)]));
        begin(&mut fixture, &[OVER_T, OVER_U], &["over_t"]);
        let input = fixture.delta("u", added(vec![vec![whole(1)]]));
        let output = fixture.circuit.feed_change(vec![input]).unwrap();
        assert_eq!(changes(&output, "over_u"), one_group(1));
    }
}

#[test]
fn a_panic_while_a_change_is_fed_drops_the_change_alone() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[OVER_T, PANICS, OVER_U], &["over_t"]);
    let input = fixture.delta("t", added(vec![vec![whole(666)]]));
    let error = fixture.circuit.feed_change(vec![input]).unwrap_err();
    assert!(matches!(&error, StepError::Panicked(text) if text.contains("hw_test_panic met 666")), "{error}");
    assert!(fixture.circuit.change_sources().is_empty());
    let output = fixture.step("t", added(vec![vec![whole(2)]]));
    assert_eq!(changes(&output, "over_t"), expected(&[(vec![whole(2), whole(1)], 1)]));
    begin(&mut fixture, &[OVER_T, OVER_U], &["over_t"]);
    let input = fixture.delta("u", added(vec![vec![whole(1)]]));
    let output = fixture.circuit.feed_change(vec![input]).unwrap();
    assert_eq!(changes(&output, "over_u"), one_group(1));
}

#[test]
fn after_a_panic_only_the_parts_that_ran_are_built_anew() {
    let mut fixture = running(&[OVER_U, PANICS]);
    assert!(fixture.try_step("t", added(vec![vec![whole(666)]])).is_err());
    assert!(fixture.try_step("u", added(vec![vec![whole(2)]])).is_err(), "views would miss changes");
    begin(&mut fixture, &[OVER_U, PANICS], &["over_u", "panics"]);
    assert_eq!(sources(&fixture.circuit), ["t"]);
    let input = fixture.delta("t", added(vec![vec![whole(1)]]));
    let output = fixture.circuit.feed_change(vec![input]).unwrap();
    assert_eq!(changes(&output, "panics"), expected(&[(vec![whole(1)], 1)]));
    fixture.circuit.finish_change();
    let output = fixture.step("u", added(vec![vec![whole(1)]]));
    let group = |n| vec![whole(1), whole(n)];
    assert_eq!(changes(&output, "over_u"), expected(&[(group(1), -1), (group(2), 1)]));
}

#[test]
fn a_panic_of_a_running_part_drops_the_change() {
    let mut fixture = running(&[OVER_U, PANICS]);
    begin(&mut fixture, &[OVER_U, OVER_T], &["over_u"]);
    assert!(fixture.try_step("t", added(vec![vec![whole(666)]])).is_err());
    assert!(sources(&fixture.circuit).is_empty());
}

#[test]
fn a_program_without_views_needs_no_thread_and_gives_nothing() {
    let mut fixture = running(&[OVER_T]);
    begin(&mut fixture, &[], &[]);
    fixture.circuit.finish_change();
    assert!(fixture.step("t", added(vec![vec![whole(1)]])).deltas.is_empty());
    assert_eq!(fixture.circuit.memory_bytes(), 0);
}

#[test]
fn a_change_that_begins_takes_the_place_of_one_that_had_begun() {
    let mut circuit = Circuit::new(CircuitOptions::default());
    assert!(circuit.step(Vec::new()).unwrap().deltas.is_empty());
    circuit.begin_change(&program(&[OVER_T]), &HashSet::new()).unwrap();
    circuit.begin_change(&program(&[OVER_U]), &HashSet::new()).unwrap();
    assert_eq!(sources(&circuit), ["u"]);
}
