//! Clients that mean harm, or are broken: each is answered or cut off, and the server goes on.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{TestServer, gzip, read_to_end, short};
use serde_json::json;

const PUSH: &str = "/v1/workspaces/w/tables/t";

fn server() -> TestServer {
    let server = TestServer::start_with(short());
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
    server
}

/// The server still takes and gives.
fn is_well(server: &TestServer) {
    assert_eq!(server.post(PUSH, r#"{"id":1,"name":"well"}"#).status, 200);
    assert_eq!(server.rows("SELECT name FROM t"), [json!({"name": "well"})]);
}

#[test]
fn a_gzip_bomb_is_stopped_early() {
    let server = server();
    let bomb = gzip(&vec![b' '; 256 << 20]);
    let started = Instant::now();
    let refused = server.send("POST", PUSH, &[("content-encoding", "gzip")], &bomb);
    assert_eq!((refused.status, refused.code().as_str()), (400, "body_too_dense"));
    assert!(started.elapsed() < Duration::from_secs(5), "it was decompressed whole");
    is_well(&server);
}

#[test]
fn deep_json_is_one_bad_record() {
    let server = server();
    for body in
        ["[".repeat(1_000_000), "{\"id\":".repeat(1_000_000), format!("{{\"id\":{}1", "[".repeat(500_000))]
    {
        let refused = server.post(PUSH, body);
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    is_well(&server);
}

#[test]
fn a_million_keys_in_one_object_are_refused() {
    let server = server();
    let fields = (0..1_000_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    let refused = server.post(PUSH, format!("{{{fields}}}"));
    assert_eq!(refused.status, 400);
    assert!(refused.body.len() < 100_000, "the answer has {} bytes", refused.body.len());
    is_well(&server);
}

#[test]
fn a_head_that_comes_slowly_is_cut_off() {
    let server = server();
    for start in [&b""[..], b"P", b"PRI * HT", b"POST /v1/workspaces HTTP/1.1\r\nhost: local"] {
        let started = Instant::now();
        let mut stream = server.connect();
        stream.write_all(start).unwrap();
        let answer = read_to_end(&mut stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(started.elapsed() < Duration::from_secs(5), "it was kept for {:?}", started.elapsed());
    }
    is_well(&server);
}

#[test]
fn a_body_that_trickles_is_cut_off_in_time() {
    let server = server();
    let started = Instant::now();
    let mut stream = server.connect();
    stream
        .write_all(
            format!("POST {PUSH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n").as_bytes(),
        )
        .unwrap();
    // Each byte comes before the idle time-out, all of them would take far longer than the whole body may.
    for _ in 0..100 {
        if stream.write_all(b" ").is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let took = started.elapsed();
    let answer = read_to_end(&mut stream);
    assert!(answer.is_empty() || answer.contains("body_timeout"), "{answer}");
    assert!(took < Duration::from_secs(9), "it was read for {took:?}");
    is_well(&server);
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let server = server();
    server.post(PUSH, format!("{{\"id\":1,\"name\":\"{}\"}}", "x".repeat(100_000)));
    let query = "SELECT t.name FROM t CROSS JOIN (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) AS a(n) \
                 CROSS JOIN (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15),(16)) AS b(n)";
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/workspaces/w/query HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        query.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(query.as_bytes()).unwrap();
    let open = || server.app.counters.connections_open();
    let deadline = Instant::now() + Duration::from_secs(10);
    std::thread::sleep(Duration::from_millis(200));
    while open() > 1 {
        assert!(Instant::now() < deadline, "the connection is still open");
        std::thread::sleep(Duration::from_millis(50));
    }
    is_well_after_large_row(&server);
}

fn is_well_after_large_row(server: &TestServer) {
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 1})]);
}

#[test]
fn an_oversized_head_is_refused() {
    let server = server();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-fill: {}\r\n\r\n", "x".repeat(100_000));
    let answer = server.raw(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    is_well(&server);
}

#[test]
fn a_wrong_content_length_never_becomes_a_second_request() {
    let server = server();
    // The surplus of a body that is longer than it says stands where the next head should.
    let longer = server.raw(
        format!("POST {PUSH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\n{{\"id\":5}}{{\"id\":6}}\r\n\r\n").as_bytes(),
    );
    assert_eq!(longer.matches("HTTP/1.1 200").count(), 1, "{longer}");
    assert!(longer.contains("HTTP/1.1 400"), "{longer}");
    let two_lengths = server.raw(
        format!("POST {PUSH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\ncontent-length: 9\r\n\r\n{{\"id\":7}} ").as_bytes(),
    );
    assert!(two_lengths.starts_with("HTTP/1.1 400"), "{two_lengths}");
    assert_eq!(server.rows("SELECT id FROM t"), [json!({"id": 5})]);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_body_leaves_nothing() {
    let server = server();
    let mut stream = server.connect();
    stream
        .write_all(
            format!("POST {PUSH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{{\"id\":1}}\n")
                .as_bytes(),
        )
        .unwrap();
    drop(stream);
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 0})]);
    is_well(&server);
}

#[test]
fn sql_bombs_are_refused() {
    let server = server();
    let deep = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let wide = format!("SELECT 1 {}", "+ 1 ".repeat(200_000));
    let columns = format!(
        "CREATE TABLE c ({} BIGINT)",
        (0..5_000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(" BIGINT, ")
    );
    for text in [deep, wide] {
        let refused = server.post("/v1/workspaces/w/query", text);
        assert!((400..500).contains(&refused.status), "{} {}", refused.status, refused.body);
    }
    assert_eq!(server.put("/v1/workspaces/w/program", columns).status, 400);
    is_well(&server);
}
