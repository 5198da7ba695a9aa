//! Changes over HTTP: as lines and as server-sent events, taken up again by cursor, ended by either side.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use headwater_server::app::Bounds;
use serde_json::{Value, json};

use crate::chunks::Chunks;
use crate::support::{TestServer, short};

const PROGRAM: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
    CREATE TABLE log (a BIGINT);
    CREATE MATERIALIZED VIEW spend AS SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
    CREATE VIEW plain AS SELECT id FROM orders;";

/// A stream as a client reads it, line by line.
pub(crate) struct Stream(BufReader<Chunks>);

impl Stream {
    pub(crate) fn open(server: &TestServer, path: &str, headers: &str) -> Stream {
        let mut socket: TcpStream = server.connect();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").unwrap();
        let mut reader = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Stream(BufReader::new(Chunks::behind_head(reader)))
    }

    /// The next line without its end; `None` when the server has ended the stream.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix('\n').map(str::to_owned)
    }

    /// The next line that is no heartbeat.
    fn change(&mut self) -> String {
        loop {
            let line = self.line().expect("the stream goes on");
            if !line.contains("\"heartbeat\":true") {
                return line;
            }
        }
    }

    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }
}

fn order(server: &TestServer, id: i64, amount: f64) {
    let body = format!(r#"{{"id":{id},"customer":"ada","amount":{amount},"at":"2026-11-22T10:00:00Z"}}"#);
    assert_eq!(server.post("/v1/workspaces/w/tables/orders", body).status, 200);
}

fn cursor_of(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    line["cursor"].as_str().unwrap_or_else(|| panic!("no cursor in {line}")).to_owned()
}

#[test]
fn the_first_example_of_a_stream_answers_as_written() {
    let server = TestServer::start();
    server.program(PROGRAM);
    order(&server, 1, 12.5);
    let mut stream = Stream::open(&server, "/v1/workspaces/w/changes/spend?from=snapshot", "accept: */*\r\n");
    assert_eq!(stream.line().unwrap(), r#"{"lsn":2,"insert":{"customer":"ada","n":1,"total":12.5}}"#);
    order(&server, 2, 7.5);
    assert_eq!(stream.line().unwrap(), r#"{"lsn":3,"delete":{"customer":"ada","n":1,"total":12.5}}"#);
    assert_eq!(stream.line().unwrap(), r#"{"lsn":3,"insert":{"customer":"ada","n":2,"total":20.0}}"#);
}

#[test]
fn several_relations_in_one_stream_are_named_in_each_line() {
    let server = TestServer::start();
    server.program(PROGRAM);
    let mut some = Stream::open(&server, "/v1/workspaces/w/changes?relations=log,spend", "");
    let mut all = Stream::open(&server, "/v1/workspaces/w/changes?limit=3", "");
    order(&server, 1, 1.0);
    server.post("/v1/workspaces/w/tables/log", r#"{"a":7}"#);
    let spend = r#"{"lsn":2,"relation":"spend","insert":{"customer":"ada","n":1,"total":1.0}}"#;
    let log = r#"{"lsn":3,"relation":"log","insert":{"a":7}}"#;
    assert_eq!([some.line().unwrap(), some.line().unwrap()], [spend, log]);
    let rest = all.rest();
    assert_eq!(rest.len(), 3, "{rest:?}");
    assert!(rest[0].starts_with(r#"{"lsn":2,"relation":"orders","insert":{"id":1,"#));
    assert_eq!(rest[1..], [spend, log]);
}

#[test]
fn a_stream_is_taken_up_again_behind_any_line() {
    let server = TestServer::start();
    server.program(PROGRAM);
    let path = "/v1/workspaces/w/changes?relations=orders,spend&cursors=true";
    let start = Stream::open(&server, path, "").line().unwrap();
    for id in 0..30 {
        order(&server, id, 0.5);
    }
    let bounded = |cursor: &str| format!("{path}&until_lsn=31&cursor={cursor}");
    let all = Stream::open(&server, &bounded(&cursor_of(&start)), "").rest();
    assert_eq!(all.len(), 30 + 59 + 1, "orders, deletes and inserts of spend, and the cursor at the end");
    for line in (0..all.len() - 1).step_by(7) {
        let rest = Stream::open(&server, &bounded(&cursor_of(&all[line])), "").rest();
        assert_eq!(rest, all[line + 1..], "behind line {line}");
    }
}

#[test]
fn heartbeats_come_while_nothing_changes_and_the_line_after_one_has_a_cursor() {
    let server = TestServer::start();
    server.program(PROGRAM);
    let mut stream = Stream::open(&server, "/v1/workspaces/w/changes/log?heartbeat_ms=50", "");
    let beat: Value = serde_json::from_str(&stream.line().unwrap()).unwrap();
    assert_eq!((&beat["lsn"], &beat["heartbeat"]), (&json!(1), &json!(true)));
    server.post("/v1/workspaces/w/tables/log", r#"[{"a":1},{"a":2}]"#);
    let (first, second) = (stream.change(), stream.change());
    cursor_of(&first);
    assert_eq!(second, r#"{"lsn":2,"insert":{"a":2}}"#);
}

#[test]
fn a_browser_gets_events_with_ids_and_comes_back_with_the_last_one() {
    let server = TestServer::start();
    server.program(PROGRAM);
    server.post("/v1/workspaces/w/tables/log", r#"{"a":1}"#);
    let path = "/v1/workspaces/w/changes/log?from=snapshot";
    let accept = "accept: text/event-stream\r\norigin: http://localhost:8080\r\n";
    let mut events = Stream::open(&server, path, accept);
    server.post("/v1/workspaces/w/tables/log", r#"[{"a":2},{"a":3}]"#);
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line: &String| !line.contains(r#"{"a":3}"#)) {
        lines.push(events.line().unwrap());
    }
    assert!(lines.contains(&"retry: 1000".to_owned()) && lines.contains(&"event: heartbeat".to_owned()));
    assert!(lines.contains(&r#"data: {"lsn":2,"insert":{"a":1}}"#.to_owned()), "{lines:?}");
    let ids: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids.len(), 3, "the end of the snapshot and two changes: {lines:?}");
    let back = format!("{accept}last-event-id: {}\r\n", ids[1]);
    let mut again = Stream::open(&server, &format!("{path}&until_lsn=3"), &back);
    let again = again.rest().into_iter().filter(|line| line.contains("insert")).collect::<Vec<_>>();
    assert_eq!(again, [r#"data: {"lsn":3,"insert":{"a":3}}"#]);
}

#[test]
fn a_changed_view_is_reset_with_its_columns_and_a_dropped_one_ends() {
    let server = TestServer::start();
    server.program(PROGRAM);
    order(&server, 1, 2.5);
    let mut spend = Stream::open(&server, "/v1/workspaces/w/changes/spend", "");
    server.program(&PROGRAM.replace("SUM(amount) AS total", "MAX(amount) AS most"));
    let reset: Value = serde_json::from_str(&spend.line().unwrap()).unwrap();
    assert_eq!(reset["reset"]["reason"], "changed");
    assert_eq!(reset["reset"]["columns"][2], json!({"name": "most", "type": "DOUBLE", "nullable": true}));
    assert_eq!(spend.line().unwrap(), r#"{"lsn":3,"insert":{"customer":"ada","n":1,"most":2.5}}"#);
    server.program(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
                    CREATE TABLE log (a BIGINT);",
    );
    assert_eq!(spend.rest(), [r#"{"lsn":4,"end":true}"#]);
}

#[test]
fn what_cannot_be_followed_is_told_with_a_way_out() {
    let server = TestServer::start();
    server.program(PROGRAM);
    let refused = |path: &str| {
        let reply = server.get(&format!("/v1/workspaces/w/{path}"));
        let hint = reply.json()["error"]["hint"].as_str().unwrap_or_default().to_owned();
        (reply.status, reply.code(), hint)
    };
    let (status, code, hint) = refused("changes/nope");
    assert_eq!(
        (status, code.as_str(), hint.as_str()),
        (404, "unknown_relation", "there are: orders, log, spend")
    );
    assert_eq!(refused("changes/plain").1, "not_materialized");
    assert_eq!(refused("changes/log?cursor=7").1, "bad_cursor");
    let (status, code, hint) = refused("changes/log?cursor=0000000000000000-1.0.0");
    assert_eq!((status, code.as_str()), (410, "cursor_gone"));
    assert!(hint.ends_with("GET /v1/workspaces/w/changes/log?from=snapshot"), "{hint}");
    let (_, _, hint) = refused("changes?relations=log,spend&cursor=0000000000000000-1.0.0");
    assert!(hint.ends_with("GET /v1/workspaces/w/changes?relations=log,spend&from=snapshot"), "{hint}");
    for wrong in
        ["from=then", "heartbeat_ms=1", "limit=0", "from=now&cursor=0000000000000000-1.0.0", "cursors=1"]
    {
        assert_eq!(refused(&format!("changes/log?{wrong}")).1, "bad_parameter", "{wrong}");
    }
}

#[test]
fn streams_beyond_the_limit_are_refused_and_places_come_back() {
    let server = TestServer::start_with(Bounds { followers_max: 1, ..Bounds::default() });
    server.program(PROGRAM);
    let path = "/v1/workspaces/w/changes/log?heartbeat_ms=50";
    let mut first = Stream::open(&server, path, "");
    first.line();
    let refused = server.get(path);
    assert_eq!((refused.status, refused.code().as_str()), (429, "followers_full"));
    drop(first);
    // The place comes back when a heartbeat finds nobody.
    while server.app.followers.available_permits() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stop_ends_streams_with_a_cursor_and_without_waiting() {
    let mut server = TestServer::start();
    server.program(PROGRAM);
    let mut stream = Stream::open(&server, "/v1/workspaces/w/changes/log?cursors=true", "");
    server.post("/v1/workspaces/w/tables/log", r#"{"a":1}"#);
    let line = stream.change();
    server.stop();
    let rest = stream.rest();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(cursor_of(&rest[0]), cursor_of(&line));
}

#[test]
fn a_client_that_does_not_read_is_cut_off_and_hurts_nobody() {
    let server = TestServer::start_with(short());
    server.program("CREATE TABLE t (text VARCHAR)");
    let stream = Stream::open(&server, "/v1/workspaces/w/changes/t?heartbeat_ms=50", "");
    let row = format!("{{\"text\":\"{}\"}}\n", "x".repeat(1_000));
    for _ in 0..40 {
        assert_eq!(server.post("/v1/workspaces/w/tables/t", row.repeat(1_000)).status, 200);
    }
    while server.app.followers.available_permits() < server.app.bounds.followers_max {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stream);
}
