//! `INSERT INTO table VALUES (…), …` to the JSON body that pushes the same rows.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater_codec::{BodyFormat, DecodeOptions, decode_table, json};
use headwater_types::TableDefinition;

/// The table's index and the rows, which go the way of every pushed record.
pub fn inserted(sql: &str, tables: &[Arc<TableDefinition>]) -> (usize, Vec<RecordBatch>) {
    let (name, values) =
        sql.strip_prefix("INSERT INTO ").and_then(|rest| rest.split_once(" VALUES ")).unwrap();
    let table = tables.iter().position(|table| table.name.as_str() == name.trim_matches('"')).unwrap();
    let records: Vec<String> = rows(values).iter().map(|row| record(row, &tables[table])).collect();
    let body = format!("[{}]", records.join(","));
    let decoded =
        decode_table(body.as_bytes(), BodyFormat::Json, tables, table, &DecodeOptions::default()).unwrap();
    assert!(decoded.errors.is_empty(), "{sql}\n{:#?}", decoded.errors);
    (table, decoded.operations.into_iter().map(|operation| operation.rows).collect())
}

fn record(row: &[String], table: &TableDefinition) -> String {
    assert_eq!(row.len(), table.columns.len());
    let field = |(column, value): (&headwater_types::Column, &String)| {
        format!("{}:{value}", quoted(column.name.as_str()))
    };
    format!("{{{}}}", table.columns.iter().zip(row).map(field).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut bytes = Vec::new();
    json::write_string(text, &mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// Rows of literals, each as JSON.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(',').trim_start().strip_prefix('(').unwrap();
        let mut row = Vec::new();
        loop {
            let (value, after) = literal(rest.trim_start());
            row.push(value);
            let after = after.trim_start();
            rest = &after[1..];
            if after.starts_with(')') {
                break;
            }
            assert!(after.starts_with(','), "{after}");
        }
        rows.push(row);
        rest = rest.trim_start();
    }
    rows
}

/// The first literal as JSON, and what follows it.
fn literal(text: &str) -> (String, &str) {
    if let Some(mut rest) = text.strip_prefix('\'') {
        let mut content = String::new();
        loop {
            let (part, after) = rest.split_once('\'').unwrap();
            content += part;
            let Some(more) = after.strip_prefix('\'') else { return (quoted(&content), after) };
            content.push('\'');
            rest = more;
        }
    }
    let end = text.find([',', ')']).unwrap();
    (text[..end].trim().to_lowercase(), &text[end..])
}
