use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::http::Method;

use super::super::client::{Client, segment};
use super::super::error::CliError;
use super::super::table;
use super::command::{Command, HELP};
use super::{Format, SqlArgs, describe, interrupt};

/// A server, a workspace, and how answers are printed.
pub(super) struct Session {
    client: Arc<Client>,
    workspace: String,
    format: Format,
    min_lsn: Option<u64>,
    timing: bool,
    last_query: Option<String>,
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    GoOn,
    End,
}

impl After {
    pub(super) fn is_end(self) -> bool {
        self == After::End
    }
}

#[derive(Deserialize)]
struct Answer {
    lsn: u64,
    columns: Vec<AnswerColumn>,
    rows: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct AnswerColumn {
    name: String,
}

impl Session {
    /// Finds the workspace.
    pub(super) fn open(args: &SqlArgs) -> Result<Session, CliError> {
        let client = Client::new(&args.server.url)?;
        let workspace = client.workspace_name(&args.server)?;
        Ok(Session {
            client: Arc::new(client),
            workspace,
            format: args.format,
            min_lsn: args.min_lsn,
            timing: false,
            last_query: None,
        })
    }

    /// The workspace's name.
    pub(super) fn workspace(&self) -> &str {
        &self.workspace
    }

    /// Does what a statement or a backslash command says.
    pub(super) fn enter(&mut self, statement: &str) -> Result<After, CliError> {
        if statement.starts_with('\\') {
            return self.obey(Command::parse(statement)?);
        }
        self.last_query = Some(statement.to_owned());
        self.query(statement)?;
        Ok(After::GoOn)
    }

    /// The names of tables, views and columns, for completion; none if the server does not say.
    pub(super) fn names(&self) -> Vec<String> {
        describe::names(&self.client, &self.path()).unwrap_or_default()
    }

    fn obey(&mut self, command: Command) -> Result<After, CliError> {
        match command {
            Command::List => print(&describe::list(&self.client, &self.path())?),
            Command::Describe(name) => print(&describe::one(&self.client, &self.path(), &name)?),
            Command::Connect(name) => {
                self.client.ask(Method::GET, &format!("/v1/workspaces/{}", segment(&name)), b"")?;
                self.workspace = name;
            }
            Command::Timing => {
                self.timing = !self.timing;
                print(if self.timing { "queries are timed\n" } else { "queries are not timed\n" });
            }
            Command::Format(name) => {
                self.format = Format::from_str(&name, true).map_err(|_| {
                    CliError::new(format!("rows cannot be printed as {name}"))
                        .hint("use table, csv, ndjson or json")
                })?;
            }
            Command::Watch(pause) => self.watch(pause)?,
            Command::Help => print(HELP),
            Command::Quit => return Ok(After::End),
        }
        Ok(After::GoOn)
    }

    fn watch(&self, pause: Duration) -> Result<(), CliError> {
        let query = self.last_query.as_deref().ok_or_else(|| {
            CliError::new("there is no query to run again").hint("run one, then type \\watch")
        })?;
        loop {
            self.query(query)?;
            if !interrupt::pause(pause) {
                return Ok(());
            }
        }
    }

    fn query(&self, text: &str) -> Result<(), CliError> {
        let format = match self.format {
            Format::Table | Format::Json => "json",
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        };
        let min_lsn = self.min_lsn.map(|lsn| format!("&min_lsn={lsn}")).unwrap_or_default();
        let path = format!("{}/query?format={format}{min_lsn}", self.path());
        let (client, body) = (Arc::clone(&self.client), text.to_owned());
        let started = Instant::now();
        let answer = interrupt::run(move || client.ask(Method::POST, &path, body.as_bytes()));
        let Some(answer) = answer else { return Err(CliError::new("the query was given up")) };
        let answer = answer?;
        print(&if self.format == Format::Table { as_table(&answer)? } else { answer });
        if self.timing {
            print(&format!("{:.1} ms\n", started.elapsed().as_secs_f64() * 1e3));
        }
        Ok(())
    }

    fn path(&self) -> String {
        format!("/v1/workspaces/{}", segment(&self.workspace))
    }
}

/// A reader like `head` may have left already, which is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn as_table(answer: &str) -> Result<String, CliError> {
    let answer: Answer = serde_json::from_str(answer)
        .map_err(|error| CliError::new(format!("the server's answer cannot be read: {error}")))?;
    let columns = answer.columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
    let count = match answer.rows.len() {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    Ok(format!("{}({count}, LSN {})\n", table::render(&columns, &answer.rows), answer.lsn))
}
