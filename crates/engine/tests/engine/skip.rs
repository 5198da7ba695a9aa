//! A step whose views panic is void; of its requests only the one at fault is refused.

use headwater_engine::{PushError, PushRequest};

use crate::world::{World, keyed, request};

const PROGRAM: &str = "
    CREATE TABLE t (a INT);
    CREATE MATERIALIZED VIEW v AS SELECT hw_test_panic(a) AS p FROM t;
    CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM t;";

fn push_together(world: &World, requests: Vec<PushRequest>) -> Vec<Result<bool, String>> {
    std::thread::scope(|scope| {
        let push = |request| {
            scope.spawn(move || {
                world.try_push(request).map(|a| a.duplicate).map_err(|e| match e {
                    PushError::StepSkipped { .. } => "step_skipped".to_owned(),
                    other => other.to_string(),
                })
            })
        };
        let threads: Vec<_> = requests.into_iter().map(push).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn the_request_at_fault_is_refused_and_in_quarantine_and_its_neighbours_are_there() {
    let mut world = World::with_program(PROGRAM);
    let mut requests: Vec<PushRequest> = (1..20).map(|a| request("t", &format!(r#"{{"a":{a}}}"#))).collect();
    requests.push(request("t", r#"[{"a":1},{"a":666}]"#));
    let answers = push_together(&world, requests);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 19);
    assert_eq!(answers.last().unwrap(), &Err("step_skipped".to_owned()));
    for _ in 0..3 {
        assert_eq!((world.rows("v").len(), world.rows("n")), (19, vec![r#"{"n":19}"#.to_owned()]));
        let quarantine = world.query("SELECT code, payload FROM quarantine");
        assert_eq!(
            quarantine,
            "{\"code\":\"step_skipped\",\"payload\":\"[{\\\"a\\\":1},{\\\"a\\\":666}]\"}\n"
        );
        let counts = world.workspace().status().counts["t"];
        assert_eq!((counts.received, counts.applied, counts.rejected), (21, 19, 2));
        world = world.restart();
    }
}

#[test]
fn the_key_of_a_skipped_request_is_not_remembered() {
    let world = World::with_program(PROGRAM);
    assert!(world.try_push(keyed("t", r#"{"a":666}"#, "k")).is_err());
    world.set_program("CREATE TABLE t (a INT);");
    assert!(!world.try_push(keyed("t", r#"{"a":666}"#, "k")).unwrap().duplicate);
}

#[test]
fn a_crash_between_the_step_and_its_skip_record_is_made_up_for_at_the_next_start() {
    let world = World::with_program(PROGRAM);
    world.push("t", r#"{"a":1}"#);
    world.disk.start_recording();
    assert!(world.try_push(request("t", r#"{"a":666}"#)).is_err());
    let images = world.disk.take_recording();
    assert!(images.len() >= 2, "the step and the skip record are written one after the other");
    for (operation, disk) in images {
        let world = World::on(disk.restart_process(), crate::world::START_MICROS).unwrap();
        assert_eq!(world.rows("n"), [r#"{"n":1}"#], "after operation {operation}");
        world.push("t", r#"{"a":2}"#);
        assert_eq!(world.rows("n"), [r#"{"n":2}"#], "after operation {operation}");
    }
}
