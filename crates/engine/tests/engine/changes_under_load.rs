//! Programs change while pushes go on: every stored row fits the program of its step, views equal what is computed from
//! all rows, and a power cut at any moment leaves one program or the other.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_engine::{PushAnswer, PushError, SetProgram, SetProgramError};
use headwater_env::sim::{Arrived, SimDisk};
use headwater_types::{Lsn, Name};

use crate::world::{START_MICROS, World, block_on, request};

const ROWS_PER_PUSH: u64 = 40;
/// Rows that are there before: too many for one piece of a change.
const ROWS_BEFORE: u64 = 12_000;

/// Version `k` says itself what a row that leaves `c` out gets. Every other one has a column and a view more, and the
/// others in another order.
fn version(k: u64) -> String {
    let columns = if k.is_multiple_of(2) {
        format!("id BIGINT PRIMARY KEY, c INT DEFAULT {k}")
    } else {
        format!("c INT DEFAULT {k}, d INT NOT NULL DEFAULT {k}, id BIGINT PRIMARY KEY")
    };
    let more = "CREATE MATERIALIZED VIEW sum_d AS SELECT SUM(d) AS d, COUNT(*) AS n FROM t;
        CREATE MATERIALIZED VIEW per_n AS SELECT n, COUNT(*) AS times FROM by_c GROUP BY n;";
    format!(
        "CREATE TABLE t ({columns});
         CREATE MATERIALIZED VIEW by_c AS SELECT c, COUNT(*) AS n, SUM(id) AS ids FROM t GROUP BY c;
         {}",
        if k.is_multiple_of(2) { "" } else { more }
    )
}

fn set(world: &World, k: u64) -> Lsn {
    let how = SetProgram { drop_data: true, ..SetProgram::default() };
    block_on(world.workspace().set_program(version(k), how)).unwrap().lsn
}

fn body(from: u64) -> String {
    let rows: Vec<String> = (from..from + ROWS_PER_PUSH).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    format!("[{}]", rows.join(","))
}

/// What was answered, and how many operations the disk had done by then.
#[derive(Default)]
struct Answered {
    /// First id of a push, its LSN.
    pushes: Vec<(u64, u64, Lsn)>,
    /// The LSN of each version.
    versions: Vec<(u64, Lsn)>,
}

/// Pushes from one thread while another sets one version after the other.
fn run(disk: &SimDisk, versions: u64) -> (World, Answered) {
    let world = World::on(disk.clone(), START_MICROS).unwrap();
    world.engine.create_workspace(&Name::new("w").unwrap()).unwrap();
    let mut answered = Answered::default();
    answered.versions.push((0, set(&world, 0)));
    for from in (0..ROWS_BEFORE).step_by(ROWS_PER_PUSH as usize) {
        let lsn = world.push("t", &body(from)).lsn;
        answered.pushes.push((0, from, lsn));
    }
    disk.start_recording();
    let done = AtomicBool::new(false);
    let pushes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut from = ROWS_BEFORE;
            while !done.load(Ordering::Relaxed) {
                let lsn = world.push("t", &body(from)).lsn;
                pushes.lock().unwrap().push((disk.operation_count(), from, lsn));
                from += ROWS_PER_PUSH;
            }
        });
        for k in 1..=versions {
            answered.versions.push((k, set(&world, k)));
        }
        done.store(true, Ordering::Relaxed);
    });
    answered.pushes.extend(pushes.into_inner().unwrap());
    (world, answered)
}

/// Every row that a push of before this operation brought is there, with what the program of its step gives it, and the
/// views are what a query computes.
fn check(world: &World, answered: &Answered, operation: u64, what: &str) {
    let stored: BTreeMap<u64, i64> = world
        .query("SELECT id, c FROM t")
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            (row["id"].as_u64().unwrap(), row["c"].as_i64().unwrap())
        })
        .collect();
    for (_, from, lsn) in answered.pushes.iter().filter(|(done, _, _)| *done <= operation) {
        let before = answered.versions.iter().filter(|(_, set)| set < lsn);
        let version = before.map(|(k, _)| *k).max().unwrap();
        for id in *from..from + ROWS_PER_PUSH {
            assert_eq!(stored.get(&id), Some(&(version as i64)), "{what}: row {id} of LSN {lsn}");
        }
    }
    let group = "SELECT c, COUNT(*) AS n, SUM(id) AS ids FROM t GROUP BY c ORDER BY c";
    assert_eq!(world.query("SELECT * FROM by_c ORDER BY c"), world.query(group), "{what}");
    let published = world.workspace().published();
    if published.relation("sum_d").is_some() {
        let sum = world.query("SELECT SUM(d) AS d, COUNT(*) AS n FROM t");
        assert_eq!(world.query("SELECT * FROM sum_d"), sum, "{what}");
        let per_n = "SELECT n, COUNT(*) AS times FROM by_c GROUP BY n ORDER BY n";
        assert_eq!(world.query("SELECT * FROM per_n ORDER BY n"), world.query(per_n), "{what}");
    }
}

#[test]
fn every_stored_row_fits_the_program_of_its_step_whatever_changes_meanwhile() {
    let (world, answered) = run(&SimDisk::new(), 20);
    check(&world, &answered, u64::MAX, "as it ran");
    let before = (world.query("SELECT * FROM t ORDER BY id"), world.rows("by_c"));
    let world = world.restart();
    check(&world, &answered, u64::MAX, "read back");
    assert_eq!((world.query("SELECT * FROM t ORDER BY id"), world.rows("by_c")), before);
}

#[test]
fn a_power_cut_during_a_change_under_load_leaves_one_program_or_the_other() {
    let disk = SimDisk::new();
    let (world, answered) = run(&disk, 4);
    world.engine.shutdown();
    let recording = disk.take_recording();
    let images = 40;
    for number in 0..images {
        let (operation, image) = &recording[number * recording.len() / images];
        let arrived = match number % 3 {
            0 => Arrived::Nothing,
            1 => Arrived::Everything,
            _ => Arrived::Random { seed: number as u64 },
        };
        let what = format!("operation {operation}, {arrived:?}");
        let world = World::on(image.crash(&arrived), START_MICROS).unwrap_or_else(|e| panic!("{what}: {e}"));
        check(&world, &answered, *operation, &what);
        world.engine.shutdown();
    }
}

fn many_rows(table: &str, rows: u64) -> World {
    let world = World::with_program(&format!("CREATE TABLE {table} (a INT);"));
    for from in (0..rows).step_by(2_000) {
        let body: Vec<String> = (from..from + 2_000).map(|a| format!(r#"{{"a":{a}}}"#)).collect();
        world.push(table, &format!("[{}]", body.join(",")));
    }
    world
}

/// Asks for a program on another thread, and does something while it is being made.
fn meanwhile<T>(world: &World, sql: &str, then: impl FnOnce() -> T) -> (Result<Lsn, SetProgramError>, T) {
    let workspace = world.workspace();
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| block_on(workspace.set_program(sql.to_owned(), SetProgram::default())));
        let then = then();
        (changing.join().unwrap().map(|answer| answer.lsn), then)
    })
}

const COUNT: &str =
    "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW c AS SELECT COUNT(*) AS n, MAX(a) AS m FROM t;";

#[test]
fn deletions_and_retention_of_rows_that_a_fill_has_pinned_reach_the_new_view() {
    let world = many_rows("t", 40_000);
    let (set, ()) = meanwhile(&world, COUNT, || {
        for a in (0..40_000).step_by(400) {
            world.try_push(crate::world::delete("t", &format!(r#"{{"a":{a}}}"#))).unwrap();
        }
    });
    set.unwrap();
    assert_eq!(world.rows("c"), [r#"{"n":39900,"m":39999}"#]);
    world.try_push(crate::world::delete("t", r#"{"a":39999}"#)).unwrap();
    assert_eq!(world.rows("c"), [r#"{"n":39899,"m":39998}"#]);
}

#[test]
fn a_running_view_that_panics_meanwhile_does_not_hurt_the_change() {
    let panics = "CREATE TABLE t (a INT); CREATE TABLE p (a INT);
        CREATE MATERIALIZED VIEW risky AS SELECT hw_test_panic(a) AS a FROM p;";
    let world = World::with_program(panics);
    let rows: Vec<String> = (0..60_000).map(|a| format!(r#"{{"a":{a}}}"#)).collect();
    world.push("t", &format!("[{}]", rows.join(",")));
    let count = "CREATE MATERIALIZED VIEW c AS SELECT COUNT(*) AS n FROM t;";
    let (set, pushed) = meanwhile(&world, &format!("{panics} {count}"), || {
        let mut pushed = Vec::new();
        for round in 0..3 {
            pushed.push(world.try_push(request("p", r#"{"a":666}"#)));
            world.push("t", &format!(r#"{{"a":{}}}"#, -round));
        }
        pushed
    });
    set.unwrap();
    assert!(pushed.iter().all(|answer| matches!(answer, Err(PushError::StepSkipped { .. }))), "{pushed:?}");
    assert_eq!(world.rows("c"), [r#"{"n":60003}"#]);
    world.push("p", r#"{"a":1}"#);
    assert_eq!(world.rows("risky"), [r#"{"a":1}"#]);
}

#[test]
fn a_new_view_that_panics_on_a_push_of_meanwhile_is_refused_and_the_push_stays() {
    let world = many_rows("t", 40_000);
    let panics =
        "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW v AS SELECT hw_test_panic(a - 40000) AS a FROM t;";
    let (set, pushed) = meanwhile(&world, panics, || world.try_push(request("t", r#"{"a":40666}"#)));
    let rows = world.query("SELECT COUNT(*) AS n FROM t");
    match (set, pushed) {
        (Err(SetProgramError::Build { .. }), Ok(_)) => {
            assert_eq!(rows, "{\"n\":40001}\n");
            assert!(world.workspace().published().relation("v").is_none());
        }
        // The change was quicker.
        (Ok(_), Err(PushError::StepSkipped { .. })) => assert_eq!(rows, "{\"n\":40000}\n"),
        other => panic!("{other:?}"),
    }
    world.push("t", r#"{"a":1}"#);
}

#[test]
fn pauses_clocks_and_snapshots_go_on_while_a_program_changes() {
    let world = many_rows("t", 60_000);
    let (set, ()) = meanwhile(&world, COUNT, || {
        block_on(world.workspace().pause()).unwrap();
        let queued = headwater_engine::PushRequest {
            if_paused: headwater_engine::IfPaused::Queue,
            ..request("t", r#"{"a":-1}"#)
        };
        // Either no change is under way any more, or nothing is queued beside one.
        let queued = world.try_push(queued);
        assert!(matches!(queued, Ok(_) | Err(PushError::ProgramChanging { .. })), "{queued:?}");
        block_on(world.workspace().resume()).unwrap();
        world.push("t", r#"{"a":-2}"#);
    });
    let was_set = set.is_ok();
    assert!(was_set || matches!(set, Err(SetProgramError::RecordsQueued { .. })), "{set:?}");
    if was_set {
        let rows = world.query("SELECT COUNT(*) AS n, MAX(a) AS m FROM t");
        assert_eq!(world.query("SELECT * FROM c"), rows);
    }
}

#[test]
fn changes_wait_for_each_other_and_too_many_are_refused() {
    let world = many_rows("t", 40_000);
    let results: Vec<_> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..40)
            .map(|number| {
                let world = &world;
                scope.spawn(move || {
                    let sql = format!(
                        "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW v{number} AS SELECT a, COUNT(*) AS n FROM t GROUP BY a;"
                    );
                    block_on(world.workspace().set_program(sql, SetProgram::default()))
                })
            })
            .collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    let set: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    let refused =
        results.iter().filter(|result| matches!(result, Err(SetProgramError::Changing { .. }))).count();
    assert_eq!(set.len() + refused, 40, "{results:?}");
    assert!(set.len() >= headwater_types::limits::PROGRAM_CHANGES_WAITING_MAX, "{} were set", set.len());
    let newest = set.iter().max_by_key(|answer| answer.lsn).unwrap();
    let view = newest.entries.iter().find(|entry| entry.name.starts_with('v')).unwrap();
    assert_eq!(world.query(&format!("SELECT COUNT(*) AS n FROM {}", view.name)), "{\"n\":40000}\n");
}

#[test]
fn a_stop_during_a_change_forgets_it() {
    let world = many_rows("t", 200_000);
    let (set, ()) = meanwhile(&world, COUNT, || world.engine.shutdown());
    let disk = world.disk.restart_process();
    drop(world);
    let world = World::on(disk, START_MICROS).unwrap();
    let is_there = world.workspace().published().relation("c").is_some();
    match set {
        Ok(_) => assert!(is_there),
        Err(SetProgramError::ShuttingDown { .. }) => assert!(!is_there),
        Err(other) => panic!("{other}"),
    }
    assert_eq!(world.query("SELECT COUNT(*) AS n FROM t"), "{\"n\":200000}\n");
}

#[test]
fn a_table_that_gets_its_first_row_while_it_is_being_dropped_is_not() {
    let world = many_rows("t", 60_000);
    world.set_program("CREATE TABLE t (a INT); CREATE TABLE empty (a INT);");
    let (set, pushed): (_, Result<PushAnswer, PushError>) =
        meanwhile(&world, COUNT, || world.try_push(request("empty", r#"{"a":1}"#)));
    match (set, pushed) {
        (Ok(_), Err(PushError::UnknownTable { .. })) => {}
        (Err(SetProgramError::DropsData { losses }), Ok(_)) => {
            assert_eq!(losses, ["table empty is dropped"]);
            assert_eq!(world.rows("empty").len(), 1);
        }
        other => panic!("{other:?}"),
    }
}
