//! Retention deletes at logged ticks of the workspace clock, and views follow.

use headwater_engine::{ClockMode, ControlError};
use headwater_types::TimestampMicros;

use crate::world::{START_MICROS, World, block_on};

const DAY: i64 = 24 * 3_600 * 1_000_000;
const PROGRAM: &str = "
    CREATE TABLE e (at TIMESTAMP, n INT) WITH ('retention' = '1 day on at');
    CREATE TABLE k (id INT PRIMARY KEY, at TIMESTAMP(9)) WITH ('retention' = '1 day on at');
    CREATE MATERIALIZED VIEW s AS SELECT COUNT(*) AS c, SUM(n) AS n FROM e;";

fn world() -> World {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().set_clock(ClockMode::Manual, Some(TimestampMicros(START_MICROS)))).unwrap();
    world.push(
        "e",
        r#"[{"at":"2026-11-21T12:00:00Z","n":1},{"at":"2026-11-22T12:00:00Z","n":2},{"at":null,"n":4}]"#,
    );
    world.push(
        "k",
        r#"[{"id":1,"at":"2026-11-21T12:00:00.000000001Z"},{"id":2,"at":"2026-11-22T12:00:00Z"}]"#,
    );
    world
}

#[test]
fn rows_older_than_the_retention_go_with_the_clock_and_views_follow() {
    let mut world = world();
    assert_eq!(world.rows("s"), [r#"{"c":3,"n":7}"#]);
    let later = TimestampMicros(START_MICROS + DAY / 2 + 1);
    block_on(world.workspace().set_clock(ClockMode::Manual, Some(later))).unwrap();
    for _ in 0..2 {
        assert_eq!(world.rows("s"), [r#"{"c":2,"n":6}"#], "a row without time stays");
        assert_eq!(world.rows("k"), [r#"{"id":2,"at":"2026-11-22T12:00:00Z"}"#]);
        world = world.restart();
    }
}

#[test]
fn a_row_is_kept_for_exactly_as_long_as_the_retention_says() {
    let world = world();
    block_on(world.workspace().set_clock(ClockMode::Manual, Some(TimestampMicros(START_MICROS + DAY / 2))))
        .unwrap();
    assert_eq!((world.rows("e").len(), world.rows("k").len()), (3, 2));
}

#[test]
fn the_clock_never_goes_back() {
    let world = world();
    let refused =
        block_on(world.workspace().set_clock(ClockMode::Manual, Some(TimestampMicros(START_MICROS - 1))));
    assert!(matches!(refused, Err(ControlError::ClockGoesBack { .. })));
    world.clock.set(TimestampMicros(0));
    let before = world.workspace().status();
    world.push("e", r#"{"n":1}"#);
    let after = world.workspace().status();
    assert!(after.ingest_time >= before.ingest_time && after.workspace_clock >= before.workspace_clock);
}

#[test]
fn the_event_clock_follows_the_newest_event_by_a_day_at_most() {
    let world = World::with_program(PROGRAM);
    block_on(world.workspace().set_clock(ClockMode::Event, None)).unwrap();
    let start = world.workspace().status().workspace_clock;
    world.push("e", r#"{"at":"2099-01-01T00:00:00Z","n":1}"#);
    assert_eq!(world.workspace().status().workspace_clock, start.plus_micros(DAY));
}

#[test]
fn a_system_clock_tick_comes_by_itself() {
    let world = World::with_program(PROGRAM);
    world.push("e", r#"{"at":"2026-11-22T00:00:00Z","n":1}"#);
    world.clock.advance_micros(3 * DAY);
    let gone =
        block_on(world.workspace().wait_for(headwater_types::Lsn(3), std::time::Duration::from_secs(20)));
    assert_eq!(gone.unwrap().lsn.0, 3);
    assert_eq!(world.rows("e").len(), 0);
}
