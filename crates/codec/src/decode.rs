use std::sync::Arc;

use headwater_types::limits::BODY_BYTES_MAX;
use headwater_types::{Decoded, IfAbsent, TableDefinition};

use crate::body_error::BodyError;
use crate::nearest::Hints;
use crate::read_arrow::decode_arrow;
use crate::read_csv::decode_csv;
use crate::read_json::body::{decode_json, decode_lines};
use crate::read_json::envelope::MixedRows;
use crate::rows::plan::RowPlan;
use crate::rows::row_builder::RowBuilder;

/// How a body's bytes are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// One object, an array of objects, or NDJSON, told by the first bytes.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a header row.
    Csv,
    /// An Arrow IPC stream, or an Arrow IPC file, which holds one.
    Arrow,
}

impl BodyFormat {
    /// Whether bodies of the format are no text.
    #[must_use]
    pub fn is_binary(self) -> bool {
        self == BodyFormat::Arrow
    }
}

/// What a request wants done with its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperationName {
    /// Add rows; with a primary key, replace rows of the same key.
    #[default]
    Insert,
    /// Add rows or replace those with the same key. Needs a primary key.
    Upsert,
    /// Remove rows: by key, or without primary key one row equal to each record.
    Delete,
    /// Set the columns that are present. Needs a primary key.
    Patch,
}

/// How records of a one-table request are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// What is done with the records.
    pub operation: OperationName,
    /// What a patch does when no row has the key.
    pub if_absent: IfAbsent,
}

impl OperationName {
    /// All operations as they are written in requests.
    pub const NAMES: [&'static str; 4] = ["insert", "upsert", "delete", "patch"];

    /// The operation of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<OperationName> {
        match name {
            "insert" => Some(OperationName::Insert),
            "upsert" => Some(OperationName::Upsert),
            "delete" => Some(OperationName::Delete),
            "patch" => Some(OperationName::Patch),
            _ => None,
        }
    }
}

/// Decodes a body whose records all belong to `tables[table]`.
///
/// # Panics
/// If `table` is not an index of `tables`.
pub fn decode_table(
    body: &[u8],
    format: BodyFormat,
    tables: &[Arc<TableDefinition>],
    table: usize,
    options: &DecodeOptions,
) -> Result<Decoded, BodyError> {
    let body = checked(body, format)?;
    let plan = RowPlan::new(&tables[table], options).map_err(|problem| BodyError::Operation {
        message: problem.message,
        hint: problem.hint.unwrap_or_default(),
    })?;
    let rows = |plan| RowBuilder::new(table, plan, Hints::new());
    match format {
        BodyFormat::Json => decode_json(body, rows(plan)),
        BodyFormat::Ndjson => decode_lines(body, rows(plan)),
        BodyFormat::Csv => decode_csv(body, rows(plan)),
        BodyFormat::Arrow => decode_arrow(body, table, plan),
    }
}

/// Decodes a JSON body of records `{"table": t, "op": "insert|upsert|delete|patch", "if_absent": …, "row": {…}}`:
/// one object, an array, or NDJSON.
pub fn decode_mixed(body: &[u8], tables: &[Arc<TableDefinition>]) -> Result<Decoded, BodyError> {
    decode_json(checked(body, BodyFormat::Json)?, MixedRows::new(tables))
}

/// The body, a text without byte order mark, if it is not too long.
fn checked(body: &[u8], format: BodyFormat) -> Result<&[u8], BodyError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(BodyError::TooLarge { bytes: body.len() });
    }
    if format.is_binary() {
        return if body.is_empty() { Err(BodyError::Empty) } else { Ok(body) };
    }
    Ok(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body))
}
