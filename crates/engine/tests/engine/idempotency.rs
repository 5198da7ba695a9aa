//! A retry with its key is answered, not taken.

use headwater_engine::PushError;

use crate::world::{World, keyed};

const TABLE: &str = "CREATE TABLE t (a INT);";

#[test]
fn a_second_request_with_the_same_key_gets_the_first_answer() {
    let world = World::with_program(TABLE);
    let first = world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    let second = world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    assert!(second.duplicate && !first.duplicate);
    assert_eq!((second.lsn, second.applied), (first.lsn, 1));
    assert_eq!(world.rows("t").len(), 1);
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let world = World::with_program(TABLE);
    world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    let refused = world.try_push(keyed("t", r#"{"a":2}"#, "k"));
    assert!(matches!(refused, Err(PushError::IdempotencyMismatch { .. })));
    assert_eq!(world.rows("t").len(), 1);
}

#[test]
fn keys_survive_a_restart_by_log_and_by_snapshot() {
    let mut world = World::with_program(TABLE);
    let first = world.try_push(keyed("t", r#"{"a":1}"#, "first")).unwrap();
    // Enough log for several rounds of snapshots, so that the first key's step has been cut.
    let body = format!("[{}]", vec![r#"{"a":7}"#; 2_000].join(","));
    for _ in 0..40 {
        world.push("t", &body);
    }
    world = world.restart();
    assert!(world.workspace().status().snapshot_lsn > first.lsn, "the first step is in a snapshot");
    let last = world.try_push(keyed("t", r#"{"a":2}"#, "last")).unwrap();
    world = world.restart();
    for (key, body, lsn) in [("first", r#"{"a":1}"#, first.lsn), ("last", r#"{"a":2}"#, last.lsn)] {
        let again = world.try_push(keyed("t", body, key)).unwrap();
        assert_eq!((again.duplicate, again.lsn), (true, lsn), "{key}");
    }
}

#[test]
fn a_key_is_forgotten_after_24_hours_of_ingest_time() {
    let world = World::with_program(TABLE);
    world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    world.clock.advance_micros(24 * 3_600 * 1_000_000);
    assert!(!world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap().duplicate);
}

#[test]
fn of_two_requests_in_flight_with_one_key_one_is_taken() {
    let world = World::with_program(TABLE);
    let taken: usize = std::thread::scope(|scope| {
        let push = || !world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap().duplicate;
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(push)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!((taken, world.rows("t").len()), (1, 1));
}

#[test]
fn a_retry_is_answered_while_paused_and_under_a_program_that_would_refuse_it() {
    let world = World::with_program(TABLE);
    let first = world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    world.set_program("CREATE TABLE t (a INT); CREATE TABLE u (a INT);");
    let again = |world: &World| world.try_push(keyed("t", r#"{"a":1}"#, "k")).unwrap();
    crate::world::block_on(world.workspace().pause()).unwrap();
    assert_eq!((again(&world).lsn, again(&world).duplicate), (first.lsn, true));
    crate::world::block_on(world.workspace().resume()).unwrap();
    let drop_data = headwater_engine::SetProgram { drop_data: true, ..Default::default() };
    crate::world::block_on(world.workspace().set_program("CREATE TABLE t (b INT);".into(), drop_data))
        .unwrap();
    assert_eq!((again(&world).lsn, again(&world).duplicate), (first.lsn, true));
}
