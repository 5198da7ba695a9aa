//! A client of a change stream that keeps every line it got whole, and where to go on.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::chunks::Chunks;

/// Longer than any line should take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The lines of a stream so far, over as many connections as it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// All but heartbeats, as they came.
    pub(crate) lines: Vec<String>,
    /// Behind the last of them.
    pub(crate) cursor: Option<String>,
    /// The LSN of the last line or heartbeat.
    pub(crate) lsn: u64,
    /// Connections that gave lines.
    pub(crate) connections: u64,
}

impl Lines {
    /// Begins behind everything there is.
    pub(crate) fn from_now(to: SocketAddr, relations: &str) -> Lines {
        let mut lines = Lines::default();
        let mut stream = Stream::open(to, relations, None, "&heartbeat_ms=50").expect("the server is there");
        lines.take(&stream.line().expect("a heartbeat comes"));
        lines
    }

    /// Begins where another one did.
    pub(crate) fn at(&self) -> Lines {
        Lines { cursor: self.cursor.clone(), lsn: self.lsn, ..Lines::default() }
    }

    /// Reads on over one connection until it breaks, or until `is_enough`.
    pub(crate) fn read(&mut self, to: SocketAddr, relations: &str, is_enough: impl Fn(&Lines) -> bool) {
        let Some(mut stream) = Stream::open(to, relations, self.cursor.as_deref(), "&heartbeat_ms=50") else {
            return;
        };
        self.connections += 1;
        while !is_enough(self) {
            let Some(line) = stream.line() else { return };
            self.take(&line);
        }
    }

    /// Reads all up to an LSN over one connection that nothing disturbs.
    pub(crate) fn read_until(&mut self, to: SocketAddr, relations: &str, lsn: u64) {
        let bound = format!("&until_lsn={lsn}");
        let mut stream =
            Stream::open(to, relations, self.cursor.as_deref(), &bound).expect("the server is there");
        while let Some(line) = stream.line() {
            self.take(&line);
        }
        assert_eq!(self.lsn, lsn, "the stream ended early");
    }

    fn take(&mut self, line: &str) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.cursor =
            Some(value["cursor"].as_str().unwrap_or_else(|| panic!("no cursor: {line}")).to_owned());
        self.lsn = value["lsn"].as_u64().unwrap();
        if value.get("heartbeat").is_none() {
            self.lines.push(line.to_owned());
        }
    }

    /// The same lines, or where they differ first.
    pub(crate) fn assert_equal(&self, other: &Lines) {
        let differ = self.lines.iter().zip(&other.lines).position(|(a, b)| a != b);
        if let Some(at) = differ {
            panic!("line {at} is\n{}\nand not\n{}", self.lines[at], other.lines[at]);
        }
        assert_eq!(self.lines.len(), other.lines.len());
    }
}

/// One connection.
pub(crate) struct Stream(BufReader<Chunks>);

impl Stream {
    /// `None` if nobody listens, or the server dies before it answers.
    pub(crate) fn open(to: SocketAddr, relations: &str, cursor: Option<&str>, more: &str) -> Option<Stream> {
        let from = cursor.map_or_else(|| "from=now".to_owned(), |cursor| format!("cursor={cursor}"));
        let path = format!("/v1/workspaces/w/changes?relations={relations}&cursors=true&{from}{more}");
        let mut socket = TcpStream::connect(to).ok()?;
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").ok()?;
        let mut reader = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        Some(Stream(BufReader::new(Chunks::behind_head(reader))))
    }

    /// The next whole line; `None` when the connection has ended, in whatever way.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        line.strip_suffix('\n').map(str::to_owned)
    }
}
