use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::process::{Folder, HEADWATER, Hooks};

const CLIENTS: usize = 6;

#[test]
fn sigterm_answers_what_is_under_way_and_the_next_start_is_clean() {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    server.program("w", "CREATE TABLE t (a BIGINT NOT NULL);");
    let body = "{\"a\":7}\n".repeat(2_000);
    let (first, rest) = body.split_at(body.len() / 2);
    let mut streams: Vec<TcpStream> =
        (0..CLIENTS).map(|_| half_a_request(server.address, body.len(), first)).collect();
    // All of them are under way once the server has read their first halves.
    let held = || {
        server.get("/metrics").body.lines().any(|line| {
            line.strip_prefix("headwater_body_bytes_held ")
                .is_some_and(|bytes| bytes.parse::<usize>().unwrap() >= CLIENTS * first.len())
        })
    };
    while !held() {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.begin_stop();
    while TcpStream::connect(server.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for stream in &mut streams {
        stream.write_all(rest.as_bytes()).unwrap();
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"applied\":2000"), "{answer}");
    }
    let mut server = server;
    let status = server.ends_within(Duration::from_secs(60)).expect("the server ends once all is answered");
    assert_eq!(status.code(), Some(0));

    let server = folder.start(&Hooks::default());
    let rows = CLIENTS * 2_000;
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [format!(r#"{{"n":{rows}}}"#)]);
    assert!(!folder.log().contains("torn"), "{}", folder.log());
    assert_eq!(server.stop(), Some(0));
}

fn half_a_request(to: std::net::SocketAddr, bytes: usize, first: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head =
        format!("POST /v1/workspaces/w/tables/t HTTP/1.1\r\nhost: {to}\r\ncontent-length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    stream
}

#[test]
fn a_port_in_use_and_a_locked_folder_end_a_start_with_exit_code_1_and_the_next_command() {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    let (port_used, said) = refused(&server.address.to_string(), &folder.data().with_extension("other"));
    assert_eq!(port_used, Some(1));
    assert!(said.contains("is in use") && said.contains("headwater serve --listen"), "{said}");
    let (locked, said) = refused("127.0.0.1:0", folder.data());
    assert_eq!(locked, Some(1));
    assert!(said.contains("in use by another process") && said.contains("--data-dir DIR"), "{said}");
    assert_eq!(server.get("/readyz").status, 200, "the first server never notices");
}

fn refused(listen: &str, data: &std::path::Path) -> (Option<i32>, String) {
    let output =
        Command::new(HEADWATER).args(["serve", "--listen", listen, "--data-dir"]).arg(data).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
