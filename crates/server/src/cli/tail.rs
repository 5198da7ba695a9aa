use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::client::{Client, refusal, segment};
use super::error::CliError;
use super::{Done, ServerArgs};

/// Time between two tries to reach the server again.
const RETRY: Duration = Duration::from_millis(500);
/// Time between two heartbeats of the stream: as often the cursor moves on while nothing changes.
const HEARTBEAT_MS: u64 = 5_000;

/// Print the changes of tables and views as they happen
#[derive(Debug, clap::Args)]
pub struct TailArgs {
    /// Tables and materialized views; all of them if none is named
    relations: Vec<String>,

    #[command(flatten)]
    server: ServerArgs,

    /// Where to begin: `now`, `snapshot` (all rows first), or a cursor
    #[arg(long, default_value = "now", value_name = "now|snapshot|CURSOR")]
    from: String,

    /// Print the lines as the server sends them, with cursors
    #[arg(long)]
    json: bool,
}

/// How a stream ended.
enum Ended {
    /// The connection was lost, or the server is stopping.
    Lost,
    /// Nothing else will come, or nobody reads what is printed.
    ForGood,
}

/// A line of the stream.
#[derive(Deserialize)]
struct Line<'a> {
    lsn: u64,
    #[serde(default)]
    relation: String,
    #[serde(borrow, default)]
    insert: Option<LazyValue<'a>>,
    #[serde(borrow, default)]
    delete: Option<LazyValue<'a>>,
    #[serde(default)]
    reset: Option<Reset>,
    #[serde(default)]
    end: bool,
    #[serde(default)]
    heartbeat: bool,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Reset {
    reason: String,
}

/// Prints until interrupted. Whenever the connection is lost it goes on behind the last line that it printed.
pub fn run(args: &TailArgs) -> Done {
    let client = Client::new(&args.server.url)?;
    let workspace = client.workspace_path(&args.server)?;
    let mut tail =
        Tail { args, is_first: true, cursor: None, left: args.relations.iter().cloned().collect() };
    if !matches!(args.from.as_str(), "now" | "snapshot") {
        tail.cursor = Some(args.from.clone());
    }
    let mut was_reached = false;
    loop {
        let path = format!("{workspace}/changes?{}", tail.query());
        match client.open(&path) {
            Ok(reply) if reply.status == 200 => {
                was_reached = true;
                if let Ended::ForGood = tail.print(BufReader::new(reply.body))? {
                    return Ok(ExitCode::SUCCESS);
                }
                eprintln!("headwater: the stream was interrupted; going on when the server is back");
            }
            Ok(reply) if was_reached && reply.status == 503 => {}
            Ok(reply) => return Err(refusal(&reply.into_reply())),
            Err(error) if !was_reached => return Err(client.unreachable(&error)),
            Err(_) => {}
        }
        sleep(RETRY);
    }
}

struct Tail<'a> {
    args: &'a TailArgs,
    /// Whether nothing was printed yet.
    is_first: bool,
    /// Behind the last line that was printed.
    cursor: Option<String>,
    /// The named relations that were not dropped.
    left: BTreeSet<String>,
}

impl Tail<'_> {
    fn query(&self) -> String {
        let from = match &self.cursor {
            Some(cursor) => format!("cursor={}", segment(cursor)),
            None => format!("from={}", self.args.from),
        };
        let names: Vec<String> = self.args.relations.iter().map(|name| segment(name)).collect();
        let relations =
            if names.is_empty() { String::new() } else { format!("&relations={}", names.join(",")) };
        format!("{from}{relations}&cursors=true&heartbeat_ms={HEARTBEAT_MS}")
    }

    fn print(&mut self, mut stream: impl BufRead) -> Result<Ended, CliError> {
        let mut text = String::new();
        loop {
            text.clear();
            // What comes without its end was cut: it comes again.
            match stream.read_line(&mut text) {
                Ok(_) if text.ends_with('\n') => {}
                Ok(_) | Err(_) => return Ok(Ended::Lost),
            }
            let line: Line<'_> = sonic_rs::from_str(&text).map_err(|error| {
                CliError::new(format!("the server sent a line that cannot be read: {error}"))
            })?;
            let shown = if self.args.json && !line.heartbeat { Some(text.clone()) } else { self.show(&line) };
            // A reader like `head` may have left already, which is no failure.
            if shown.is_some_and(|shown| std::io::stdout().lock().write_all(shown.as_bytes()).is_err()) {
                return Ok(Ended::ForGood);
            }
            if line.cursor.is_some() {
                self.cursor = line.cursor;
            }
            if line.end && self.left.remove(&line.relation) && self.left.is_empty() {
                return Ok(Ended::ForGood);
            }
        }
    }

    /// A line for people; `None` for what they need not know.
    fn show(&mut self, line: &Line<'_>) -> Option<String> {
        let Line { lsn, relation, .. } = line;
        let was_first = std::mem::replace(&mut self.is_first, false);
        if let Some(row) = &line.insert {
            return Some(format!("{lsn} + {relation} {}\n", row.as_raw_str()));
        }
        if let Some(row) = &line.delete {
            return Some(format!("{lsn} - {relation} {}\n", row.as_raw_str()));
        }
        if let Some(reset) = &line.reset {
            let is_asked_for = was_first && reset.reason == "snapshot";
            self.is_first = is_asked_for;
            return (!is_asked_for).then(|| format!("{lsn} reset {relation} ({})\n", reset.reason));
        }
        line.end.then(|| format!("{lsn} end {relation}\n"))
    }
}
