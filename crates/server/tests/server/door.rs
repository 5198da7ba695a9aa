//! What holds for every request, whatever its route.

use std::io::{Read, Write};
use std::time::Duration;

use crate::support::{TestServer, read_to_end};

#[test]
fn only_loopback_hosts_and_origins_pass() {
    let server = TestServer::start();
    let port = server.address.port();
    for host in ["localhost", "127.0.0.1", "[::1]", "localhost:1", "127.0.0.1:8080"] {
        assert_eq!(server.send("GET", "/v1/workspaces", &[("host", host)], "").status, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0"] {
        let refused = server.send("GET", "/v1/workspaces", &[("host", host)], "");
        assert_eq!((refused.status, refused.code().as_str()), (403, "host_not_allowed"), "{host}");
    }
    for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"] {
        assert_eq!(server.send("GET", "/v1/workspaces", &[("origin", origin)], "").status, 200, "{origin}");
    }
    for origin in ["null", "http://evil.example", "http://localhost.evil.example", "file://"] {
        let refused = server.send("GET", "/v1/workspaces", &[("origin", origin)], "");
        assert_eq!((refused.status, refused.code().as_str()), (403, "origin_not_allowed"), "{origin}");
    }
    let without = server.raw(b"GET /healthz HTTP/1.0\r\n\r\n");
    assert!(without.starts_with("HTTP/1.0 403") || without.starts_with("HTTP/1.1 403"), "{without}");
    let absolute = format!(
        "GET http://evil.example/healthz HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n"
    );
    assert!(server.raw(absolute.as_bytes()).contains("host_not_allowed"));
}

#[test]
fn a_request_id_goes_both_ways() {
    let server = TestServer::start();
    let given = server.send("GET", "/v1/workspaces/none", &[("x-request-id", "trace-7")], "");
    assert_eq!(
        (given.header("x-request-id"), given.json()["error"]["request_id"].as_str()),
        ("trace-7", Some("trace-7"))
    );
    let (a, b) = (server.get("/healthz"), server.get("/healthz"));
    assert_ne!(a.header("x-request-id"), b.header("x-request-id"));
}

#[test]
fn an_unknown_route_or_method_is_told_in_the_one_shape() {
    let server = TestServer::start();
    let slash = server.get("/v1/workspaces/");
    assert_eq!((slash.status, slash.code().as_str()), (404, "unknown_route"));
    assert!(slash.json()["error"]["hint"].as_str().unwrap().contains("slash"), "{}", slash.body);
    let method = server.send("PATCH", "/v1/workspaces", &[], "{}");
    assert_eq!((method.status, method.code().as_str()), (405, "method_not_allowed"));
    let allow = method.header("allow");
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}

#[test]
fn no_route_lets_an_unknown_parameter_pass() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    for route in headwater_server::routes::routes() {
        let path = route.path.replace("{workspace}", "w").replace("{table}", "t").replace("{key}", "1");
        let body = if route.path.ends_with("/clock") { r#"{"mode":"system"}"# } else { "" };
        let refused = server.send(route.method.as_str(), &format!("{path}?typo=1"), &[], body);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "unknown_parameter"),
            "{} {path}",
            route.method
        );
    }
}

#[test]
fn health_readiness_and_metrics_answer() {
    let server = TestServer::start();
    server.program("CREATE TABLE t (id BIGINT)");
    assert_eq!(server.get("/healthz").body, r#"{"status":"ok"}"#);
    assert_eq!(server.get("/readyz").body, r#"{"status":"ok"}"#);
    let metrics = server.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for line in [
        "headwater_workspace_lsn{workspace=\"w\"} 1",
        "headwater_workspace_takes_records{workspace=\"w\"} 1",
        "headwater_http_answers_total{method=\"PUT\",path=\"/v1/workspaces/{workspace}/program\",status=\"2xx\"} 1",
        "headwater_connections_open 1",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line} is not in\n{}", metrics.body);
    }
}

#[test]
fn workspaces_are_made_listed_and_deleted() {
    let server = TestServer::start();
    assert_eq!(server.post("/v1/workspaces", r#"{"name":"Küche 1"}"#).status, 201);
    assert_eq!(server.put("/v1/workspaces/K%C3%BCche%201", "").status, 200);
    assert_eq!(server.put("/v1/workspaces/other", "").status, 201);
    let names = |list: &serde_json::Value| {
        let workspaces = list["workspaces"].as_array().unwrap();
        workspaces.iter().map(|w| w["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&server.get("/v1/workspaces").json()), ["Küche 1", "other"]);
    assert_eq!(server.send("DELETE", "/v1/workspaces/other", &[], "").status, 204);
    assert_eq!(names(&server.get("/v1/workspaces").json()), ["Küche 1"]);
    assert_eq!(server.send("DELETE", "/v1/workspaces/other", &[], "").status, 404);
}

#[test]
fn http2_is_spoken() {
    let server = TestServer::start();
    let mut stream = server.connect();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "the first frame is not SETTINGS");
}

#[test]
fn stopping_answers_what_is_under_way_and_accepts_nothing_new() {
    let mut server = TestServer::start();
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    let mut under_way = server.connect();
    under_way
        .write_all(b"POST /v1/workspaces/w/tables/t HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\n")
        .unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answered = [0; 12];
    idle.read_exact(&mut answered).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.begin_stop();
    read_to_end(&mut idle);
    under_way.write_all(b"{\"id\":1}").unwrap();
    let answer = read_to_end(&mut under_way);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.stop();
    assert!(std::net::TcpStream::connect(server.address).is_err());
}
