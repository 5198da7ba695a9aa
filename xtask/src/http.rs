use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends one request over a connection of its own; returns status and body.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
    let failed = |e: std::io::Error| format!("{method} {path} at {address}: {e}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| format!("{method} {path}: not an HTTP answer"))
}

/// As [`request`], but any status other than 2xx is an error.
pub(crate) fn expect_success(address: &str, method: &str, path: &str, body: &str) -> Result<String, String> {
    match request(address, method, path, body)? {
        (200..=299, answer) => Ok(answer),
        (status, answer) => Err(format!("{method} {path} answered {status}: {answer}")),
    }
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_string()))
}
