use std::io::Write;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::http::Method;

use super::client::Client;
use super::error::CliError;
use super::{Done, ServerArgs, table};

/// Run one SELECT and print its rows
#[derive(Debug, clap::Args)]
pub struct SqlArgs {
    /// The SELECT
    query: String,

    #[command(flatten)]
    server: ServerArgs,

    /// Wait until the workspace has reached this LSN
    #[arg(long, value_name = "LSN")]
    min_lsn: Option<u64>,

    /// How rows are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table of text.
    #[default]
    Table,
    /// One JSON object per line.
    Ndjson,
    /// One JSON object with LSN, columns and rows.
    Json,
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

/// Asks and prints.
pub fn run(args: &SqlArgs) -> Done {
    let client = Client::new(&args.server.url)?;
    let workspace = client.workspace_path(&args.server)?;
    let format = if args.format == Format::Ndjson { "ndjson" } else { "json" };
    let min_lsn = args.min_lsn.map(|lsn| format!("&min_lsn={lsn}")).unwrap_or_default();
    let path = format!("{workspace}/query?format={format}{min_lsn}");
    let answer = client.ask(Method::POST, &path, args.query.as_bytes())?;
    let text = if args.format == Format::Table { as_table(&answer)? } else { answer };
    // A reader like `head` may have left already, which is no failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
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
