//! A program that is changed every few milliseconds while clients push: every stored row fits the program of its step.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::http::Http;
use crate::process::{Folder, Hooks, Server};
use crate::scale::from_env;

const PUSHERS: u64 = 3;
const ROWS_PER_PUSH: u64 = 20;
/// Rows that are there before: too many for one piece of a change.
const ROWS_BEFORE: u64 = 60_000;
const BETWEEN_CHANGES: Duration = Duration::from_millis(10);
const LIFE: Duration = Duration::from_millis(1_500);

/// Version `k` gives `c` the value `k` where a record leaves it out. Every other one has a column and two views more, and
/// its columns in another order.
fn version(k: u64) -> String {
    let by_c = "CREATE MATERIALIZED VIEW by_c AS SELECT c, COUNT(*) AS n, SUM(id) AS ids FROM t GROUP BY c;";
    if k.is_multiple_of(2) {
        return format!("CREATE TABLE t (id BIGINT PRIMARY KEY, c INT DEFAULT {k}); {by_c}");
    }
    format!(
        "CREATE TABLE t (c INT DEFAULT {k}, d INT NOT NULL DEFAULT {k}, id BIGINT PRIMARY KEY); {by_c}
         CREATE MATERIALIZED VIEW sum_d AS SELECT SUM(d) AS d, COUNT(*) AS n FROM t;
         CREATE MATERIALIZED VIEW per_n AS SELECT n, COUNT(*) AS times FROM by_c GROUP BY n;"
    )
}

/// What was answered, over all lives.
#[derive(Default)]
struct Answered {
    /// First id and LSN of each push.
    pushes: Vec<(u64, u64)>,
    /// Each version and its LSN.
    versions: Vec<(u64, u64)>,
    /// Versions that were asked for when the server was killed: set or not, and if so after this LSN.
    unknown: Vec<(u64, u64)>,
}

impl Answered {
    /// The versions of which one was the program of this step.
    fn versions_at(&self, lsn: u64) -> Vec<u64> {
        let newest = self.versions.iter().filter(|(_, set)| *set < lsn).max_by_key(|(_, set)| *set);
        let (version, set) = *newest.unwrap();
        let perhaps = self.unknown.iter().filter(|(_, after)| *after >= set && *after < lsn);
        std::iter::once(version).chain(perhaps.map(|(version, _)| *version)).collect()
    }
}

fn push_until(done: &AtomicBool, to: SocketAddr, ids: &AtomicU64) -> Vec<(u64, u64)> {
    let http = Http::new();
    let mut pushed = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let from = ids.fetch_add(ROWS_PER_PUSH, Ordering::Relaxed);
        let body: String = (from..from + ROWS_PER_PUSH).map(|id| format!("{{\"id\":{id}}}\n")).collect();
        match http.send(to, "POST", "/v1/workspaces/w/tables/t", None, &body) {
            Ok(reply) => pushed.push((from, reply.expect(200).number("lsn"))),
            // Killed: nobody knows whether it was taken.
            Err(_) => break,
        }
    }
    pushed
}

/// Pushes and changes the program for a while, then kills the server.
fn live(server: &mut Server, answered: &mut Answered, ids: &AtomicU64) {
    let (done, to) = (AtomicBool::new(false), server.address);
    let pushes = Mutex::new(Vec::new());
    let flips = Mutex::new((Vec::new(), None));
    let first = answered.versions.iter().chain(&answered.unknown).map(|(k, _)| k + 1).max().unwrap();
    let newest = answered.versions.iter().map(|(_, lsn)| *lsn).max().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..PUSHERS {
            scope.spawn(|| pushes.lock().unwrap().extend(push_until(&done, to, ids)));
        }
        scope.spawn(|| {
            let http = Http::new();
            let mut newest = newest;
            for k in first.. {
                let began = Instant::now();
                let path = "/v1/workspaces/w/program?drop_data=true";
                let Ok(reply) = http.send(to, "PUT", path, None, &version(k)) else {
                    flips.lock().unwrap().1 = Some((k, newest));
                    return;
                };
                newest = reply.expect(200).number("lsn");
                flips.lock().unwrap().0.push((k, newest));
                std::thread::sleep(BETWEEN_CHANGES.saturating_sub(began.elapsed()));
            }
        });
        std::thread::sleep(LIFE);
        server.kill();
        done.store(true, Ordering::Relaxed);
    });
    let (versions, unknown) = flips.into_inner().unwrap();
    answered.versions.extend(versions);
    answered.unknown.extend(unknown);
    answered.pushes.extend(pushes.into_inner().unwrap());
}

fn check(server: &Server, answered: &Answered) {
    let stored: BTreeMap<u64, u64> = server
        .rows("SELECT id, c FROM t")
        .iter()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            (row["id"].as_u64().unwrap(), row["c"].as_u64().unwrap())
        })
        .collect();
    for (from, lsn) in &answered.pushes {
        let expected = answered.versions_at(*lsn);
        for id in *from..from + ROWS_PER_PUSH {
            let found = stored.get(&id);
            assert!(
                found.is_some_and(|c| expected.contains(c)),
                "row {id} of LSN {lsn} has c = {found:?}, the program then was one of {expected:?}"
            );
        }
    }
    let compare = |view: &str, batch: &str| {
        assert_eq!(server.rows(&format!("SELECT * FROM {view}")), server.rows(batch), "view {view}");
    };
    compare("by_c", "SELECT c, COUNT(*) AS n, SUM(id) AS ids FROM t GROUP BY c");
    if server.get("/v1/workspaces/w/program?format=text").body.contains("sum_d") {
        compare("sum_d", "SELECT SUM(d) AS d, COUNT(*) AS n FROM t");
        compare("per_n", "SELECT n, COUNT(*) AS times FROM by_c GROUP BY n");
    }
}

#[test]
fn every_stored_row_fits_the_program_of_its_step_however_often_that_changes() {
    let folder = Folder::new();
    let ids = AtomicU64::new(0);
    let mut answered = Answered::default();
    let server = folder.start(&Hooks::small_log());
    let set = server.send("PUT", "/v1/workspaces/w/program", &version(0)).expect(200);
    answered.versions.push((0, set.number("lsn")));
    let rows: String = (0..ROWS_BEFORE)
        .map(|_| ids.fetch_add(1, Ordering::Relaxed))
        .map(|id| format!("{{\"id\":{id}}}\n"))
        .collect();
    server.send("POST", "/v1/workspaces/w/tables/t", &rows).expect(200);
    assert_eq!(server.stop(), Some(0));
    for _ in 0..from_env("HEADWATER_FLIP_LIVES", 2) {
        let mut server = folder.start(&Hooks::small_log());
        live(&mut server, &mut answered, &ids);
        drop(server);
        check(&folder.start(&Hooks::small_log()), &answered);
    }
    let (pushes, changes) = (answered.pushes.len(), answered.versions.len());
    assert!(pushes > 10 && changes > 10, "{pushes} pushes and {changes} changes are too few");
    println!("{pushes} pushes and {changes} program changes; {} changes cut off", answered.unknown.len());
}
