use std::time::Duration;

use sonic_rs::{JsonValueTrait, Value};
use ureq::http::Response;
use ureq::{Agent, Body, RequestExt as _};

const WORKSPACE: &str = "/v1/workspaces/flights";
const TIMEOUT: Duration = Duration::from_secs(120);
/// More than any answer that the demo asks for.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    /// No answer came.
    #[error("{request}: {source}")]
    Unreachable {
        /// Method and path.
        request: String,
        /// What went wrong on the way.
        source: Box<ureq::Error>,
    },
    /// The answer was not 2xx.
    #[error("{request} answered {status}: {answer}")]
    Refused {
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The body.
        answer: String,
    },
    /// The answer cannot be read.
    #[error("{request}: the answer is not what was expected: {answer}")]
    Unexpected {
        /// Method and path.
        request: String,
        /// The body, or a part of it.
        answer: String,
    },
}

/// One connection, kept alive.
pub(super) struct Client {
    agent: Agent,
    address: String,
}

impl Client {
    /// Connects at the first request.
    pub(super) fn new(address: &str) -> Client {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        Client { agent: config.build().into(), address: address.to_string() }
    }

    /// A further connection to the same server.
    pub(super) fn another(&self) -> Client {
        Client::new(&self.address)
    }

    /// Sets the program of the workspace.
    pub(super) fn set_program(&self, text: &str) -> Result<(), DemoError> {
        let path = format!("{WORKSPACE}/program");
        self.send("PUT", &path, &[], text.as_bytes()).map(drop)
    }

    /// Pushes a gzip CSV file to a table, as it is.
    pub(super) fn push_csv_gz(&self, table: &str, gzip: &[u8]) -> Result<(), DemoError> {
        let path = format!("{WORKSPACE}/tables/{table}");
        self.send("POST", &path, &[("content-type", "text/csv"), ("content-encoding", "gzip")], gzip)
            .map(drop)
    }

    /// Pushes records for several tables in one atomic request.
    pub(super) fn push_mixed(&self, records: &[u8]) -> Result<(), DemoError> {
        let path = format!("{WORKSPACE}/push");
        self.send("POST", &path, &[("content-type", "application/x-ndjson")], records).map(drop)
    }

    /// An integer of the row of `flights` with this key.
    pub(super) fn flight_integer(&self, key: [&str; 4], column: &str) -> Result<Option<i64>, DemoError> {
        let path = format!("{WORKSPACE}/tables/flights/rows/{}", key.join(","));
        let answer = parse("GET", &path, &self.send("GET", &path, &[], b"")?)?;
        Ok(answer.get("row").and_then(|row| integer(row, column)))
    }

    /// The rows of a query.
    pub(super) fn query(&self, sql: &str) -> Result<Vec<Value>, DemoError> {
        let path = format!("{WORKSPACE}/query");
        let answer = self.send("POST", &path, &[("accept", "application/x-ndjson")], sql.as_bytes())?;
        answer.lines().map(|line| parse("POST", &path, line)).collect()
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<String, DemoError> {
        let request = || format!("{method} {path}");
        let unreachable =
            |source: ureq::Error| DemoError::Unreachable { request: request(), source: Box::new(source) };
        let mut builder =
            ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let built = builder.body(body).map_err(|e| unreachable(e.into()))?;
        let mut response: Response<Body> = built.with_agent(&self.agent).run().map_err(unreachable)?;
        let reading = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true);
        let answer = reading.read_to_string().map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            Ok(answer)
        } else {
            Err(DemoError::Refused { request: request(), status: status.as_u16(), answer })
        }
    }
}

/// An integer column of a row.
pub(super) fn integer(row: &Value, column: &str) -> Option<i64> {
    row.get(column)?.as_i64()
}

fn parse(method: &str, path: &str, text: &str) -> Result<Value, DemoError> {
    sonic_rs::from_str(text).map_err(|_| DemoError::Unexpected {
        request: format!("{method} {path}"),
        answer: text.chars().take(200).collect(),
    })
}
