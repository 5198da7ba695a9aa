//! Followers get what changed: all rows first if they want them, then every change once and in order.

use std::sync::Arc;
use std::time::Duration;

use headwater_codec::json::write_row;
use headwater_engine::{ChangeKind, Cursor, FollowError, Follower, From, Heard, SetProgram, Workspace};
use headwater_env::sim::Arrived;

use crate::world::{START_MICROS, World, block_on, delete, request, skipping};

const PROGRAM: &str = "
    CREATE TABLE orders (id INT PRIMARY KEY, who VARCHAR, amount INT);
    CREATE TABLE log (a INT);
    CREATE MATERIALIZED VIEW spend AS SELECT who, SUM(amount) AS total FROM orders GROUP BY who;
    CREATE VIEW plain AS SELECT id FROM orders;";

/// Ends a read when nothing else is there.
const SHORT: Duration = Duration::from_millis(1);

/// What a follower is told until there is nothing else, one line each, and the cursor behind it.
fn told(follower: &mut Follower) -> (Vec<String>, Cursor) {
    let mut lines = Vec::new();
    loop {
        match block_on(follower.next(SHORT)) {
            Heard::Heartbeat(cursor) | Heard::Ended(cursor) | Heard::Closed(cursor) => {
                return (lines, cursor);
            }
            Heard::SnapshotDone(_) => {}
            Heard::Lines(changes) => {
                for change in &changes {
                    let (lsn, relation) = (change.lsn, &change.relation);
                    match &change.kind {
                        ChangeKind::Reset { reason, schema } => {
                            lines
                                .push(format!("{lsn} {relation} reset {reason:?} {}", schema.fields().len()));
                        }
                        ChangeKind::End => lines.push(format!("{lsn} {relation} end")),
                        ChangeKind::Lines(rows) => {
                            for row in 0..rows.rows.num_rows() {
                                let mut text = Vec::new();
                                write_row(&rows.rows, row, &mut text);
                                let sign = if rows.is_delete { '-' } else { '+' };
                                let text = String::from_utf8(text).unwrap();
                                let line = format!("{lsn} {relation} {sign} {text}");
                                lines.extend(std::iter::repeat_n(line, rows.count(row) as usize));
                            }
                        }
                    }
                }
            }
        }
    }
}

fn follow(workspace: &Arc<Workspace>, relations: &[&str], from: &From) -> Follower {
    try_follow(workspace, relations, from).unwrap()
}

fn try_follow(workspace: &Arc<Workspace>, relations: &[&str], from: &From) -> Result<Follower, FollowError> {
    let relations: Vec<String> = relations.iter().map(|&name| name.to_owned()).collect();
    workspace.follow(&relations, from)
}

#[test]
fn a_snapshot_is_followed_by_every_change_after_it() {
    let world = World::with_program(PROGRAM);
    world.push("orders", r#"{"id":1,"who":"ada","amount":10}"#);
    let mut follower = follow(&world.workspace(), &["spend"], &From::Snapshot);
    world.push("orders", r#"{"id":2,"who":"ada","amount":5}"#);
    let (lines, _) = told(&mut follower);
    assert_eq!(
        lines,
        [
            "2 spend reset Snapshot 2",
            r#"2 spend + {"who":"ada","total":10}"#,
            r#"3 spend - {"who":"ada","total":10}"#,
            r#"3 spend + {"who":"ada","total":15}"#,
        ]
    );
}

#[test]
fn rows_that_go_come_first_and_a_row_that_stays_is_no_change() {
    let world = World::with_program(PROGRAM);
    world.push(
        "orders",
        r#"[{"id":3,"who":"c","amount":1},{"id":1,"who":"a","amount":1},{"id":2,"who":"b","amount":1}]"#,
    );
    let mut follower = follow(&world.workspace(), &["orders", "spend"], &From::Now);
    world.push(
        "orders",
        r#"[{"id":9,"who":"z","amount":1},{"id":3,"who":"c","amount":2},{"id":1,"who":"a","amount":1}]"#,
    );
    world.try_push(delete("orders", r#"{"id":2}"#)).unwrap();
    let (lines, _) = told(&mut follower);
    assert_eq!(
        lines,
        [
            r#"3 orders - {"id":3,"who":"c","amount":1}"#,
            r#"3 orders + {"id":9,"who":"z","amount":1}"#,
            r#"3 orders + {"id":3,"who":"c","amount":2}"#,
            r#"3 spend - {"who":"c","total":1}"#,
            r#"3 spend + {"who":"c","total":2}"#,
            r#"3 spend + {"who":"z","total":1}"#,
            r#"4 orders - {"id":2,"who":"b","amount":1}"#,
            r#"4 spend - {"who":"b","total":1}"#,
        ]
    );
}

#[test]
fn system_tables_are_followed_by_name_and_not_among_all() {
    let world = World::with_program(PROGRAM);
    let mut quarantine = follow(&world.workspace(), &["quarantine"], &From::Now);
    let mut all = follow(&world.workspace(), &[], &From::Now);
    world.try_push(skipping(request("log", r#"[{"a":1},{"a":"x"}]"#))).unwrap();
    let (lines, _) = told(&mut quarantine);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with(r#"2 quarantine + {"lsn":2,"#), "{lines:?}");
    assert_eq!(told(&mut all).0, [r#"2 log + {"a":1}"#]);
}

/// A follower that comes back at any line, whatever happened to the server meanwhile, goes on with the next.
#[test]
fn a_follower_that_comes_back_misses_nothing_and_gets_nothing_twice_also_after_a_crash() {
    let mut world = World::with_program(PROGRAM);
    let start = follow(&world.workspace(), &[], &From::Now).cursor().to_string();
    for round in 0..60 {
        let rows: Vec<String> = (0..40)
            .map(|n| format!(r#"{{"id":{},"who":"w{}","amount":{round}}}"#, round * 7 + n, n % 5))
            .collect();
        world.push("orders", &format!("[{}]", rows.join(",")));
        world.push("log", &format!(r#"[{{"a":{round}}},{{"a":{round}}}]"#));
        if round % 20 == 10 {
            let disk = world.disk.crash(&Arrived::Random { seed: round as u64 });
            world = World::on(disk, START_MICROS).unwrap();
        }
    }
    assert!(world.workspace().status().snapshot_lsn.0 > 0, "log was cut on the way");
    let (all, end) = told(&mut follow(&world.workspace(), &[], &From::Cursor(start.clone())));
    assert!(all.len() > 4_000, "{}", all.len());
    let mut read = Vec::new();
    let mut cursor = start;
    for seed in 0.. {
        let Some(next) =
            read_some(&mut follow(&world.workspace(), &[], &From::Cursor(cursor)), &mut read, seed)
        else {
            break;
        };
        cursor = next;
        if seed % 9 == 0 {
            let disk = world.disk.crash(&Arrived::Random { seed });
            world = World::on(disk, START_MICROS).unwrap();
        }
    }
    assert!(read == all, "{} lines of {}", read.len(), all.len());
    assert_eq!(told(&mut follow(&world.workspace(), &[], &From::Cursor(end.to_string()))).0, [""; 0]);
}

/// Reads a page and forgets what lies behind some line of it; `None` if there is nothing.
fn read_some(follower: &mut Follower, read: &mut Vec<String>, seed: u64) -> Option<String> {
    let Heard::Lines(changes) = block_on(follower.next(SHORT)) else { return None };
    let mut cursor = None;
    let stop = changes.len() as u64 * (seed % 3 + 1) / 3;
    for change in changes.iter().take(stop.max(1) as usize) {
        let ChangeKind::Lines(rows) = &change.kind else { panic!("nothing begins or ends here") };
        let lines =
            (0..rows.rows.num_rows()).flat_map(|row| std::iter::repeat_n(row, rows.count(row) as usize));
        let lines: Vec<usize> = lines.collect();
        let taken = lines.len() as u64 - (seed % 5).min(lines.len() as u64 - 1);
        for row in &lines[..taken as usize] {
            let mut text = Vec::new();
            write_row(&rows.rows, *row, &mut text);
            let sign = if rows.is_delete { '-' } else { '+' };
            read.push(format!(
                "{} {} {sign} {}",
                change.lsn,
                change.relation,
                String::from_utf8(text).unwrap()
            ));
        }
        cursor = change.cursor_after(taken);
        if taken < lines.len() as u64 {
            break;
        }
    }
    cursor.map(|cursor| cursor.to_string())
}

#[test]
fn a_program_change_resets_what_changed_and_leaves_the_rest_alone() {
    let mut world = World::with_program(PROGRAM);
    world.push("orders", r#"{"id":1,"who":"ada","amount":10}"#);
    let workspace = world.workspace();
    let start = follow(&workspace, &[], &From::Now).cursor().to_string();
    let mut spend = follow(&workspace, &["spend"], &From::Now);
    let mut orders = follow(&workspace, &["orders"], &From::Now);
    let mut log = follow(&workspace, &["log"], &From::Now);
    let next = "
        CREATE TABLE orders (id INT PRIMARY KEY, who VARCHAR, amount INT);
        CREATE MATERIALIZED VIEW spend AS SELECT who, COUNT(*) AS n FROM orders GROUP BY who;
        CREATE MATERIALIZED VIEW fresh AS SELECT id FROM orders;";
    let how = SetProgram { drop_data: true, ..SetProgram::default() };
    block_on(workspace.set_program(next.to_owned(), how)).unwrap();
    world.push("orders", r#"{"id":2,"who":"bob","amount":1}"#);
    assert_eq!(
        told(&mut spend).0,
        ["3 spend reset Changed 2", r#"3 spend + {"who":"ada","n":1}"#, r#"4 spend + {"who":"bob","n":1}"#]
    );
    assert_eq!(told(&mut orders).0, [r#"4 orders + {"id":2,"who":"bob","amount":1}"#]);
    assert_eq!(told(&mut log).0, ["3 log end"]);
    assert!(matches!(block_on(log.next(Duration::from_secs(600))), Heard::Ended(_)));
    let (all, _) = told(&mut follow(&workspace, &[], &From::Cursor(start.clone())));
    assert_eq!(
        all,
        [
            "3 log end",
            "3 spend reset Changed 2",
            r#"3 spend + {"who":"ada","n":1}"#,
            "3 fresh reset Created 1",
            r#"3 fresh + {"id":1}"#,
            r#"4 orders + {"id":2,"who":"bob","amount":1}"#,
            r#"4 spend + {"who":"bob","n":1}"#,
            r#"4 fresh + {"id":2}"#,
        ]
    );
    drop((workspace, spend, orders, log));
    world = World::on(world.disk.crash(&Arrived::Nothing), START_MICROS).unwrap();
    let (again, _) = told(&mut follow(&world.workspace(), &[], &From::Cursor(start)));
    assert_eq!(again, all, "the same after a crash");
}

#[test]
fn what_cannot_be_followed_is_refused_and_says_why() {
    let world = World::with_program(PROGRAM);
    let workspace = world.workspace();
    let refused = |relation: &str, from: From| try_follow(&workspace, &[relation], &from).unwrap_err();
    let FollowError::UnknownRelation { known, .. } = refused("nope", From::Now) else { panic!() };
    assert_eq!(known, ["orders", "log", "spend"]);
    assert!(matches!(refused("plain", From::Now), FollowError::NotMaterialized { .. }));
    let cursor = |text: &str| From::Cursor(text.to_owned());
    assert!(matches!(refused("log", cursor("12")), FollowError::BadCursor(_)));
    let good = follow(&workspace, &["log"], &From::Now).cursor();
    let other = format!("{:016x}-{}", good.identity.0 ^ 1, "1.0.0");
    assert!(matches!(refused("log", cursor(&other)), FollowError::CursorGone { .. }));
    let ahead = format!("{:016x}-{}", good.identity.0, "99.0.0");
    assert!(matches!(refused("log", cursor(&ahead)), FollowError::CursorGone { .. }));
}

#[test]
fn a_stream_ends_when_the_workspace_closes_and_with_its_last_lsn() {
    let world = World::with_program(PROGRAM);
    let workspace = world.workspace();
    let mut bounded = follow(&workspace, &["log"], &From::Now).until(Some(headwater_types::Lsn(2)));
    let mut follower = follow(&workspace, &["log"], &From::Now);
    world.push("log", r#"{"a":1}"#);
    world.push("log", r#"{"a":2}"#);
    world.engine.shutdown();
    let long = Duration::from_secs(600);
    assert!(matches!(block_on(follower.next(long)), Heard::Lines(_)), "what was acknowledged is told");
    assert!(matches!(block_on(follower.next(long)), Heard::Closed(_)));
    let Heard::Lines(lines) = block_on(bounded.next(long)) else { panic!() };
    assert_eq!(lines.len(), 1);
    assert!(matches!(block_on(bounded.next(long)), Heard::Ended(_) | Heard::Closed(_)));
}

#[test]
fn a_step_that_is_voided_by_hand_makes_followers_start_over() {
    let world = World::with_program(PROGRAM);
    let cursor = follow(&world.workspace(), &["log"], &From::Now).cursor().to_string();
    world.push("log", r#"{"a":1}"#);
    let lsn = world.push("log", r#"{"a":2}"#).lsn;
    let (disk, env) = (world.disk.clone(), crate::world::options(&world.disk, &world.clock).env);
    world.engine.shutdown();
    drop(world);
    headwater_engine::doctor::skip(&env, std::path::Path::new("/data"), "w", lsn).unwrap();
    let world = World::on(disk, START_MICROS).unwrap();
    assert_eq!(world.rows("log"), [r#"{"a":1}"#]);
    let refused = try_follow(&world.workspace(), &["log"], &From::Cursor(cursor)).unwrap_err();
    assert!(matches!(refused, FollowError::CursorGone { .. }), "{refused}");
}
