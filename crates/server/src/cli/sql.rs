//! `headwater sql`: one query, a script, or a prompt.

/// What begins with a backslash.
mod command;
/// Tables and views, and their columns.
mod describe;
/// Ctrl-C while something runs.
mod interrupt;
/// Questions typed one after the other.
mod prompt;
/// What is asked of the server, and how answers are printed.
mod session;
/// Where statements end.
mod statements;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use super::error::CliError;
use super::{Done, ServerArgs};
use session::Session;

/// Run SELECTs and print their rows; without one on a terminal, a prompt
#[derive(Debug, clap::Args)]
pub struct SqlArgs {
    /// One SELECT, or several with ; between; from standard input if there is none
    query: Option<String>,

    /// The same as an option
    #[arg(long, short, value_name = "SQL", conflicts_with = "query")]
    command: Option<String>,

    #[command(flatten)]
    server: ServerArgs,

    /// Wait until the workspace has reached this LSN
    #[arg(long, value_name = "LSN")]
    min_lsn: Option<u64>,

    /// How rows are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A table of text.
    #[default]
    Table,
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// One JSON object with LSN, columns and rows.
    Json,
}

/// Asks and prints.
pub fn run(args: &SqlArgs) -> Done {
    let mut session = Session::open(args)?;
    if let Some(text) = args.query.as_deref().or(args.command.as_deref()) {
        return script(&mut session, text);
    }
    if std::io::stdin().is_terminal() {
        prompt::run(&mut session)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| CliError::new(format!("standard input cannot be read: {error}")))?;
    script(&mut session, &text)
}

/// Runs statements until one fails.
fn script(session: &mut Session, text: &str) -> Done {
    for statement in statements::split(text) {
        if session.enter(statement)?.is_end() {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}
