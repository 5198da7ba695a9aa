//! The forms that records may come in, and what a push answers.

use crate::support::{TestServer, gzip};
use serde_json::json;

const KEYED: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR, n BIGINT)";
const PUSH: &str = "/v1/workspaces/w/tables/t";

fn keyed() -> TestServer {
    let server = TestServer::start();
    server.program(KEYED);
    server
}

#[test]
fn one_object_an_array_ndjson_and_csv_mean_the_same() {
    let server = keyed();
    let forms: &[(&str, &str)] = &[
        ("application/json", r#"{"id":1,"name":"a","n":7}"#),
        ("text/plain", r#"[{"id":2,"name":"a","n":7},{"id":3,"name":"a","n":7}]"#),
        ("application/x-ndjson", "{\"id\":4,\"name\":\"a\",\"n\":7}\n{\"id\":5,\"name\":\"a\",\"n\":7}\n"),
        ("text/csv; charset=utf-8", "id,name,n\n6,a,7\n7,a,7\n"),
    ];
    for (content_type, body) in forms {
        let pushed = server.send("POST", PUSH, &[("content-type", content_type)], body);
        assert_eq!(pushed.status, 200, "{content_type}: {}", pushed.body);
    }
    let counted = server.rows("SELECT COUNT(*) AS c, MIN(id) AS a, MAX(id) AS b, SUM(n) AS s FROM t");
    assert_eq!(counted, [json!({"c": 7, "a": 1, "b": 7, "s": 49})]);
}

#[test]
fn gzip_is_taken_and_format_overrides_the_content_type() {
    let server = keyed();
    let pushed =
        server.send("POST", &format!("{PUSH}?format=csv"), &[("content-encoding", "gzip")], gzip(b"id\n1\n"));
    assert_eq!(pushed.json(), json!({"lsn": 2, "received": 1, "applied": 1, "rejected": 0}));
}

#[test]
fn upsert_patch_and_delete_go_by_key() {
    let server = keyed();
    server.post(PUSH, r#"[{"id":1,"name":"a","n":1},{"id":2,"name":"b","n":2}]"#);
    server.post(&format!("{PUSH}?op=upsert"), r#"{"id":1,"name":"A"}"#);
    server.post(&format!("{PUSH}?op=patch"), r#"{"id":2,"n":20}"#);
    server.post(&format!("{PUSH}?op=patch&if_absent=insert"), r#"{"id":3,"n":30}"#);
    server.post(&format!("{PUSH}?op=delete"), r#"{"id":1}"#);
    let rows = server.rows("SELECT id, name, n FROM t ORDER BY id");
    assert_eq!(rows, [json!({"id": 2, "name": "b", "n": 20}), json!({"id": 3, "name": null, "n": 30})]);
}

#[test]
fn several_tables_take_one_atomic_request() {
    let server = TestServer::start();
    server.program("CREATE TABLE a (id BIGINT PRIMARY KEY); CREATE TABLE b (id BIGINT PRIMARY KEY)");
    let mixed = r#"[{"table":"a","row":{"id":1}},{"table":"b","op":"upsert","row":{"id":2}}]"#;
    let pushed = server.post("/v1/workspaces/w/push", mixed);
    assert_eq!(pushed.json(), json!({"lsn": 2, "received": 2, "applied": 2, "rejected": 0}));

    let bad = server
        .post("/v1/workspaces/w/push", r#"[{"table":"a","row":{"id":3}},{"table":"b","row":{"id":"x"}}]"#);
    assert_eq!((bad.status, bad.code().as_str()), (400, "records_refused"));
    assert_eq!(
        server.rows("SELECT COUNT(*) AS n FROM a"),
        [json!({"n": 1})],
        "half of the request was taken"
    );
}

#[test]
fn skip_takes_the_good_and_lists_the_bad() {
    let server = keyed();
    let pushed =
        server.post(&format!("{PUSH}?on_error=skip"), r#"[{"id":1},{"id":"x"},{"name":"no key"},{"id":2}]"#);
    let answer = pushed.json();
    assert_eq!(
        (&answer["received"], &answer["applied"], &answer["rejected"]),
        (&json!(4), &json!(2), &json!(2))
    );
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(
        (&errors[0]["index"], &errors[0]["code"], &errors[0]["column"]),
        (&json!(1), &json!("type_mismatch"), &json!("id"))
    );
    assert_eq!((&errors[1]["index"], &errors[1]["code"]), (&json!(2), &json!("key_missing")));
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM quarantine"), [json!({"n": 2})]);
}

#[test]
fn the_same_request_under_the_same_key_is_answered_again_and_not_taken_again() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (a BIGINT)");
    let key = [("idempotency-key", "order-1")];
    let first = server.send("POST", PUSH, &key, r#"{"a":1}"#);
    let second = server.send("POST", PUSH, &key, r#"{"a":1}"#);
    assert_eq!(first.json(), json!({"lsn": 2, "received": 1, "applied": 1, "rejected": 0}));
    assert_eq!(
        second.json(),
        json!({"lsn": 2, "received": 1, "applied": 1, "rejected": 0, "duplicate": true})
    );
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 1})]);
}

#[test]
fn a_paused_workspace_queues_what_asks_for_it() {
    let server = keyed();
    assert_eq!(server.post("/v1/workspaces/w/pause", "").json()["condition"], "paused");
    let queued = server.post(&format!("{PUSH}?if_paused=queue"), r#"{"id":1}"#).json();
    assert_eq!(
        (&queued["queued"], &queued["applied"], &queued["pending"]),
        (&json!(true), &json!(0), &json!(1))
    );
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 0})]);
    assert_eq!(server.post("/v1/workspaces/w/resume", "").json()["condition"], "running");
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 1})]);
}

#[test]
fn counts_reconcile_per_endpoint() {
    let server = keyed();
    server.send("POST", PUSH, &[("idempotency-key", "k")], r#"[{"id":1},{"id":2}]"#);
    server.send("POST", PUSH, &[("idempotency-key", "k")], r#"[{"id":1},{"id":2}]"#);
    server.post(&format!("{PUSH}?on_error=skip"), r#"[{"id":3},{"id":"x"}]"#);
    server.post("/v1/workspaces/w/push", r#"{"table":"t","row":{"id":4}}"#);
    // Duplicates are counted with the next step's record.
    let status = server.get("/v1/workspaces/w").json();
    let table = &status["endpoints"]["tables/t"];
    assert_eq!(*table, json!({"received": 6, "applied": 3, "rejected": 1, "duplicate": 2, "pending": 0}));
    assert_eq!(status["endpoints"]["push"]["applied"], 1);
    let metrics = server.get("/metrics").body;
    let line = "headwater_records{workspace=\"w\",endpoint=\"tables/t\",outcome=\"applied\"} 3";
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn rows_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(folder.path(), Default::default());
    server.program(KEYED);
    server.post(PUSH, r#"{"id":1,"name":"a"}"#);
    drop(server);
    let server = TestServer::start_in(folder.path(), Default::default());
    assert_eq!(server.rows("SELECT id, name FROM t"), [json!({"id": 1, "name": "a"})]);
}
