//! What a paused workspace refuses, queues and does at its resume.

use headwater_engine::{Condition, IfPaused, PushError, PushRequest, SetProgram, SetProgramError};

use crate::world::{World, block_on, delete, request};

const PROGRAM: &str = "
    CREATE TABLE t (a INT PRIMARY KEY, b INT);
    CREATE MATERIALIZED VIEW s AS SELECT SUM(b) AS total FROM t;";

fn queued(request: PushRequest) -> PushRequest {
    PushRequest { if_paused: IfPaused::Queue, ..request }
}

fn pending(world: &World) -> u64 {
    world.workspace().status().counts.values().map(|counts| counts.pending).sum()
}

#[test]
fn a_paused_workspace_refuses_a_push() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    assert_eq!(world.workspace().status().condition, Condition::Paused);
    assert!(matches!(world.try_push(request("t", r#"{"a":1}"#)), Err(PushError::Paused { .. })));
}

#[test]
fn queued_pushes_take_effect_at_the_resume_and_not_before() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    let answer = world.try_push(queued(request("t", r#"{"a":1,"b":5}"#))).unwrap();
    assert!(!answer.applied_now);
    assert_eq!((world.rows("t").len(), pending(&world)), (0, 1));
    block_on(world.workspace().resume()).unwrap();
    assert_eq!((world.rows("s"), pending(&world)), (vec![r#"{"total":5}"#.to_owned()], 0));
}

#[test]
fn what_is_queued_survives_a_restart() {
    let mut world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    world.try_push(queued(request("t", r#"{"a":1,"b":5}"#))).unwrap();
    world = world.restart();
    assert_eq!((world.workspace().status().condition, pending(&world)), (Condition::Paused, 1));
    block_on(world.workspace().resume()).unwrap();
    world = world.restart();
    assert_eq!(world.rows("t"), [r#"{"a":1,"b":5}"#]);
}

#[test]
fn a_queued_record_that_cannot_be_goes_to_quarantine_at_the_resume() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    world.try_push(queued(delete("t", r#"{"a":9}"#))).unwrap();
    world.try_push(queued(request("t", r#"{"a":1,"b":5}"#))).unwrap();
    block_on(world.workspace().resume()).unwrap();
    assert_eq!(
        world.query("SELECT code, payload FROM quarantine"),
        "{\"code\":\"row_not_found\",\"payload\":\"{\\\"a\\\":9}\"}\n"
    );
    let counts = world.workspace().status().counts["t"];
    assert_eq!((counts.received, counts.applied, counts.rejected, counts.pending), (2, 1, 1, 0));
}

#[test]
fn the_program_cannot_change_while_records_wait() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    world.try_push(queued(request("t", r#"{"a":1,"b":5}"#))).unwrap();
    let refused =
        block_on(world.workspace().set_program("CREATE TABLE u (a INT);".into(), SetProgram::default()));
    assert!(matches!(refused, Err(SetProgramError::RecordsQueued { queued: 1 })));
}

#[test]
fn a_queued_request_that_panics_is_given_up_and_the_others_take_effect() {
    let program = "CREATE TABLE t (a INT PRIMARY KEY, b INT);
        CREATE MATERIALIZED VIEW v AS SELECT hw_test_panic(a) AS p FROM t;";
    let mut world = World::with_program(program);
    block_on(world.workspace().pause()).unwrap();
    for a in [1, 666, 2, 666] {
        world.try_push(queued(request("t", &format!(r#"{{"a":{a},"b":0}}"#)))).unwrap();
    }
    let status = block_on(world.workspace().resume()).unwrap();
    assert_eq!(status.condition, Condition::Running);
    for _ in 0..2 {
        assert_eq!(world.rows("t"), [r#"{"a":1,"b":0}"#, r#"{"a":2,"b":0}"#]);
        assert_eq!(world.rows("v").len(), 2);
        let counts = world.workspace().status().counts["t"];
        assert_eq!((counts.received, counts.applied, counts.rejected, counts.pending), (4, 2, 2, 0));
        assert_eq!(
            world.query("SELECT COUNT(*) AS n FROM quarantine WHERE code = 'step_skipped'"),
            "{\"n\":2}\n"
        );
        world = world.restart();
    }
}

#[test]
fn a_queued_request_is_all_or_nothing_at_the_resume_unless_it_skips() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().pause()).unwrap();
    let mixed =
        |body: &str| PushRequest { target: headwater_engine::PushTarget::Mixed, ..request("t", body) };
    let body = r#"[{"table":"t","row":{"a":1,"b":5}},{"table":"t","op":"delete","row":{"a":9}}]"#;
    world.try_push(queued(mixed(body))).unwrap();
    world.try_push(queued(crate::world::skipping(mixed(&body.replace("\"a\":1", "\"a\":2"))))).unwrap();
    block_on(world.workspace().resume()).unwrap();
    assert_eq!(world.rows("t"), [r#"{"a":2,"b":5}"#]);
    let quarantine = world.query("SELECT record_index, code FROM quarantine ORDER BY code, record_index");
    assert_eq!(
        quarantine,
        "{\"record_index\":0,\"code\":\"request_void\"}\n\
         {\"record_index\":1,\"code\":\"row_not_found\"}\n{\"record_index\":1,\"code\":\"row_not_found\"}\n"
    );
    let counts = world.workspace().status().counts["t"];
    assert_eq!((counts.received, counts.applied, counts.rejected, counts.pending), (4, 1, 3, 0));
}
