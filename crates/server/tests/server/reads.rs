//! Looking rows up, waiting for an LSN, and what tables and views there are.

use crate::support::TestServer;
use serde_json::json;

#[test]
fn a_row_is_found_by_its_key() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY, big BIGINT, d DECIMAL(20, 2))");
    server.post("/v1/workspaces/w/tables/t", r#"{"id":7,"big":9007199254740993,"d":123456789012345678.91}"#);
    let found = server.get("/v1/workspaces/w/tables/t/rows/7");
    assert_eq!(found.body, r#"{"lsn":2,"row":{"id":7,"big":9007199254740993,"d":123456789012345678.91}}"#);
    let absent = server.get("/v1/workspaces/w/tables/t/rows/8");
    assert_eq!((absent.status, absent.code().as_str()), (404, "row_not_found"));
    assert_eq!(absent.json()["lsn"], 2, "what is not there is not there at some LSN");
}

#[test]
fn a_composite_key_may_hold_commas_slashes_and_any_script() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (a VARCHAR, b DATE, n BIGINT, PRIMARY KEY (a, b))");
    server.post("/v1/workspaces/w/tables/t", r#"{"a":"x,/ é","b":"2026-11-22","n":1}"#);
    let by_path = server.get("/v1/workspaces/w/tables/t/rows/x%2C%2F%20%C3%A9,2026-11-22");
    let by_parameter = server.get("/v1/workspaces/w/tables/t/rows?key=x%2C%2F+%C3%A9&key=2026-11-22");
    for found in [by_path, by_parameter] {
        assert_eq!((found.status, &found.json()["row"]["n"]), (200, &json!(1)), "{}", found.body);
    }
}

#[test]
fn min_lsn_waits_for_a_push_that_is_still_to_come() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (a BIGINT)");
    let rows = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.post("/v1/workspaces/w/query?min_lsn=2", "SELECT a FROM t"));
        server.post("/v1/workspaces/w/tables/t", r#"{"a":1}"#);
        waiting.join().unwrap()
    });
    assert_eq!((rows.header("x-headwater-lsn"), rows.body.as_str()), ("2", "{\"a\":1}\n"));
}

#[test]
fn tables_and_views_are_listed_with_their_columns() {
    let server = TestServer::start();
    server.program(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, at TIMESTAMP NOT NULL);
         CREATE TABLE stream (a BIGINT) WITH ('materialized' = 'false');
         CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n FROM t;
         CREATE VIEW plain AS SELECT id FROM t;",
    );
    server.post("/v1/workspaces/w/tables/t", r#"{"id":1,"at":"2026-11-22T10:00:00Z"}"#);
    let tables = server.get("/v1/workspaces/w/tables").json();
    assert_eq!(tables["lsn"], 2);
    assert_eq!(tables["tables"][0]["primary_key"], json!(["id"]));
    assert_eq!(
        tables["tables"][0]["columns"][1],
        json!({"name": "at", "type": "TIMESTAMP", "nullable": false})
    );
    assert_eq!((&tables["tables"][0]["rows"], &tables["tables"][1]["rows"]), (&json!(1), &json!(null)));
    let views = server.get("/v1/workspaces/w/views").json();
    assert_eq!(
        (&views["views"][0]["materialized"], &views["views"][1]["materialized"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn a_plan_tells_what_setting_the_program_would_do() {
    let server = TestServer::start();
    server
        .program("CREATE TABLE kept (a BIGINT); CREATE TABLE gone (a BIGINT); CREATE TABLE other (a BIGINT)");
    server.post("/v1/workspaces/w/tables/gone", r#"{"a":1}"#);
    let next = "CREATE TABLE kept (a BIGINT); CREATE TABLE other (a VARCHAR); CREATE TABLE fresh (a BIGINT)";
    let plan = server.post("/v1/workspaces/w/plan", next).json();
    let change = |name: &str| {
        let changes = plan["changes"].as_array().unwrap();
        let change = changes.iter().find(|change| change["name"] == name).unwrap();
        (change["action"].as_str().unwrap().to_owned(), change["drops_data"].as_bool().unwrap())
    };
    assert_eq!(change("kept"), ("keep".to_owned(), false));
    assert_eq!(change("other"), ("replace".to_owned(), false));
    assert_eq!(change("fresh"), ("create".to_owned(), false));
    assert_eq!(change("gone"), ("drop".to_owned(), true));
    assert_eq!(plan["needs_drop_data"], true);
    let other = plan["changes"].as_array().unwrap().iter().find(|change| change["name"] == "other").unwrap();
    let reason = "column a changes from BIGINT to VARCHAR, which does not hold all its values";
    assert_eq!((&other["module"], &other["reason"]), (&json!("sql"), &json!(reason)));

    let refused = server.put("/v1/workspaces/w/program", next);
    assert_eq!((refused.status, refused.code().as_str()), (409, "drops_data"));
    assert_eq!(server.put("/v1/workspaces/w/program?drop_data=true", next).status, 200);
    assert_eq!(server.get("/v1/workspaces/w/program?format=text").body, next);
}

#[test]
fn a_table_gets_other_columns_and_keeps_its_rows() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR)");
    server.post("/v1/workspaces/w/tables/t", r#"{"id":1,"note":"x"}"#);
    let wider = "CREATE TABLE t (id BIGINT PRIMARY KEY, note VARCHAR, at TIMESTAMP, n INT DEFAULT 3)";
    let set = server.put("/v1/workspaces/w/program", wider).json();
    let reason = "column id is widened from INTEGER to BIGINT; column at is added; column n is added";
    let change =
        json!({"module":"sql","name":"t","kind":"table","action":"alter","reason":reason,"drops_data":false});
    assert_eq!(set["changes"], json!([change]));
    assert_eq!(server.rows("SELECT * FROM t"), [json!({"id":1,"note":"x","at":null,"n":3})]);

    let without = wider.replace(" note VARCHAR,", "");
    let refused = server.put("/v1/workspaces/w/program", &without);
    assert_eq!((refused.status, refused.code().as_str()), (409, "drops_data"));
    assert_eq!(server.put("/v1/workspaces/w/program?drop_data=true", &without).status, 200);
    assert_eq!(server.rows("SELECT * FROM t"), [json!({"id":1,"at":null,"n":3})]);
}

#[test]
fn the_clock_is_set_by_hand_and_never_goes_back() {
    let server = TestServer::start();
    server.put("/v1/workspaces/w", "");
    let clock = "/v1/workspaces/w/clock";
    assert_eq!(server.get(clock).json()["mode"], "system");
    let set = server.put(clock, r#"{"mode":"manual","now":"2999-01-01T00:00:00Z"}"#);
    assert_eq!(
        (&set.json()["mode"], &set.json()["now"]),
        (&json!("manual"), &json!("2999-01-01T00:00:00.000000Z"))
    );
    let back = server.put(clock, r#"{"mode":"manual","now":"2998-01-01T00:00:00Z"}"#);
    assert_eq!((back.status, back.code().as_str()), (400, "bad_clock"));
}

#[test]
fn a_large_answer_comes_whole() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (a BIGINT)");
    let rows = (0..20_000).map(|a| format!("{{\"a\":{a}}}\n")).collect::<String>();
    server.post("/v1/workspaces/w/tables/t", rows);
    let found = server.rows("SELECT a FROM t ORDER BY a");
    assert_eq!((found.len(), &found[19_999]["a"]), (20_000, &json!(19_999)));
    let document = server.post("/v1/workspaces/w/query?format=json", "SELECT a FROM t ORDER BY a").json();
    assert_eq!(document["rows"].as_array().unwrap().len(), 20_000);
}

#[test]
fn a_view_is_explained_as_a_tree_of_operators() {
    let server = TestServer::start();
    server.program(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, k VARCHAR); CREATE TABLE names (k VARCHAR PRIMARY KEY, name VARCHAR);
         CREATE MATERIALIZED VIEW counts AS SELECT name, COUNT(*) AS n FROM t JOIN names ON t.k = names.k GROUP BY name;
         CREATE VIEW plain AS SELECT id FROM t WHERE id > 5;",
    );
    server.post("/v1/workspaces/w/tables/t", r#"[{"id":1,"k":"a"},{"id":2,"k":"b"}]"#);
    let all = server.get("/v1/workspaces/w/explain").json();
    assert_eq!((&all["lsn"], all["views"].as_array().unwrap().len()), (&json!(2), 2));
    let one = server.get("/v1/workspaces/w/explain?view=counts").json();
    let view = &one["views"][0];
    assert_eq!(
        (&view["name"], &view["stateful"], &view["rows"]),
        (&json!("counts"), &json!(true), &json!(0))
    );
    let mut operators = Vec::new();
    collect_operators(&view["plan"], &mut operators);
    for expected in ["aggregate", "join", "scan t 2", "scan names 0"] {
        assert!(operators.iter().any(|operator| operator.starts_with(expected)), "{expected}: {operators:?}");
    }
}

fn collect_operators(plan: &serde_json::Value, found: &mut Vec<String>) {
    let (operator, detail) = (plan["operator"].as_str().unwrap(), plan["detail"].as_str().unwrap());
    found.push(format!("{operator} {detail} {}", plan["rows"]));
    plan["inputs"].as_array().unwrap().iter().for_each(|input| collect_operators(input, found));
}
