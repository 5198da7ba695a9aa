//! `headwater push`: a file's records to a table, and the table too if asked for.

/// The table that a file needs.
mod create;
/// Column types from the first records.
mod infer;
/// A file as bodies of requests.
mod source;

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::client::{Client, Reply, refusal, segment};
use super::error::CliError;
use super::{Done, ServerArgs};
use create::{Created, Wish};
use source::Source;

/// Tries of one request before giving up.
const TRIES_MAX: u32 = 10;
/// Pause before the second try; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Bad records printed.
const ERRORS_SHOWN_MAX: usize = 10;

/// Push the records of a file to a table
#[derive(Debug, clap::Args)]
pub struct PushArgs {
    /// A file of CSV, NDJSON or JSON, also with .gz or .zst, or of Arrow IPC; `-` is standard input
    file: PathBuf,

    /// The table; with --create the file's name if not given
    #[arg(long, short, value_name = "NAME", required_unless_present = "create")]
    table: Option<String>,

    #[command(flatten)]
    server: ServerArgs,

    /// How the file is laid out; told by its name if not given
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// What is done with the records
    #[arg(long, value_enum, default_value_t, value_name = "OP")]
    op: Operation,

    /// Put bad records into quarantine and take the others, instead of refusing the request that holds them
    #[arg(long)]
    skip_bad: bool,

    /// Make the table, and the workspace, unless they exist: columns and types are told by the first records
    #[arg(long)]
    create: bool,

    /// With --create, do not ask
    #[arg(long, short, requires = "create")]
    yes: bool,

    /// With --create, the columns of the PRIMARY KEY
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "create")]
    key: Vec<String>,

    /// Names this push, so that after an interruption the same command goes on where it stopped [default: random]
    #[arg(long, value_name = "NAME")]
    resume: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Csv,
    Ndjson,
    Json,
    Arrow,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Operation {
    #[default]
    Insert,
    Upsert,
    Delete,
    Patch,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Insert => "insert",
            Operation::Upsert => "upsert",
            Operation::Delete => "delete",
            Operation::Patch => "patch",
        }
    }
}

/// What the server says to each request.
#[derive(Deserialize)]
struct Answer {
    lsn: u64,
    received: u64,
    applied: u64,
    rejected: u64,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    errors: Vec<Value>,
}

/// Sums over all answers.
#[derive(Default)]
struct Sums {
    lsn: u64,
    received: u64,
    applied: u64,
    rejected: u64,
    taken_before: u64,
}

/// Sends the file, one request after the other.
pub fn run(args: &PushArgs) -> Done {
    let client = Client::new(&args.server.url)?;
    let mut source = Source::open(args)?;
    let table = table_name(args)?;
    let (workspace, created) = if args.create {
        let workspace = create::workspace(&client, &args.server)?;
        let wish = Wish { table: &table, key: &args.key, yes: args.yes };
        let created = create::ensure_table(&client, &workspace, &wish, || source.infer())?;
        (workspace, created)
    } else {
        (client.workspace_name(&args.server)?, None)
    };
    let on_error = if args.skip_bad { "skip" } else { "reject_request" };
    let (workspace, name) = (segment(&workspace), segment(&table));
    let path = format!("/v1/workspaces/{workspace}/tables/{name}?op={}&on_error={on_error}", args.op.name());
    let key = args.resume.clone().unwrap_or_else(random_key);
    let sending = Sending { client: &client, path, content_type: source.content_type(), key, created };

    let started = Instant::now();
    let mut sums = Sums::default();
    for number in 0_u64.. {
        let Some(body) = source.next_body()? else { break };
        let sent =
            sending.send(number, &body, sums.received).map_err(|error| sending.interrupted(error, number));
        sums.add(&sent.inspect_err(|_| source.bar.abandon())?, &source.bar);
    }
    source.bar.finish_and_clear();
    println!("{}", sums.told(&table, started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// The table that is meant: the one named, or the one that the file's name names.
fn table_name(args: &PushArgs) -> Result<String, CliError> {
    if let Some(table) = &args.table {
        return Ok(table.clone());
    }
    let name = args.file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let table: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if table.trim_matches('_').is_empty() {
        return Err(CliError::new("the file's name does not name a table").hint("add --table NAME"));
    }
    Ok(table)
}

/// How each request is sent.
struct Sending<'a> {
    client: &'a Client,
    path: String,
    content_type: &'static str,
    key: String,
    /// What the table was made from, if it was made for this file.
    created: Option<Created>,
}

impl Sending<'_> {
    /// Sends one request until it is taken or refused. Its key makes that safe even if an answer got lost.
    fn send(&self, number: u64, body: &[u8], records_before: u64) -> Result<Answer, CliError> {
        let key = format!("{}-{number}", self.key);
        let headers = [("content-type", self.content_type), ("idempotency-key", key.as_str())];
        let mut pause = PAUSE_MIN;
        for tries in 1.. {
            let (wait, error) = match self.client.send(Method::POST, &self.path, &headers, body) {
                Ok(reply) if reply.status == 200 => return parsed(&reply),
                Ok(reply) if matches!(reply.status, 429 | 503) => {
                    (reply.retry_after_s.map_or(pause, Duration::from_secs), refusal(&reply))
                }
                Ok(reply) => return Err(refused(&reply, records_before, self.created.as_ref())),
                Err(error) => (pause, self.client.unreachable(&error)),
            };
            if tries >= TRIES_MAX {
                return Err(error);
            }
            std::thread::sleep(wait);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(CliError::new("the request was never sent"))
    }

    /// What to type to go on, once something was taken.
    fn interrupted(&self, error: CliError, number: u64) -> CliError {
        if number == 0 {
            return error;
        }
        CliError::new(format!("{number} requests were taken, then: {error}"))
            .hint(format!("the same command with --resume {} goes on where it stopped", self.key))
    }
}

impl Sums {
    fn add(&mut self, answer: &Answer, bar: &ProgressBar) {
        self.lsn = self.lsn.max(answer.lsn);
        for error in answer.errors.iter().take(ERRORS_SHOWN_MAX) {
            bar.suspend(|| eprintln!("in quarantine: {}", told(error, self.received)));
        }
        self.received += answer.received;
        self.rejected += answer.rejected;
        self.applied += answer.applied;
        if answer.duplicate {
            self.taken_before += answer.received;
        }
    }

    fn told(&self, table: &str, took: Duration) -> String {
        let Sums { lsn, received, applied, rejected, taken_before } = self;
        let seconds = took.as_secs_f64();
        let mut told = format!("{received} records pushed to {table} in {seconds:.2} s: {applied} applied");
        if *rejected > 0 {
            told.push_str(&format!(", {rejected} in quarantine"));
        }
        if *taken_before > 0 {
            told.push_str(&format!(", {taken_before} of all taken by an earlier try"));
        }
        told.push_str(&format!("; LSN {lsn}"));
        told
    }
}

fn parsed(reply: &Reply) -> Result<Answer, CliError> {
    serde_json::from_str(&reply.body)
        .map_err(|error| CliError::new(format!("the server's answer cannot be read: {error}")))
}

/// A refusal, with the first bad records by their number in the file.
fn refused(reply: &Reply, records_before: u64, created: Option<&Created>) -> CliError {
    let document: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let errors = document["errors"].as_array().cloned().unwrap_or_default();
    if errors.is_empty() {
        return refusal(reply);
    }
    let shown =
        errors.iter().take(ERRORS_SHOWN_MAX).map(|error| told(error, records_before)).collect::<Vec<_>>();
    let explained = created.and_then(|created| {
        let (column, message) = (errors[0]["column"].as_str()?, errors[0]["message"].as_str()?);
        created.explain(column, message)
    });
    let skip = "correct them, or add --skip-bad to put them into quarantine and take the others";
    CliError::new(format!(
        "{}\n  {}",
        document["error"]["message"].as_str().unwrap_or_default(),
        shown.join("\n  ")
    ))
    .hint(explained.map_or(skip.to_owned(), |explained| format!("{explained}; or {skip}")))
}

/// A bad record in one line, numbered from 1 in the file.
fn told(error: &Value, records_before: u64) -> String {
    let number = records_before + error["index"].as_u64().unwrap_or_default() + 1;
    let column = error["column"].as_str().map(|column| format!(", column {column}")).unwrap_or_default();
    format!("record {number}{column}: {}", error["message"].as_str().unwrap_or_default())
}

fn random_key() -> String {
    format!("push-{:016x}", RandomState::new().hash_one(std::process::id()))
}
