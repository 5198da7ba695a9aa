//! Times of day, bytes and UUIDs from the request to the answer, over restarts and patches, as keys and in views.

use crate::world::{World, delete, patch};

const PROGRAM: &str = "
    CREATE TABLE visits (id UUID PRIMARY KEY, at TIME, raw VARBINARY DEFAULT x'0a', peer UUID);
    CREATE TABLE seen (at TIME, raw VARBINARY, id UUID);
    CREATE MATERIALIZED VIEW by_raw AS
        SELECT raw, COUNT(*) AS n, MIN(at) AS first, MAX(id) AS last FROM visits GROUP BY raw;
    CREATE MATERIALIZED VIEW pairs AS
        SELECT a.id, b.at, length(a.raw) AS bytes FROM visits a JOIN visits b ON a.peer = b.id;";

fn everything(world: &World) -> Vec<Vec<String>> {
    ["visits", "seen", "by_raw", "pairs"].iter().map(|relation| world.rows(relation)).collect()
}

fn uuid(number: u32) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

/// Pushes enough that snapshots are written.
fn fill(world: &World, from: u32) {
    for round in from..from + 20 {
        let visit = |n: u32| {
            let (id, peer) = (uuid(round * 100 + n), uuid(round * 100 + n + 1));
            let at = format!("{:02}:{:02}:00.000000{n:03}", round % 24, n % 60);
            format!(r#"{{"id":"{id}","at":"{at}","raw":"{:02x}","peer":"{peer}"}}"#, n % 7)
        };
        let visits: Vec<String> = (0..50).map(visit).collect();
        world.push("visits", &format!("[{}]", visits.join(",")));
        let row = r#"{"at":"10:00","raw":[0,255],"id":"{FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF}"}"#;
        world.push("seen", &[row, row, "{}"].join("\n"));
    }
}

#[test]
fn they_are_the_same_after_restarts_and_in_views() {
    let mut world = World::with_program(PROGRAM);
    for part in 0..3 {
        fill(&world, part * 20);
        let before = everything(&world);
        world = world.restart();
        assert_eq!(everything(&world), before, "part {part}");
    }
    assert!(world.workspace().status().snapshot_lsn.0 > 0, "snapshots were written");
    assert_eq!(
        world.rows("by_raw")[6],
        r#"{"raw":"06","n":420,"first":"00:06:00.000000006","last":"00000000-0000-0000-0000-000000005948"}"#
    );
    let pair = format!("SELECT * FROM pairs WHERE id = '{}'", uuid(48));
    assert_eq!(
        world.query(&pair),
        format!("{{\"id\":\"{}\",\"at\":\"00:49:00.000000049\",\"bytes\":1}}\n", uuid(48))
    );
}

#[test]
fn a_key_is_one_whatever_way_it_is_written() {
    let world = World::with_program(PROGRAM);
    let id = "123E4567-E89B-12D3-A456-426655440000";
    world.push("visits", &format!(r#"{{"id":"{id}","at":"10:00:00.5"}}"#));
    let spelled = id.to_lowercase().replace('-', "");
    world.try_push(patch("visits", &format!(r#"{{"id":"{{{spelled}}}","raw":"\\xFF"}}"#))).unwrap();
    let row = format!(r#"{{"id":"{}","at":"10:00:00.5","raw":"ff","peer":null}}"#, id.to_lowercase());
    assert_eq!(world.rows("visits"), [row]);
    world.try_push(delete("visits", &format!(r#"{{"id":"{spelled}"}}"#))).unwrap();
    assert!(world.rows("visits").is_empty() && world.rows("by_raw").is_empty());
}

#[test]
fn rows_without_key_are_deleted_by_their_values() {
    let world = World::with_program(PROGRAM);
    let row = r#"{"at":"10:00:00","raw":"00ff","id":"ffffffff-ffff-ffff-ffff-ffffffffffff"}"#;
    world.push("seen", &format!("[{row},{row}]"));
    let other = r#"{"at":"10:00","raw":[0,255],"id":"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"}"#;
    world.try_push(delete("seen", other)).unwrap();
    assert_eq!(world.rows("seen"), [row]);
}
