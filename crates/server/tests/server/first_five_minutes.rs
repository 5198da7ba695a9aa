//! The examples that a newcomer types first, as typed.

use crate::support::TestServer;

/// What curl sends with `-d` and `--data-binary`.
const CURL: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded"), ("accept", "*/*")];

const PROGRAM: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
    CREATE MATERIALIZED VIEW spend AS SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;";

#[test]
fn the_first_examples_answer_as_written() {
    let server = TestServer::start();

    let set = server.send("PUT", "/v1/workspaces/shop/program", CURL, PROGRAM);
    assert_eq!(set.status, 200, "{}", set.body);

    let order = r#"{"id":1,"customer":"ada","amount":12.5,"at":"2026-11-22T10:00:00Z"}"#;
    let pushed = server.send("POST", "/v1/workspaces/shop/tables/orders", CURL, order);
    assert_eq!(
        (pushed.status, pushed.body.trim()),
        (200, r#"{"lsn":2,"received":1,"applied":1,"rejected":0}"#)
    );

    let rows = server.send("POST", "/v1/workspaces/shop/query", CURL, "SELECT * FROM spend");
    assert_eq!((rows.status, rows.body.trim()), (200, r#"{"customer":"ada","n":1,"total":12.5}"#));
    assert_eq!(rows.header("x-headwater-lsn"), "2");
}

#[test]
fn a_typo_in_sql_answers_with_place_caret_and_hint() {
    let server = TestServer::start();
    let refused = server
        .put("/v1/workspaces/shop/program", "CREATE TABLE t (a BIGINT);\nCREATE VIEW v AS SELECT b FROM t");
    assert_eq!(refused.status, 400, "{}", refused.body);
    let error = &refused.json()["error"];
    assert_eq!(
        (error["place"]["line"].as_u64(), error["place"]["column"].as_u64()),
        (Some(2), Some(25)),
        "{error}"
    );
    assert!(error["place"]["snippet"].as_str().unwrap().contains('^'), "{error}");
    assert!(error["hint"].is_string(), "{error}");
    assert_eq!(error["request_id"], refused.header("x-request-id"));
    assert_eq!(
        server.get("/v1/workspaces").json()["workspaces"].as_array().unwrap().len(),
        0,
        "it left a trace"
    );
}

#[test]
fn a_query_can_be_typed_into_a_browser() {
    let server = TestServer::start();
    server.program(PROGRAM);
    server.post("/v1/workspaces/w/tables/orders", r#"{"id":1,"customer":"ada","amount":12.5}"#);
    let found = server.get("/v1/workspaces/w/query?q=SELECT+customer%2C+at+FROM+orders&format=json");
    assert_eq!(
        found.body.trim(),
        "{\"lsn\":2,\"columns\":[{\"name\":\"customer\",\"type\":\"VARCHAR\"},{\"name\":\"at\",\"type\":\"TIMESTAMP\"}],\
         \"rows\":[{\"customer\":\"ada\",\"at\":null}]}"
    );
    assert_eq!(found.header("content-type"), "application/json");
}
