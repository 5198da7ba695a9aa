//! The least of a client. Unlike most it never repeats a request by itself.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

/// Longer than any answer should take on a busy machine; without it a server that hangs would hang the test.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The connection was refused, or broke before the answer was read: what became of the request is not known.
#[derive(Debug)]
pub(crate) struct NoAnswer(String);

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header `x-headwater-lsn`.
    pub(crate) lsn: Option<u64>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A number in the answer.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.json()[name].as_u64().unwrap_or_else(|| panic!("no number {name:?} in {}", self.body))
    }

    /// The rows of a query, sorted.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = self.body.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    }

    pub(crate) fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

/// One client and its connections.
#[derive(Clone, Debug)]
pub(crate) struct Http(Agent);

impl Http {
    pub(crate) fn new() -> Http {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(1);
        Http(config.build().into())
    }

    pub(crate) fn send(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        idempotency_key: Option<&str>,
        body: &str,
    ) -> Result<Reply, NoAnswer> {
        let no_answer = |error: ureq::Error| NoAnswer(format!("{method} {path}: {error}"));
        let mut request = Request::builder().method(method).uri(format!("http://{to}{path}"));
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let sent = match method {
            "GET" | "DELETE" => self.0.run(request.body(()).unwrap()),
            _ => self.0.run(request.body(body).unwrap()),
        };
        let mut response = sent.map_err(no_answer)?;
        let lsn = response.headers().get("x-headwater-lsn").and_then(|lsn| lsn.to_str().ok()?.parse().ok());
        let body = response.body_mut().with_config().limit(1 << 30).read_to_string().map_err(no_answer)?;
        Ok(Reply { status: response.status().as_u16(), lsn, body })
    }

    pub(crate) fn get(&self, to: SocketAddr, path: &str) -> Result<Reply, NoAnswer> {
        self.send(to, "GET", path, None, "")
    }

    pub(crate) fn query(&self, to: SocketAddr, sql: &str) -> Result<Reply, NoAnswer> {
        self.send(to, "POST", "/v1/workspaces/w/query", None, sql)
    }
}
