//! Reading the version of an LSN that is not the newest any more.

use headwater_engine::{ReadAt, WaitError};
use headwater_types::{Lsn, limits};

use crate::world::{World, block_on, delete, ndjson};

fn query_at(world: &World, sql: &str, lsn: Lsn) -> String {
    let (at, result) = block_on(world.workspace().query_at(sql, ReadAt::Exactly(lsn))).unwrap();
    assert_eq!(at, lsn);
    ndjson(&result.batches)
}

fn gone(world: &World, lsn: Lsn) -> Option<Lsn> {
    match block_on(world.workspace().version(ReadAt::Exactly(lsn))) {
        Err(WaitError::Gone { oldest, .. }) => Some(oldest),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    }
}

#[test]
fn a_reader_at_an_lsn_sees_the_same_rows_whatever_is_pushed_meanwhile() {
    let world = World::with_program(
        "CREATE TABLE t (a INT PRIMARY KEY, b INT);
         CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n, SUM(b) AS b FROM t;",
    );
    let lsn = world.push("t", r#"[{"a":1,"b":10},{"a":2,"b":20},{"a":3,"b":30}]"#).lsn;
    let expected = world.query("SELECT * FROM t ORDER BY a");
    for round in 0..50 {
        world.push("t", &format!(r#"[{{"a":1,"b":{round}}},{{"a":{},"b":5}}]"#, 10 + round));
        if round == 25 {
            world.try_push(delete("t", r#"{"a":2}"#)).unwrap();
        }
        assert_eq!(query_at(&world, "SELECT * FROM t ORDER BY a", lsn), expected);
        assert_eq!(query_at(&world, "SELECT * FROM n", lsn), "{\"n\":3,\"b\":60}\n");
        let workspace = world.workspace();
        let version = block_on(workspace.version(ReadAt::Exactly(lsn))).unwrap();
        let row = |key: &str| {
            let found = workspace.lookup_in(&version, "t", &[key]).unwrap();
            found.map(|row| ndjson(&[row])).unwrap_or_default()
        };
        assert_eq!(row("1"), "{\"a\":1,\"b\":10}\n");
        assert_eq!(row("2"), "{\"a\":2,\"b\":20}\n");
        assert_eq!(row("10"), "");
    }
}

#[test]
fn versions_are_kept_for_a_while_and_then_the_oldest_kept_is_named() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let first = world.push("t", r#"{"a":1}"#).lsn;
    let second = world.push("t", r#"{"a":2}"#).lsn;
    assert_eq!(gone(&world, first), None);
    world.clock.advance_micros(limits::VERSIONS_KEPT_MICROS + 1);
    let third = world.push("t", r#"{"a":3}"#).lsn;
    assert_eq!(gone(&world, first), Some(second), "the second was the newest until now");
    assert_eq!((gone(&world, second), gone(&world, third)), (None, None));
}

#[test]
fn versions_before_a_restart_are_gone() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let first = world.push("t", r#"{"a":1}"#).lsn;
    let second = world.push("t", r#"{"a":2}"#).lsn;
    let world = world.restart();
    assert_eq!(gone(&world, first), Some(second));
    assert_eq!(gone(&world, second), None);
}

#[test]
fn no_more_versions_are_kept_than_their_number_allows() {
    let world = World::with_program("CREATE TABLE t (a INT) WITH ('materialized' = 'false');");
    let first = world.push("t", r#"{"a":1}"#).lsn;
    let more = limits::VERSIONS_KEPT_MAX as u64;
    for _ in 0..more {
        world.push("t", r#"{"a":2}"#);
    }
    assert_eq!(gone(&world, first), None);
    world.push("t", r#"{"a":2}"#);
    assert_eq!(gone(&world, first), Some(first.next()));
}
