//! A failed sync closes the workspace for writes; reads go on and other workspaces live on.

use headwater_engine::{Condition, PushError, SetProgram};
use headwater_env::sim::Faults;
use headwater_types::Name;

use crate::world::{START_MICROS, World, block_on, request};

const PROGRAM: &str = "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM t;";

#[test]
fn nothing_is_acknowledged_after_the_nth_sync_fails() {
    for nth in 1..=50 {
        let world = World::with_program(PROGRAM);
        // All later ones fail too: one that only prepares what the log needs later may come first, and is tried again.
        world.disk.set_faults(Faults { is_permanent: true, ..Faults::nth_sync(nth) });
        let mut acknowledged = 0;
        let mut failed = false;
        for a in 0..60 {
            match world.try_push(request("t", &format!(r#"{{"a":{a}}}"#))) {
                Ok(_) => {
                    assert!(!failed, "sync {nth}: a push is taken after the log failed");
                    acknowledged += 1;
                }
                Err(PushError::OutcomeUnknown) => {
                    assert!(!failed, "sync {nth}: only one push meets the failing sync");
                    failed = true;
                }
                Err(PushError::ReadOnly { .. }) => assert!(failed, "sync {nth}"),
                Err(other) => panic!("sync {nth}: {other}"),
            }
        }
        assert!(failed, "sync {nth} was never reached");
        assert!(matches!(world.workspace().status().condition, Condition::ReadOnly { .. }));
        assert_eq!(world.rows("n"), [format!(r#"{{"n":{acknowledged}}}"#)], "reads go on");
        let disk = world.disk.restart_process();
        world.engine.shutdown();
        let world = World::on(disk, START_MICROS).unwrap();
        let rows = world.rows("t").len();
        assert!(
            rows == acknowledged || rows == acknowledged + 1,
            "sync {nth}: {rows} rows, {acknowledged} acknowledged"
        );
        world.push("t", r#"{"a":1}"#);
    }
}

#[test]
fn other_workspaces_live_on() {
    let world = World::with_program(PROGRAM);
    let other = world.engine.create_workspace(&Name::new("other").unwrap()).unwrap();
    block_on(other.set_program(PROGRAM.into(), SetProgram::default())).unwrap();
    world.disk.set_faults(Faults { is_permanent: true, ..Faults::nth_sync(1) });
    assert!(world.try_push(request("t", r#"{"a":1}"#)).is_err());
    world.disk.set_faults(Faults::default());
    block_on(other.push(request("t", r#"{"a":1}"#))).unwrap();
    assert!(
        world.try_push(request("t", r#"{"a":1}"#)).is_err(),
        "the first stays closed although its disk is well again"
    );
}

#[test]
fn a_full_disk_refuses_pushes_before_anything_is_taken_and_takes_them_again_by_itself() {
    let world = World::with_program(PROGRAM);
    let used: usize = world.disk.files().iter().map(|(_, bytes)| bytes.len().next_multiple_of(512)).sum();
    world.disk.set_capacity(Some(used as u64));
    let body = format!("[{}]", vec![r#"{"a":7}"#; 500].join(","));
    let mut acknowledged = 0;
    loop {
        match world.try_push(request("t", &body)) {
            Ok(_) => acknowledged += 500,
            Err(PushError::NoSpace) => break,
            Err(other) => panic!("{other}"),
        }
        assert!(acknowledged < 1_000_000, "the disk never got full");
    }
    assert_eq!(world.rows("n"), [format!(r#"{{"n":{acknowledged}}}"#)], "reads go on");
    world.disk.set_capacity(None);
    world.clock.advance_micros(2_000_000);
    assert!(matches!(world.try_push(request("t", &body)), Ok(answer) if answer.applied == 500));
}
