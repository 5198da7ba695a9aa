use std::io::{IsTerminal, Write};

use headwater_types::ColumnType;
use serde_json::Value;
use ureq::http::Method;

use super::super::ServerArgs;
use super::super::client::{Client, refusal, segment};
use super::super::error::CliError;
use super::infer::Inferred;

/// The workspace that is made if none is named and the server has none.
const WORKSPACE: &str = "main";

/// Words that are not names of columns or tables without quotes.
const RESERVED: [&str; 62] = [
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "check",
    "column",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "default",
    "delete",
    "desc",
    "distinct",
    "drop",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "group",
    "having",
    "in",
    "index",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "primary",
    "references",
    "right",
    "select",
    "table",
    "union",
    "where",
];

/// What `--create` was given.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) table: &'a str,
    pub(super) key: &'a [String],
    /// Whether not to ask.
    pub(super) yes: bool,
}

/// A table that was made for the file: what its columns were made from.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) columns: Vec<(String, ColumnType)>,
    pub(super) records: usize,
}

/// The workspace that is meant, or the name of one to make.
pub(super) fn workspace(client: &Client, server: &ServerArgs) -> Result<String, CliError> {
    if server.workspace.is_none() && client.workspaces()?.is_empty() {
        return Ok(WORKSPACE.to_owned());
    }
    client.workspace_name(server)
}

/// Makes the table unless there is one of its name. `None` if there is.
pub(super) fn ensure_table(
    client: &Client,
    workspace: &str,
    wish: &Wish<'_>,
    infer: impl FnOnce() -> Result<Inferred, CliError>,
) -> Result<Option<Created>, CliError> {
    let path = format!("/v1/workspaces/{}", segment(workspace));
    let program = program(client, &path)?;
    if program.is_some() && has_table(client, &path, wish.table)? {
        println!("table {} exists; its columns stay as they are", wish.table);
        return Ok(None);
    }
    let inferred = infer()?;
    let statement = statement(&inferred, wish)?;
    if program.is_none() {
        println!("workspace {workspace} will be made, with:");
    }
    println!("{statement}");
    if let Some(key) = inferred.likely_key().filter(|_| wish.key.is_empty()) {
        println!(
            "-- {key} looks like a key: with --key {key} a later record replaces the one with the same {key}"
        );
    }
    if !wish.yes && !agreed()? {
        return Err(CliError::new("nothing was made and nothing was pushed")
            .hint("put your own CREATE TABLE into the workspace's program, then push without --create"));
    }
    let before = program.map(|text| text.trim_end().trim_end_matches(';').to_owned());
    let text = match before.filter(|text| !text.trim().is_empty()) {
        Some(before) => format!("{before};\n\n{statement}\n"),
        None => format!("{statement}\n"),
    };
    client.ask(Method::PUT, &format!("{path}/program"), text.as_bytes())?;
    let columns = inferred.columns.iter().map(|column| (column.name.clone(), column.column_type())).collect();
    Ok(Some(Created { columns, records: inferred.records }))
}

/// The running program's text; `None` if there is no such workspace.
fn program(client: &Client, path: &str) -> Result<Option<String>, CliError> {
    let path = format!("{path}/program?format=text");
    let reply = client.send(Method::GET, &path, &[], b"").map_err(|error| client.unreachable(&error))?;
    match reply.status {
        200 => Ok(Some(reply.body)),
        404 => Ok(None),
        _ => Err(refusal(&reply)),
    }
}

fn has_table(client: &Client, path: &str, table: &str) -> Result<bool, CliError> {
    let tables: Value = serde_json::from_str(&client.ask(Method::GET, &format!("{path}/tables"), b"")?)
        .map_err(|error| CliError::new(format!("the server's answer cannot be read: {error}")))?;
    let tables = tables["tables"].as_array().cloned().unwrap_or_default();
    Ok(tables.iter().any(|known| known["name"] == table))
}

/// The statement that makes the table.
fn statement(inferred: &Inferred, wish: &Wish<'_>) -> Result<String, CliError> {
    let names = || inferred.columns.iter().map(|column| column.name.as_str());
    if let Some(unknown) = wish.key.iter().find(|key| !names().any(|name| name == key.as_str())) {
        return Err(CliError::new(format!("the file has no column {unknown:?} to be the key"))
            .hint(format!("there are: {}", names().collect::<Vec<_>>().join(", "))));
    }
    let width = names().map(|name| quoted(name).chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for column in &inferred.columns {
        let name = quoted(&column.name);
        let padding = " ".repeat(width - name.chars().count());
        let key = if wish.key == [column.name.as_str()] { " PRIMARY KEY" } else { "" };
        lines.push(format!("    {name}{padding} {}{key}", column.column_type()));
    }
    if wish.key.len() > 1 {
        let key = wish.key.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        lines.push(format!("    PRIMARY KEY ({key})"));
    }
    Ok(format!("CREATE TABLE {} (\n{}\n);", quoted(wish.table), lines.join(",\n")))
}

/// A name as SQL text.
fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Asks where somebody can answer.
fn agreed() -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Ok(true);
    }
    print!("make it? [Y/n] ");
    let mut answer = String::new();
    let read = std::io::stdout().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    read.map_err(|error| CliError::new(format!("the answer cannot be read: {error}")))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}

impl Created {
    /// What to do about a record that does not fit its column.
    pub(super) fn explain(&self, column: &str, message: &str) -> Option<String> {
        let (_, column_type) = self.columns.iter().find(|(name, _)| name == column)?;
        let wider = match column_type {
            ColumnType::BigInt if message.contains("out of the range") => "DECIMAL(38, 0)",
            ColumnType::BigInt | ColumnType::Decimal { .. } => "DOUBLE",
            ColumnType::Timestamp if message.contains("more digits") => "TIMESTAMP(9)",
            _ => "VARCHAR",
        };
        let from = match self.records {
            0 => "the file's own type".to_owned(),
            records => format!("the first {records} records"),
        };
        Some(format!(
            "{column} was made {column_type} after {from}: make it {wider} in the workspace's program, then push again"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::split::FileFormat;
    use super::*;

    fn wish<'a>(table: &'a str, key: &'a [String]) -> Wish<'a> {
        Wish { table, key, yes: true }
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let inferred = Inferred::from_text(b"id,Order,group,n\n1,a,b,2\n", FileFormat::Csv).unwrap();
        let key = ["id".to_owned()];
        let expected = "\
CREATE TABLE \"my table\" (
    id      BIGINT PRIMARY KEY,
    \"Order\" VARCHAR,
    \"group\" VARCHAR,
    n       BIGINT
);";
        assert_eq!(statement(&inferred, &wish("my table", &key)).unwrap(), expected);
    }

    #[test]
    fn a_key_may_have_several_columns_but_no_unknown_one() {
        let inferred = Inferred::from_text(b"a,b\n1,2\n", FileFormat::Csv).unwrap();
        let key = ["b".to_owned(), "a".to_owned()];
        assert!(statement(&inferred, &wish("t", &key)).unwrap().contains("PRIMARY KEY (b, a)"));
        let unknown = ["c".to_owned()];
        assert!(
            statement(&inferred, &wish("t", &unknown)).unwrap_err().to_string().contains("there are: a, b")
        );
    }
}
