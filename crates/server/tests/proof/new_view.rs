//! A view is added over many rows while clients push: how long it takes and how long a push waits is printed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::http::Http;
use crate::process::{Folder, Hooks, Server};
use crate::scale::from_env;

const TABLE: &str = "CREATE TABLE t (id BIGINT, g BIGINT, v DOUBLE);";
const GROUPS: &str = "CREATE MATERIALIZED VIEW groups AS SELECT g, COUNT(*) AS n, SUM(v) AS v, MAX(id) AS newest FROM t GROUP BY g;";
const ROWS_PER_PUSH: u64 = 50_000;
const PUSHERS: usize = 2;

fn rows(ids: &AtomicU64, count: u64) -> String {
    let from = ids.fetch_add(count, Ordering::Relaxed);
    let row = |id: u64| format!("{{\"id\":{id},\"g\":{},\"v\":{}.5}}\n", id * 7_919 % 100_003, id % 1_000);
    (from..from + count).map(row).collect()
}

fn push(http: &Http, server: &Server, body: &str) -> Duration {
    let began = Instant::now();
    let path = "/v1/workspaces/w/tables/t";
    http.send(server.address, "POST", path, None, body).unwrap().expect(200);
    began.elapsed()
}

/// Pushes single rows while something is done; how long each took, and how long that did.
fn pushing_meanwhile(server: &Server, ids: &AtomicU64, then: impl FnOnce()) -> (Vec<Duration>, Duration) {
    let done = AtomicBool::new(false);
    let all = Mutex::new(Vec::new());
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..PUSHERS {
            scope.spawn(|| {
                let http = Http::new();
                let mut pushes = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    pushes.push(push(&http, server, &rows(ids, 1)));
                }
                all.lock().unwrap().extend(pushes);
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        then();
        took = began.elapsed();
        done.store(true, Ordering::Relaxed);
    });
    let mut pushes = all.into_inner().unwrap();
    pushes.sort_unstable();
    (pushes, took)
}

fn print(what: &str, (pushes, took): &(Vec<Duration>, Duration)) {
    println!(
        "{what}: {took:?}; {} pushes beside it, p50 {:?}, longest {:?}",
        pushes.len(),
        pushes[pushes.len() / 2],
        pushes[pushes.len() - 1]
    );
}

fn check(server: &Server) {
    let batch = "SELECT g, COUNT(*) AS n, SUM(v) AS v, MAX(id) AS newest FROM t GROUP BY g";
    assert_eq!(server.rows("SELECT * FROM groups"), server.rows(batch));
}

#[test]
fn a_view_added_over_many_rows_under_load_has_them_all_and_no_push_is_refused() {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    server.program("w", TABLE);
    let ids = AtomicU64::new(0);
    let http = Http::new();
    let count = from_env("HEADWATER_NEW_VIEW_ROWS", 200_000);
    while ids.load(Ordering::Relaxed) < count {
        push(&http, &server, &rows(&ids, ROWS_PER_PUSH));
    }
    let added = pushing_meanwhile(&server, &ids, || server.program("w", &format!("{TABLE}{GROUPS}")));
    print(&format!("a view over {count} rows"), &added);
    check(&server);

    let wider = TABLE.replace("g BIGINT", "note VARCHAR DEFAULT 'none', g BIGINT");
    let altered = pushing_meanwhile(&server, &ids, || server.program("w", &format!("{wider}{GROUPS}")));
    print("a column more", &altered);
    check(&server);
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t WHERE note <> 'none'"), [r#"{"n":0}"#]);

    let views: String = (0..12)
        .map(|n| {
            format!("CREATE MATERIALIZED VIEW v{n} AS SELECT g % {} AS g, COUNT(*) AS n, AVG(v) AS v FROM t WHERE g > {n} GROUP BY g % {};", n + 2, n + 2)
        })
        .collect();
    let began = Instant::now();
    server.program("fresh", &format!("{TABLE}{views}"));
    println!("twelve views in a new workspace: {:?}", began.elapsed());
    let began = Instant::now();
    server.program("fresh", TABLE);
    println!("without them again: {:?}", began.elapsed());
    let began = Instant::now();
    server.program("fresh", &format!("{TABLE}{views}"));
    println!("twelve views in a running workspace: {:?}", began.elapsed());
}
