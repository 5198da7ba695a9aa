//! Every documented error is provoked over HTTP: it has its code and status, and it changes nothing.

use std::collections::BTreeSet;

use crate::support::{Reply, TestServer, gzip, short};
use headwater_env::sim::{Faults, SimDisk};
use headwater_server::app::Bounds;
use headwater_server::errors::catalogue::CATALOGUE;
use headwater_types::limits;
use serde_json::json;

const PROGRAM: &str = "
    CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR);
    CREATE TABLE plain (a BIGINT);
    CREATE MATERIALIZED VIEW v AS SELECT hw_test_panic(a) AS a FROM plain;
    CREATE TABLE quiet (a BIGINT) WITH ('changes' = 'off');
    CREATE VIEW expanded AS SELECT a FROM plain;";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Asks for trouble in a workspace that runs.
type Case = (&'static str, fn(&TestServer) -> Reply);

fn post(server: &TestServer, path: &str, headers: Headers<'_>, body: impl AsRef<[u8]>) -> Reply {
    server.send("POST", path, headers, body)
}

const PUSH: &str = "/v1/workspaces/w/tables/t";
const QUERY: &str = "/v1/workspaces/w/query";

const CASES: &[Case] = &[
    ("host_not_allowed", |s| s.send("GET", "/v1/workspaces", &[("host", "evil.example")], "")),
    ("origin_not_allowed", |s| post(s, PUSH, &[("origin", "http://evil.example")], r#"{"id":9}"#)),
    ("unknown_route", |s| s.get("/v1/workspace")),
    ("method_not_allowed", |s| s.send("PATCH", PUSH, &[], r#"{"id":9}"#)),
    ("unknown_parameter", |s| s.post(&format!("{PUSH}?on_eror=skip"), r#"{"id":9}"#)),
    ("bad_parameter", |s| s.post(&format!("{PUSH}?op=replace"), r#"{"id":9}"#)),
    ("bad_path", |s| s.post("/v1/workspaces/w/tables/%FF", r#"{"id":9}"#)),
    ("bad_header", |s| post(s, PUSH, &[("idempotency-key", "a"), ("idempotency-key", "b")], r#"{"id":9}"#)),
    ("bad_json", |s| s.post("/v1/workspaces", "{\"nam\":\"x\"}")),
    ("bad_name", |s| s.put("/v1/workspaces/_mine", "")),
    ("body_too_dense", |s| post(s, PUSH, &[("content-encoding", "gzip")], gzip(&vec![b' '; 8 << 20]))),
    ("bad_compression", |s| post(s, PUSH, &[("content-encoding", "gzip")], r#"{"id":9}"#)),
    ("unsupported_encoding", |s| post(s, PUSH, &[("content-encoding", "br")], r#"{"id":9}"#)),
    ("too_many_records", |s| s.post(PUSH, "{}\n".repeat(limits::RECORDS_PER_REQUEST_MAX + 1))),
    ("empty_body", |s| s.post(PUSH, "")),
    ("not_utf8", |s| s.post(PUSH, b"[{\"id\":9,\"name\":\"\xFF\"}]")),
    ("unknown_field", |s| post(s, PUSH, &[("content-type", "text/csv")], "id,nam\n9,x\n")),
    ("bad_arrow", |s| s.post(&format!("{PUSH}?format=arrow"), r#"{"id":9}"#)),
    ("bad_operation", |s| s.post("/v1/workspaces/w/tables/plain?op=upsert", r#"{"a":1}"#)),
    ("records_refused", |s| s.post(PUSH, r#"[{"id":9},{"id":"x"}]"#)),
    ("unknown_workspace", |s| s.get("/v1/workspaces/nowhere")),
    ("workspace_exists", |s| s.post("/v1/workspaces", r#"{"name":"w"}"#)),
    ("unknown_table", |s| s.post("/v1/workspaces/w/tables/orders", r#"{"id":9}"#)),
    ("unknown_view", |s| s.get("/v1/workspaces/w/explain?view=nothing")),
    ("no_primary_key", |s| s.get("/v1/workspaces/w/tables/plain/rows/1")),
    ("bad_key", |s| s.get("/v1/workspaces/w/tables/t/rows/1,2")),
    ("row_not_found", |s| s.get("/v1/workspaces/w/tables/t/rows/404")),
    ("drops_data", |s| s.put("/v1/workspaces/w/program", "CREATE TABLE plain (a BIGINT)")),
    ("unknown_module", |s| s.put("/v1/workspaces/w/program?module=features", "")),
    ("idempotency_mismatch", |s| {
        assert_eq!(post(s, PUSH, &[("idempotency-key", "k")], r#"{"id":1,"name":"one"}"#).status, 200);
        post(s, PUSH, &[("idempotency-key", "k")], r#"{"id":2}"#)
    }),
    ("bad_idempotency_key", |s| post(s, PUSH, &[("idempotency-key", &"k".repeat(256))], r#"{"id":9}"#)),
    ("step_skipped", |s| s.post("/v1/workspaces/w/tables/plain", r#"{"a":666}"#)),
    ("unknown_relation", |s| s.get("/v1/workspaces/w/changes/orders")),
    ("not_materialized", |s| s.get("/v1/workspaces/w/changes/expanded")),
    ("changes_not_kept", |s| s.get("/v1/workspaces/w/changes/quiet")),
    ("bad_cursor", |s| s.get("/v1/workspaces/w/changes/t?cursor=7")),
    ("cursor_gone", |s| s.get("/v1/workspaces/w/changes/t?cursor=0000000000000000-1.0.0")),
    ("query_too_many_rows", |s| {
        s.post(QUERY, many("SELECT x.a AS a FROM n x CROSS JOIN n y CROSS JOIN n z"))
    }),
    ("query_too_many_bytes", |s| {
        s.post(QUERY, many("SELECT repeat('x', 1000000) || x.a FROM n x CROSS JOIN n y"))
    }),
    ("query_failed", |s| s.post(QUERY, "SELECT CAST(name AS BIGINT) AS n FROM t")),
    ("bad_clock", |s| s.put("/v1/workspaces/w/clock", r#"{"mode":"system","now":"2026-11-22T10:00:00Z"}"#)),
];

/// A query over 120 numbers that it makes itself.
fn many(select: &str) -> String {
    let numbers = (0..120).map(|a| format!("({a})")).collect::<Vec<_>>().join(",");
    format!("WITH n(a) AS (VALUES {numbers}) {select}")
}

/// What a client can see of workspace `w`, but for what quarantine and void steps add.
fn seen(server: &TestServer) -> String {
    let status = server.get("/v1/workspaces/w").json();
    format!(
        "{} {} {:?} {:?} {:?}",
        status["condition"],
        server.get("/v1/workspaces/w/program").json()["modules"],
        server.rows("SELECT * FROM t ORDER BY id"),
        server.rows("SELECT * FROM plain ORDER BY a"),
        server.rows("SELECT * FROM v ORDER BY a"),
    )
}

/// The error has its shape, and the status of the catalogue.
fn check_shape(reply: &Reply, code: &str) {
    let answer = reply.json();
    let error = &answer["error"];
    assert_eq!(error["code"], code, "{}", reply.body);
    assert!(
        error["message"].as_str().is_some_and(|message| !message.is_empty() && !message.ends_with('.')),
        "{error}"
    );
    assert_eq!(error["request_id"], reply.header("x-request-id"), "{error}");
    if let Some(condition) = CATALOGUE.iter().find(|condition| condition.code == code) {
        assert_eq!(reply.status, condition.status.as_u16(), "{code}");
        assert_eq!(reply.headers.contains_key("retry-after"), condition.retry_after_s.is_some(), "{code}");
    }
}

fn running() -> TestServer {
    let server = TestServer::start();
    server.program(PROGRAM);
    server.post(PUSH, r#"{"id":1,"name":"one"}"#);
    server.post("/v1/workspaces/w/tables/plain", r#"[{"a":1},{"a":1}]"#);
    server
}

#[test]
fn every_refusal_has_its_code_and_changes_nothing() {
    let server = running();
    let before = seen(&server);
    for (code, provoke) in CASES {
        check_shape(&provoke(&server), code);
        assert_eq!(seen(&server), before, "{code} changed something");
    }
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains(&format!(
        "path=\"{}\",code=\"records_refused\"}} 1",
        "/v1/workspaces/{workspace}/tables/{table}"
    )));
}

#[test]
fn sql_that_is_refused_says_where() {
    let server = running();
    for (path, text) in [("/v1/workspaces/w/plan", "CREATE TABLE t (a BIGINT"), (QUERY, "SELECT nam FROM t")]
    {
        let refused = server.post(path, text);
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.json()["error"]["place"]["line"].is_number(), "{}", refused.body);
    }
}

#[test]
fn a_paused_workspace_refuses_pushes_and_keeps_its_program() {
    let server = running();
    server.post("/v1/workspaces/w/pause", "");
    check_shape(&server.post(PUSH, r#"{"id":2}"#), "paused");
    assert_eq!(server.post(&format!("{PUSH}?if_paused=queue"), r#"{"id":2}"#).status, 200);
    check_shape(&server.put("/v1/workspaces/w/program", PROGRAM), "records_queued");
    server.post("/v1/workspaces/w/resume", "");
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 2})]);
}

#[test]
fn a_body_that_stalls_or_breaks_off_is_refused() {
    let server = TestServer::start_with(short());
    server.program(PROGRAM);
    let head = format!("POST {PUSH} HTTP/1.1\r\nhost: localhost\r\n");
    let stalls = server.raw(format!("{head}content-length: 10\r\n\r\n{{\"id\"").as_bytes());
    assert!(stalls.starts_with("HTTP/1.1 408") && stalls.contains("\"body_timeout\""), "{stalls}");
    let breaks = server.raw(format!("{head}transfer-encoding: chunked\r\n\r\nnot a length\r\n").as_bytes());
    assert!(breaks.starts_with("HTTP/1.1 400") && breaks.contains("\"body_incomplete\""), "{breaks}");
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 0})]);
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_answer_arrives() {
    let server = running();
    let body = vec![b' '; limits::BODY_WIRE_BYTES_MAX + 1];
    check_shape(&server.post(PUSH, body), "body_too_large");
    check_shape(
        &server.put("/v1/workspaces/w/program", vec![b' '; limits::SQL_BYTES_MAX + 1]),
        "body_too_large",
    );
    check_shape(&server.put("/v1/workspaces/w/program", gzip(&[b' '; 100])), "not_utf8");
}

#[test]
fn a_client_that_asks_first_is_told_before_it_sends_a_body_that_is_too_large() {
    let server = running();
    let head = format!(
        "POST {PUSH} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        limits::BODY_WIRE_BYTES_MAX + 1
    );
    let answer = server.raw(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"body_too_large\""), "{answer}");
}

#[test]
fn bodies_and_connections_have_a_common_bound() {
    let server =
        TestServer::start_with(Bounds { connections_max: 2, bodies_bytes_max: 1_000, ..Bounds::default() });
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
    check_shape(
        &server.post(PUSH, format!("{{\"id\":1,\"name\":\"{}\"}}", "x".repeat(1_000))),
        "bodies_full",
    );
    assert_eq!(server.post(PUSH, r#"{"id":1}"#).status, 200, "the share was not given back");

    let _others = [server.connect(), server.connect()];
    let turned_away = server.raw(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(turned_away.starts_with("HTTP/1.1 503"), "{turned_away}");
    assert!(turned_away.contains("\"too_many_connections\""), "{turned_away}");
}

#[test]
fn a_full_disk_refuses_before_anything_is_taken() {
    let disk = SimDisk::new();
    let server = TestServer::start_on_sim(&disk);
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
    let used = disk.files().iter().map(|(_, bytes)| bytes.len() as u64).sum();
    disk.set_capacity(Some(used));
    let large = format!("{{\"id\":1,\"name\":\"{}\"}}", "x".repeat(3 << 20));
    let refused =
        std::iter::repeat_with(|| server.post(PUSH, &large)).take(100).find(|reply| reply.status != 200);
    let lsn = server.get("/v1/workspaces/w").json()["lsn"].clone();
    check_shape(&refused.expect("the disk was never full"), "no_space");
    assert_eq!(server.get("/v1/workspaces/w").json()["lsn"], lsn);
}

#[test]
fn a_failed_sync_leaves_the_outcome_unknown_and_the_workspace_read_only() {
    let disk = SimDisk::new();
    let server = TestServer::start_on_sim(&disk);
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    assert_eq!(server.get("/healthz").status, 200);
    disk.set_faults(Faults { is_permanent: true, ..Faults::nth_sync(1) });
    check_shape(&server.post(PUSH, r#"{"id":1}"#), "outcome_unknown");
    check_shape(&server.post(PUSH, r#"{"id":2}"#), "read_only");
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 0})], "reads do not go on");
    let health = server.get("/healthz");
    assert_eq!((health.status, &health.json()["failing"][0]["workspace"]), (503, &json!("w")));
}

#[test]
fn a_server_that_stops_says_so() {
    let server = running();
    server.app.engine.shutdown();
    check_shape(&server.post(PUSH, r#"{"id":9}"#), "closing");
}

#[test]
fn a_workspace_over_its_budget_says_so_and_takes_deletions() {
    let server = running();
    assert_eq!(server.put("/v1/workspaces/w", r#"{"memory_bytes":1}"#).status, 200);
    check_shape(&server.post(PUSH, r#"{"id":9}"#), "workspace_over_budget");
    assert_eq!(server.post(&format!("{PUSH}?op=delete"), r#"{"id":1}"#).status, 200);
    assert_eq!(server.put("/v1/workspaces/w", r#"{"memory_bytes":null}"#).status, 200);
    assert_eq!(server.post(PUSH, r#"{"id":9}"#).status, 200);
}

#[test]
fn a_version_that_is_not_kept_says_so() {
    let server = running();
    check_shape(&server.get(&format!("{QUERY}?q=SELECT+1&at_lsn=0")), "version_gone");
    check_shape(&server.get("/v1/workspaces/w/tables/t/rows/1?at_lsn=0"), "version_gone");
}

/// What cannot be provoked in seconds is provoked on its own, in `errors/from_engine/tests.rs` and elsewhere.
#[test]
fn no_code_is_forgotten() {
    let elsewhere = [
        // In this file.
        "sql_refused",
        "paused",
        "records_queued",
        "body_timeout",
        "body_incomplete",
        "body_too_large",
        "bodies_full",
        "too_many_connections",
        "no_space",
        "outcome_unknown",
        "read_only",
        "closing",
        "bad_columns",
        "workspace_over_budget",
        "version_gone",
        // In `command_line.rs`.
        "workspace_damaged",
        // In the engine's `parking.rs`: they take a disk that fails while it is read, or a slow one, or many rows.
        "workspace_not_opened",
        "workspace_opening",
        "server_over_budget",
        // Takes a thousand workspaces, ten million keys, thousands of clients, or half a minute.
        "too_many_workspaces",
        "idempotency_full",
        "paused_queue_full",
        "queue_full",
        "program_changing",
        "lsn_not_reached",
        "queries_full",
        "followers_full",
        "query_timeout",
        "query_memory",
        // Takes a second module.
        "object_in_use",
        // Takes a defect.
        "program_not_computable",
        "internal",
    ];
    let provoked = CASES.iter().map(|(code, _)| *code).chain(elsewhere).collect::<BTreeSet<_>>();
    let documented = CATALOGUE.iter().map(|condition| condition.code).collect::<BTreeSet<_>>();
    let forgotten = documented.difference(&provoked).collect::<Vec<_>>();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
