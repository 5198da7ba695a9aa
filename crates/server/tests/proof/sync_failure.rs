use crate::process::{Folder, Hooks, Server};
use crate::scale::from_env;

const PROGRAM: &str = "CREATE TABLE t (a BIGINT NOT NULL);
CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n, SUM(a) AS a FROM t;";

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_reads_go_on_and_a_restart_is_clean() {
    let all = from_env("HEADWATER_SYNC_FAILURES", 0);
    let some: Vec<u64> = if all > 0 { (1..=all).collect() } else { (1..=8).chain([21, 50]).collect() };
    let at_starts = some.iter().filter(|nth| fail_sync(**nth) == Failed::Start).count();
    assert!(at_starts < some.len(), "no push met the failing sync");
    println!("{} syncs failed, {at_starts} of them while the server started", some.len());
}

/// What the failing sync was a part of.
#[derive(PartialEq, Eq)]
enum Failed {
    Start,
    Push,
}

fn fail_sync(nth: u64) -> Failed {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    server.program("w", PROGRAM);
    server.program("other", PROGRAM);
    assert_eq!(server.stop(), Some(0));

    let Ok(server) = folder.try_start(&Hooks { fail_sync_at: Some(nth), ..Hooks::default() }) else {
        let server = folder.start(&Hooks::default());
        server.send("POST", "/v1/workspaces/w/tables/t", r#"{"a":1}"#).expect(200);
        return Failed::Start;
    };
    let push = "/v1/workspaces/w/tables/t";
    let mut acknowledged = 0;
    let refused = loop {
        let reply = server.push_keyed(push, &acknowledged.to_string(), &format!(r#"{{"a":{acknowledged}}}"#));
        if reply.status != 200 {
            break reply;
        }
        acknowledged += 1;
        assert!(acknowledged <= nth, "sync {nth} did not fail");
    };
    assert_eq!((refused.status, refused.code().as_str()), (500, "outcome_unknown"), "sync {nth}");

    for _ in 0..3 {
        let later = server.send("POST", push, r#"{"a":-1}"#);
        assert_eq!((later.status, later.code().as_str()), (503, "read_only"), "sync {nth}");
    }
    let expected = |rows: i64| vec![format!(r#"{{"n":{rows},"a":{}}}"#, rows * (rows - 1) / 2)];
    if acknowledged > 0 {
        assert_eq!(server.rows("SELECT * FROM n"), expected(acknowledged as i64), "reads go on, sync {nth}");
    }
    let health = server.get("/healthz");
    assert_eq!(health.status, 503, "{}", health.body);
    assert_eq!(health.json()["failing"][0]["workspace"], "w", "{}", health.body);
    assert_eq!(server.get("/readyz").status, 200);
    server.send("POST", "/v1/workspaces/other/tables/t", r#"{"a":1}"#).expect(200);
    assert_eq!(server.stop(), Some(0), "sync {nth}");

    let server = folder.start(&Hooks::default());
    assert_eq!(server.get("/healthz").status, 200);
    // Sent again under the same key, the request whose outcome was unknown is there once.
    let again = server.push_keyed(push, &acknowledged.to_string(), &format!(r#"{{"a":{acknowledged}}}"#));
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(server.rows("SELECT * FROM n"), expected(acknowledged as i64 + 1), "sync {nth}");
    assert_eq!(server.rows("SELECT COUNT(*) AS n, SUM(a) AS a FROM t"), expected(acknowledged as i64 + 1));
    assert_eq!(server.stop(), Some(0));
    Failed::Push
}

/// The list of workspaces is a workspace of its own: when its log fails no workspace is made any more, the others go on.
#[test]
fn when_the_list_of_workspaces_cannot_be_written_the_workspaces_there_are_go_on() {
    let (folder, server) =
        (1..20).find_map(start_before_failing_sync).expect("a start syncs each log a few times at most");
    let refused = server.send("PUT", "/v1/workspaces/new", "");
    assert_eq!((refused.status, refused.code().as_str()), (500, "outcome_unknown"), "{}", refused.body);
    let later = server.send("PUT", "/v1/workspaces/newer", "");
    assert_eq!(later.status, 503, "{}", later.body);
    assert_eq!(server.get("/healthz").status, 503);
    server.send("POST", "/v1/workspaces/w/tables/t", r#"{"a":1}"#).expect(200);
    assert_eq!(server.rows("SELECT * FROM n"), [r#"{"n":1,"a":1}"#]);
    assert_eq!(server.stop(), Some(0));

    let server = folder.start(&Hooks::default());
    assert_eq!(server.get("/healthz").status, 200);
    assert!(matches!(server.send("PUT", "/v1/workspaces/new", "").status, 200 | 201));
    server.send("POST", "/v1/workspaces/w/tables/t", r#"{"a":2}"#).expect(200);
    assert_eq!(server.rows("SELECT * FROM n"), [r#"{"n":2,"a":3}"#]);
}

/// A server over a folder of its own whose n-th sync fails; `None` if that is one of its start.
fn start_before_failing_sync(nth: u64) -> Option<(Folder, Server)> {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    server.program("w", PROGRAM);
    assert_eq!(server.stop(), Some(0));
    let server = folder.try_start(&Hooks { fail_sync_at: Some(nth), ..Hooks::default() }).ok()?;
    Some((folder, server))
}
