//! Workspaces are opened when somebody asks for them and parked when nobody does; damage stays where it is.

use headwater_engine::{Budget, Condition, Engine, PushError, SetProgram, WorkspaceError};
use headwater_types::Name;

use crate::world::{START_MICROS, World, block_on, delete, options, request};

const MINUTES: i64 = 60 * 1_000_000;

fn condition(world: &World, name: &str) -> Condition {
    world.engine.status(name).unwrap().condition
}

/// Lets the workspace's thread come to rest, then two minutes pass, and housekeeping looks.
fn leave_alone(world: &World) {
    let opened = |name: &str| matches!(condition(world, name), Condition::Running | Condition::Paused);
    let names: Vec<_> = world.engine.statuses().into_iter().map(|status| status.name.to_string()).collect();
    world.clock.advance_micros(2 * MINUTES);
    while names.iter().any(|name| opened(name)) {
        world.engine.tidy();
        std::thread::yield_now();
    }
}

#[test]
fn an_idle_workspace_is_parked_and_the_next_push_finds_it_as_it_was() {
    let world = World::with_program(
        "CREATE TABLE t (a INT PRIMARY KEY, b INT);
         CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n, SUM(b) AS b FROM t;",
    );
    world.push("t", r#"[{"a":1,"b":10},{"a":2,"b":20}]"#);
    let before = world.engine.status("w").unwrap();
    leave_alone(&world);
    let parked = world.engine.status("w").unwrap();
    assert_eq!(
        (&parked.condition, parked.lsn, &parked.counts),
        (&Condition::Parked, before.lsn, &before.counts)
    );

    let lsn = world.push("t", r#"{"a":1,"b":11}"#).lsn;
    assert_eq!(lsn, before.lsn.next());
    assert_eq!(world.rows("n"), [r#"{"n":2,"b":31}"#]);
    assert_eq!(condition(&world, "w"), Condition::Running);
}

#[test]
fn what_was_paused_with_records_queued_is_so_after_parking() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    block_on(world.workspace().pause()).unwrap();
    let queued = headwater_engine::PushRequest {
        if_paused: headwater_engine::IfPaused::Queue,
        ..request("t", r#"{"a":1}"#)
    };
    assert!(!world.try_push(queued).unwrap().applied_now);
    leave_alone(&world);
    assert!(matches!(world.try_push(request("t", r#"{"a":2}"#)), Err(PushError::Paused { .. })));
    block_on(world.workspace().resume()).unwrap();
    assert_eq!(world.rows("t"), [r#"{"a":1}"#]);
}

#[test]
fn whoever_holds_a_workspace_keeps_it_open() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let held = world.workspace();
    world.clock.advance_micros(10 * MINUTES);
    for _ in 0..100 {
        world.engine.tidy();
    }
    assert_eq!(condition(&world, "w"), Condition::Running);
    drop(held);
    leave_alone(&world);
    assert_eq!(condition(&world, "w"), Condition::Parked);
}

#[test]
fn a_start_opens_no_workspace_and_tells_what_is_known() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let lsn = world.push("t", r#"{"a":1}"#).lsn;
    let world = world.restart();
    let status = world.engine.status("w").unwrap();
    assert_eq!((status.condition, status.lsn), (Condition::Parked, lsn));
    assert_eq!(world.rows("t").len(), 1);
}

#[test]
fn requests_that_come_together_open_a_workspace_once() {
    let world = World::with_program(
        "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM t;",
    );
    let world = world.restart();
    let handles: Vec<_> = std::thread::scope(|scope| {
        let open = || world.engine.workspace_blocking("w").unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(handles.iter().all(|handle| std::sync::Arc::ptr_eq(handle, &handles[0])));
}

#[test]
fn damage_in_one_workspace_is_its_own() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    for a in 0..20 {
        world.push("t", &format!(r#"{{"a":{a}}}"#));
    }
    world.engine.create_workspace(&Name::new("other").unwrap()).unwrap();
    world.engine.shutdown();
    let disk = world.disk.restart_process();
    let id = world.engine.status("w").unwrap().id;
    let segment = format!("/data/workspaces/{id}/log/000000000001.segment");
    disk.corrupt(std::path::Path::new(&segment), |bytes| bytes[3_000] ^= 1).unwrap();
    let world = World::on(disk, START_MICROS).unwrap();
    for _ in 0..2 {
        let refused = world.engine.workspace_blocking("w").unwrap_err();
        assert!(
            matches!(&refused, WorkspaceError::Damaged { reason, .. } if reason.contains("segment")),
            "{refused}"
        );
    }
    assert!(condition(&world, "w").failure().is_some());
    world.engine.workspace_blocking("other").unwrap();
    world.engine.delete_workspace("w").unwrap();
    assert!(!world.engine.has_workspace("w"));
}

#[test]
fn a_disk_that_fails_while_a_workspace_is_opened_is_no_damage() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let world = world.restart();
    world.disk.set_faults(headwater_env::sim::Faults::nth_change(1));
    assert!(matches!(world.engine.workspace_blocking("w"), Err(WorkspaceError::NotOpened { .. })));
    world.disk.set_faults(headwater_env::sim::Faults::default());
    world.engine.workspace_blocking("w").unwrap();
}

#[test]
fn a_workspace_over_its_budget_takes_deletions_only_and_others_do_not_notice() {
    let world = World::with_program("CREATE TABLE t (a BIGINT PRIMARY KEY, b VARCHAR);");
    world.engine.set_memory_bytes_max("w", Some(4 << 20)).unwrap();
    let mut taken = 0;
    let refused = loop {
        match world.try_push(request("t", &many(taken))) {
            Ok(_) => taken += 5_000,
            Err(refused) => break refused,
        }
        assert!(taken < 100_000, "the budget is never reached");
    };
    assert!(matches!(refused, PushError::OverBudget { bytes_max: 4_194_304, .. }), "{refused}");
    let other = world.engine.create_workspace(&Name::new("other").unwrap()).unwrap();
    block_on(other.set_program("CREATE TABLE t (a INT);".to_owned(), SetProgram::default())).unwrap();
    block_on(other.push(request("t", r#"{"a":1}"#))).unwrap();

    let keys: Vec<String> = (0..taken - 10).map(|a| format!(r#"{{"a":{a}}}"#)).collect();
    world.try_push(delete("t", &format!("[{}]", keys.join(",")))).unwrap();
    let mut refused = world.try_push(request("t", r#"{"a":-1,"b":"y"}"#));
    // The thread tells what it holds after it has answered.
    for _ in 0..10_000 {
        if refused.is_ok() {
            break;
        }
        std::thread::yield_now();
        refused = world.try_push(request("t", r#"{"a":-1,"b":"y"}"#));
    }
    refused.unwrap();
}

#[test]
fn a_budget_of_its_own_outlives_a_restart() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    world.engine.set_memory_bytes_max("w", Some(5 << 20)).unwrap();
    let world = world.restart();
    drop(world.workspace());
    assert_eq!(world.engine.status("w").unwrap().memory_bytes_max, 5 << 20);
    world.engine.set_memory_bytes_max("w", None).unwrap();
    let world = world.restart();
    drop(world.workspace());
    assert!(world.engine.status("w").unwrap().memory_bytes_max > 5 << 20);
}

/// An engine with this budget and workspaces that have a table `t`, by name.
fn budgeted(budget: impl FnOnce(Budget) -> Budget, names: &[&str]) -> World {
    let disk = headwater_env::sim::SimDisk::new();
    let now = headwater_types::TimestampMicros(START_MICROS);
    let clock = std::sync::Arc::new(headwater_env::ManualClock::new(now));
    let mut options = options(&disk, &clock);
    options.budget = budget(options.budget);
    let engine = Engine::open(options).unwrap();
    for name in names {
        let workspace = engine.create_workspace(&Name::new(name).unwrap()).unwrap();
        let program = "CREATE TABLE t (a BIGINT PRIMARY KEY, b VARCHAR);".to_owned();
        block_on(workspace.set_program(program, SetProgram::default())).unwrap();
        clock.advance_micros(1);
    }
    World { disk, clock, engine }
}

fn many(from: i64) -> String {
    let row = |a| format!(r#"{{"a":{a},"b":"{}"}}"#, "x".repeat(100));
    format!("[{}]", (from..from + 5_000).map(row).collect::<Vec<_>>().join(","))
}

fn parked(world: &World) -> Vec<String> {
    let statuses = world.engine.statuses().into_iter();
    let parked = statuses.filter(|status| status.condition == Condition::Parked);
    parked.map(|status| status.name.to_string()).collect()
}

#[test]
fn beyond_so_many_open_workspaces_the_one_unused_longest_is_parked_first() {
    let world = budgeted(|budget| Budget { open_workspaces: 2, ..budget }, &["a", "b", "c"]);
    world.clock.advance_micros(10 * 1_000_000);
    while parked(&world).is_empty() {
        world.engine.tidy();
    }
    world.engine.tidy();
    assert_eq!(parked(&world), ["a"]);
}

#[test]
fn when_memory_is_short_idle_workspaces_are_parked_first() {
    let world = budgeted(|budget| Budget { memory_bytes: 5 << 20, ..budget }, &["a", "b"]);
    let push = |name: &str, from| {
        let workspace = world.engine.workspace_blocking(name).unwrap();
        block_on(workspace.push(request("t", &many(from)))).unwrap();
    };
    for from in 0..4 {
        push("a", from * 5_000);
    }
    world.clock.advance_micros(10 * 1_000_000);
    push("b", 0);
    let held = world.engine.workspace_blocking("b").unwrap();
    while parked(&world).is_empty() {
        world.engine.tidy();
    }
    assert_eq!(parked(&world), ["a"]);
    block_on(held.push(request("t", &many(5_000)))).unwrap();
}

#[test]
fn when_all_are_in_use_the_largest_takes_deletions_only_until_it_is_small_enough() {
    let world = budgeted(|budget| Budget { memory_bytes: 6 << 20, ..budget }, &["large", "small"]);
    let large = world.engine.workspace_blocking("large").unwrap();
    let small = world.engine.workspace_blocking("small").unwrap();
    let mut pushed = 0;
    let refused = loop {
        match block_on(large.push(request("t", &many(pushed)))) {
            Ok(_) => pushed += 5_000,
            Err(refused) => break refused,
        }
        world.engine.tidy();
        assert!(pushed < 200_000, "the budget is never reached");
    };
    assert!(
        matches!(refused, PushError::ServerOverBudget { .. } | PushError::OverBudget { .. }),
        "{refused}"
    );
    block_on(small.push(request("t", r#"{"a":1,"b":"y"}"#))).unwrap();
    let keys: Vec<String> = (0..pushed).map(|a| format!(r#"{{"a":{a}}}"#)).collect();
    block_on(large.push(delete("t", &format!("[{}]", keys.join(","))))).unwrap();
    let mut again = Err(refused);
    for _ in 0..10_000 {
        world.engine.tidy();
        again = block_on(large.push(request("t", r#"{"a":-1,"b":"y"}"#)));
        if again.is_ok() {
            break;
        }
    }
    again.unwrap();
}
