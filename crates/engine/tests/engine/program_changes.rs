//! A program change is old or new, never a mix.

use headwater_engine::{PlanAction, SetProgram, SetProgramError};

use crate::world::{World, block_on, request};

const ONE: &str = "CREATE TABLE t (a INT, b DOUBLE); CREATE MATERIALIZED VIEW s AS SELECT a, SUM(b) AS b FROM t GROUP BY a;";

fn set(
    world: &World,
    sql: &str,
    drop_data: bool,
) -> Result<headwater_engine::ProgramAnswer, SetProgramError> {
    let how = SetProgram { drop_data, ..SetProgram::default() };
    block_on(world.workspace().set_program(sql.to_owned(), how))
}

#[test]
fn unchanged_tables_keep_their_rows_and_new_views_are_filled_from_them() {
    let world = World::with_program(ONE);
    world.push("t", r#"[{"a":1,"b":0.5},{"a":1,"b":0.25},{"a":2,"b":1}]"#);
    let answer =
        set(&world, &format!("{ONE} CREATE MATERIALIZED VIEW c AS SELECT COUNT(*) AS n FROM t;"), false)
            .unwrap();
    let actions: Vec<_> = answer.entries.iter().map(|e| (e.name.as_str(), e.action)).collect();
    assert_eq!(actions, [("t", PlanAction::Keep), ("s", PlanAction::Keep), ("c", PlanAction::Create)]);
    assert_eq!(world.rows("c"), [r#"{"n":3}"#]);
    assert_eq!(world.rows("s"), [r#"{"a":1,"b":0.75}"#, r#"{"a":2,"b":1.0}"#]);
    world.push("t", r#"{"a":1,"b":1}"#);
    assert_eq!(world.rows("c"), [r#"{"n":4}"#]);
    assert_eq!(world.rows("s"), [r#"{"a":1,"b":1.75}"#, r#"{"a":2,"b":1.0}"#]);
}

#[test]
fn a_change_of_a_table_with_rows_is_refused_unless_data_may_be_dropped() {
    let world = World::with_program(ONE);
    world.push("t", r#"{"a":1,"b":0.5}"#);
    let changed = "CREATE TABLE t (a VARCHAR, b DOUBLE);";
    let refused = set(&world, changed, false);
    let loss = "table t: column a changes from INTEGER to VARCHAR, which does not hold all its values";
    assert!(
        matches!(refused, Err(SetProgramError::DropsData { ref losses }) if losses == &[loss]),
        "{refused:?}"
    );
    assert_eq!(world.rows("s").len(), 1, "nothing changed");
    set(&world, changed, true).unwrap();
    assert_eq!(world.rows("t").len(), 0);
    assert!(world.workspace().published().relation("s").is_none());
}

#[test]
fn a_program_that_does_not_compile_leaves_no_trace() {
    let world = World::with_program(ONE);
    let before = world.workspace().published().lsn;
    assert!(matches!(set(&world, "CREATE TABLE t (a INT;", false), Err(SetProgramError::Diagnostic(_))));
    assert_eq!(world.workspace().published().lsn, before);
    world.push("t", r#"{"a":1,"b":0.5}"#);
}

#[test]
fn a_program_that_cannot_be_filled_leaves_no_trace() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    world.push("t", r#"{"a":666}"#);
    let before = world.workspace().published().lsn;
    let refused = set(
        &world,
        "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW v AS SELECT hw_test_panic(a) AS p FROM t;",
        false,
    );
    assert!(matches!(refused, Err(SetProgramError::Build { .. })), "{refused:?}");
    assert_eq!(world.workspace().published().lsn, before);
    world.push("t", r#"{"a":666}"#);
}

#[test]
fn programs_and_what_they_hold_survive_restarts() {
    let mut world = World::with_program(ONE);
    world.push("t", r#"{"a":1,"b":0.5}"#);
    world = world.restart();
    set(&world, &format!("{ONE} CREATE MATERIALIZED VIEW c AS SELECT COUNT(*) AS n FROM t;"), false).unwrap();
    world.push("t", r#"{"a":3,"b":0.5}"#);
    world = world.restart();
    assert_eq!(world.rows("c"), [r#"{"n":2}"#]);
    assert_eq!(world.rows("s"), [r#"{"a":1,"b":0.5}"#, r#"{"a":3,"b":0.5}"#]);
}

#[test]
fn pushes_go_on_while_programs_change() {
    let world = World::with_program(ONE);
    std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            for a in 0..200 {
                world.try_push(request("t", &format!(r#"{{"a":{a},"b":1}}"#))).unwrap();
            }
        });
        for round in 0..10 {
            let extra = format!("CREATE MATERIALIZED VIEW x{round} AS SELECT COUNT(*) AS n FROM t;");
            set(&world, &format!("{ONE} {extra}"), false).unwrap();
        }
        pusher.join().unwrap();
    });
    assert_eq!((world.rows("t").len(), world.rows("x9")), (200, vec![r#"{"n":200}"#.to_owned()]));
}

#[test]
fn a_view_over_rows_that_are_not_kept_keeps_its_own_through_restarts_and_changes() {
    let program = "CREATE TABLE e (a INT, b INT) WITH ('materialized' = 'false');
        CREATE MATERIALIZED VIEW big AS SELECT a FROM e WHERE b > 10;";
    let mut world = World::with_program(program);
    world.push("e", r#"[{"a":1,"b":11},{"a":2,"b":5}]"#);
    world = world.restart();
    set(&world, &format!("{program} CREATE TABLE other (a INT);"), false).unwrap();
    world.push("e", r#"{"a":3,"b":12}"#);
    // Enough log for a round of snapshots: what follows comes from the view's own.
    let body = format!("[{}]", vec![r#"{"a":7}"#; 4_000].join(","));
    for _ in 0..30 {
        world.push("other", &body);
    }
    world = world.restart();
    assert!(world.workspace().status().snapshot_lsn.0 > 0);
    assert_eq!(world.rows("big"), [r#"{"a":1}"#, r#"{"a":3}"#]);
}
