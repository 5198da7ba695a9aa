use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::client::{Client, Reply, refusal, segment};
use super::error::CliError;
use super::split::{FileFormat, Splitter};
use super::{Done, ServerArgs};

/// Bytes of one request's body, about.
const BODY_BYTES: usize = 1 << 20;
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
    /// A file of CSV, NDJSON or JSON, also with .gz; `-` is standard input
    file: PathBuf,

    /// The table
    #[arg(long, short, value_name = "NAME")]
    table: String,

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

    /// Names this push, so that after an interruption the same command goes on where it stopped [default: random]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Csv,
    Ndjson,
    Json,
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
    let format = format_of(args)?;
    let client = Client::new(&args.server.url)?;
    let workspace = client.workspace_path(&args.server)?;
    let on_error = if args.skip_bad { "skip" } else { "reject_request" };
    let table = segment(&args.table);
    let path = format!("{workspace}/tables/{table}?op={}&on_error={on_error}", args.op.name());
    let key = args.key.clone().unwrap_or_else(random_key);
    let sending = Sending { client: &client, path, format, key };

    let started = Instant::now();
    let (file, bar) = open(&args.file)?;
    let mut splitter = Splitter::new(file, format, BODY_BYTES);
    let mut sums = Sums::default();
    for number in 0_u64.. {
        let body = splitter.next_body().map_err(|error| CliError::new(error.to_string()))?;
        let Some(body) = body else { break };
        let sent =
            sending.send(number, &body, sums.received).map_err(|error| sending.interrupted(error, number));
        sums.add(&sent.inspect_err(|_| bar.abandon())?, &bar);
    }
    bar.finish_and_clear();
    println!("{}", sums.told(&args.table, started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// How each request is sent.
struct Sending<'a> {
    client: &'a Client,
    path: String,
    format: FileFormat,
    key: String,
}

impl Sending<'_> {
    /// Sends one request until it is taken or refused. Its key makes that safe even if an answer got lost.
    fn send(&self, number: u64, body: &[u8], records_before: u64) -> Result<Answer, CliError> {
        let content_type = match self.format {
            FileFormat::Csv => "text/csv",
            FileFormat::Ndjson => "application/x-ndjson",
            FileFormat::Json => "application/json",
        };
        let key = format!("{}-{number}", self.key);
        let headers = [("content-type", content_type), ("idempotency-key", key.as_str())];
        let mut pause = PAUSE_MIN;
        for tries in 1.. {
            let (wait, error) = match self.client.send(Method::POST, &self.path, &headers, body) {
                Ok(reply) if reply.status == 200 => return parsed(&reply),
                Ok(reply) if matches!(reply.status, 429 | 503) => {
                    (reply.retry_after_s.map_or(pause, Duration::from_secs), refusal(&reply))
                }
                Ok(reply) => return Err(refused(&reply, records_before)),
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
            .hint(format!("the same command with --key {} goes on where it stopped", self.key))
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
fn refused(reply: &Reply, records_before: u64) -> CliError {
    let document: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let errors = document["errors"].as_array().cloned().unwrap_or_default();
    if errors.is_empty() {
        return refusal(reply);
    }
    let shown =
        errors.iter().take(ERRORS_SHOWN_MAX).map(|error| told(error, records_before)).collect::<Vec<_>>();
    CliError::new(format!(
        "{}\n  {}",
        document["error"]["message"].as_str().unwrap_or_default(),
        shown.join("\n  ")
    ))
    .hint("correct them, or add --skip-bad to put them into quarantine and take the others")
}

/// A bad record in one line, numbered from 1 in the file.
fn told(error: &Value, records_before: u64) -> String {
    let number = records_before + error["index"].as_u64().unwrap_or_default() + 1;
    let column = error["column"].as_str().map(|column| format!(", column {column}")).unwrap_or_default();
    format!("record {number}{column}: {}", error["message"].as_str().unwrap_or_default())
}

fn format_of(args: &PushArgs) -> Result<FileFormat, CliError> {
    if let Some(format) = args.format {
        return Ok(match format {
            Format::Csv => FileFormat::Csv,
            Format::Ndjson => FileFormat::Ndjson,
            Format::Json => FileFormat::Json,
        });
    }
    let name = args.file.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(FileFormat::Csv),
        Some("ndjson" | "jsonl") => Ok(FileFormat::Ndjson),
        Some("json") => Ok(FileFormat::Json),
        _ => Err(CliError::new(format!("it is not clear how {name:?} is laid out"))
            .hint("add --format csv, --format ndjson or --format json")),
    }
}

/// The file, decompressed if its name says so, and a bar that follows how much of it was read.
fn open(path: &Path) -> Result<(Box<dyn Read>, ProgressBar), CliError> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), ProgressBar::hidden()));
    }
    let file = File::open(path)
        .map_err(|error| CliError::new(format!("{} cannot be read: {error}", path.display())))?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let style =
        ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes).with_style(style);
    let read = bar.wrap_read(file);
    let is_gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let read: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(read)) } else { Box::new(read) };
    Ok((read, bar))
}

fn random_key() -> String {
    format!("push-{:016x}", RandomState::new().hash_one(std::process::id()))
}
