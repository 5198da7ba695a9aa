//! Tables from a line of text, and decoded bodies as text, so that tests read as input and outcome.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs)]

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use headwater_codec::json;
use headwater_types::{Column, ColumnType, Decoded, Name, OperationKind, RecordError, TableDefinition};

/// `name: column TYPE [KEY] [NOT NULL] [DEFAULT value], …`, with defaults for INTEGER and VARCHAR only.
pub fn table(text: &str) -> Arc<TableDefinition> {
    let (name, columns) = text.split_once(": ").unwrap();
    let (name, materialized) = (name.trim_end_matches('*'), !name.ends_with('*'));
    let columns: Vec<&str> = columns.split(", ").collect();
    let keys = columns.iter().enumerate().filter(|(_, column)| column.contains(" KEY"));
    Arc::new(TableDefinition {
        name: Name::new(name).unwrap(),
        primary_key: keys.map(|(index, _)| index).collect(),
        columns: columns.iter().map(|text| column(text)).collect(),
        materialized,
        retention: None,
        changes: headwater_types::ChangesKept::Usual,
    })
}

fn column(text: &str) -> Column {
    let words: Vec<&str> = text.split(' ').collect();
    let column_type = column_type(words[1]);
    let default = text.split_once(" DEFAULT ").map(|(_, value)| -> ArrayRef {
        match (column_type, value) {
            (ColumnType::Int, "NULL") => Arc::new(Int32Array::from(vec![None])),
            (ColumnType::Int, value) => Arc::new(Int32Array::from(vec![value.parse::<i32>().unwrap()])),
            (_, value) => Arc::new(StringArray::from(vec![value])),
        }
    });
    let nullable = !text.contains("NOT NULL") && !text.contains(" KEY");
    Column { name: Name::new(words[0]).unwrap(), column_type, nullable, default }
}

fn column_type(text: &str) -> ColumnType {
    match text {
        "BOOLEAN" => ColumnType::Boolean,
        "TINYINT" => ColumnType::TinyInt,
        "SMALLINT" => ColumnType::SmallInt,
        "INTEGER" => ColumnType::Int,
        "BIGINT" => ColumnType::BigInt,
        "REAL" => ColumnType::Real,
        "DOUBLE" => ColumnType::Double,
        "VARCHAR" => ColumnType::Varchar,
        "VARBINARY" => ColumnType::Varbinary,
        "UUID" => ColumnType::Uuid,
        "DATE" => ColumnType::Date,
        "TIME" => ColumnType::Time,
        "TIMESTAMP" => ColumnType::Timestamp,
        "TIMESTAMP(9)" => ColumnType::TimestampNanos,
        decimal => {
            let numbers = decimal.strip_prefix("DECIMAL(").unwrap().trim_end_matches(')');
            let (precision, scale) = numbers.split_once('.').unwrap();
            ColumnType::Decimal { precision: precision.parse().unwrap(), scale: scale.parse().unwrap() }
        }
    }
}

/// One line per operation and its rows, one per error.
pub fn show(decoded: &Decoded, tables: &[Arc<TableDefinition>]) -> String {
    let mut text = String::new();
    for operation in &decoded.operations {
        let kind = match operation.kind {
            OperationKind::Insert => "insert".to_owned(),
            OperationKind::Upsert => "upsert".to_owned(),
            OperationKind::DeleteRow => "delete row".to_owned(),
            OperationKind::DeleteKey => "delete key".to_owned(),
            OperationKind::Patch(if_absent) => {
                format!("patch {if_absent:?} {:?}", operation.columns).to_lowercase()
            }
        };
        let mut rows = Vec::new();
        json::write_rows_array_elements(&operation.rows, &mut rows);
        let rows = String::from_utf8(rows).unwrap();
        let name = &tables[operation.table].name;
        writeln!(text, "{kind} {name} {:?} {rows}", operation.record_indexes).unwrap();
        assert_eq!(operation.record_indexes.len(), operation.rows.num_rows());
    }
    for error in &decoded.errors {
        writeln!(text, "{}", show_error(error)).unwrap();
    }
    let good: usize = decoded.operations.iter().map(|operation| operation.rows.num_rows()).sum();
    assert_eq!(decoded.received, (good + decoded.errors.len()) as u64, "every record is good or bad");
    text
}

/// `error 3 code column: message (hint)`
pub fn show_error(error: &RecordError) -> String {
    let column = error.column.as_ref().map_or(String::new(), |column| format!(" {column}"));
    let hint = error.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("error {} {}{column}: {}{hint}", error.index, error.code.as_str(), error.message)
}

/// The lines of a text without the space around them.
pub fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}
