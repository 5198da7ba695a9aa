use std::io::Read;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request};

use super::ServerArgs;
use super::error::CliError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Time for one connection of a stream, after which another one goes on: so that one which is dead ends at last.
const STREAM_TIMEOUT: Duration = Duration::from_secs(600);
/// More than any answer of the server.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// What a part of a path may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    url: String,
}

/// What a server said.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Seconds to wait before asking again, if the server said so.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: String,
}

/// An answer whose body is read as it comes.
pub struct OpenReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: ureq::BodyReader<'static>,
}

impl OpenReply {
    /// The whole answer.
    #[must_use]
    pub fn into_reply(mut self) -> Reply {
        let mut body = String::new();
        // What cannot be read is not shown.
        let _ = self.body.read_to_string(&mut body);
        Reply { status: self.status, retry_after_s: None, body }
    }
}

impl Client {
    /// Connects at the first request.
    pub fn new(url: &str) -> Result<Client, CliError> {
        let url = url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") {
            let error = CliError::new(format!("{url:?} is not a server"));
            return Err(error.hint("give a URL like http://127.0.0.1:8080, as --url or HEADWATER_URL"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT));
        Ok(Client { agent: config.build().into(), url })
    }

    /// Sends one request, once.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body)?)?;
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after_s = retry_after.and_then(|seconds| seconds.parse().ok());
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        Ok(Reply { status: response.status().as_u16(), retry_after_s, body })
    }

    /// Asks for an answer that does not end. A connection that is silent for long is given up.
    pub fn open(&self, path: &str) -> Result<OpenReply, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.config().timeout_global(None).timeout_recv_body(Some(STREAM_TIMEOUT)).build();
        let response = request.call()?;
        let status = response.status().as_u16();
        Ok(OpenReply { status, body: response.into_body().into_reader() })
    }

    /// Sends one request whose answer must be 2xx.
    pub fn ask(&self, method: Method, path: &str, body: &[u8]) -> Result<String, CliError> {
        let reply = self.send(method, path, &[], body).map_err(|error| self.unreachable(&error))?;
        if (200..300).contains(&reply.status) { Ok(reply.body) } else { Err(refusal(&reply)) }
    }

    /// Why no answer came.
    #[must_use]
    pub fn unreachable(&self, error: &ureq::Error) -> CliError {
        CliError::new(format!("no answer from {}: {error}", self.url))
            .hint("start a server: headwater serve --dev, or say where it is: --url URL or HEADWATER_URL=URL")
    }

    /// The workspace that is meant: the one named, or the only one there is.
    pub fn workspace_name(&self, server: &ServerArgs) -> Result<String, CliError> {
        match &server.workspace {
            Some(name) => Ok(name.clone()),
            None => self.only_workspace(),
        }
    }

    /// Its path.
    pub fn workspace_path(&self, server: &ServerArgs) -> Result<String, CliError> {
        Ok(format!("/v1/workspaces/{}", segment(&self.workspace_name(server)?)))
    }

    /// The names of all workspaces.
    pub fn workspaces(&self) -> Result<Vec<String>, CliError> {
        Ok(workspace_names(&self.ask(Method::GET, "/v1/workspaces", b"")?))
    }

    fn only_workspace(&self) -> Result<String, CliError> {
        let names = self.workspaces()?;
        match names.as_slice() {
            [name] => Ok(name.clone()),
            [] => Err(CliError::new("the server has no workspace").hint(format!(
                "make one by giving it a program: curl -X PUT {}/v1/workspaces/NAME/program --data-binary @program.sql",
                self.url
            ))),
            several => Err(CliError::new("the server has several workspaces")
                .hint(format!("name one with --workspace: {}", several.join(", ")))),
        }
    }
}

fn workspace_names(list: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(list).unwrap_or_default();
    let workspaces = list["workspaces"].as_array().cloned().unwrap_or_default();
    workspaces.iter().filter_map(|workspace| workspace["name"].as_str().map(str::to_owned)).collect()
}

/// A name as a part of a path.
#[must_use]
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// What the server said instead of an answer, for people.
#[must_use]
pub fn refusal(reply: &Reply) -> CliError {
    let document: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let error = &document["error"];
    let Some(message) = error["message"].as_str() else {
        return CliError::new(format!("the server answered with status {}: {}", reply.status, reply.body));
    };
    let mut message = message.to_owned();
    if let Some(snippet) = error["place"]["snippet"].as_str() {
        let (line, column) = (&error["place"]["line"], &error["place"]["column"]);
        message.push_str(&format!(" at line {line}, column {column}\n{snippet}"));
    }
    if error["code"] == "unknown_workspace" {
        let hint = error["hint"].as_str().unwrap_or_default();
        return CliError::new(message).hint(format!("name one with --workspace; {hint}"));
    }
    match error["hint"].as_str() {
        Some(hint) => CliError::new(message).hint(hint),
        None => CliError::new(message),
    }
}
