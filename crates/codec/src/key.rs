use arrow::array::RecordBatch;
use headwater_types::{RecordError, RecordErrorCode, TableDefinition};

use crate::problem::Problem;
use crate::rows::column_builder::ColumnBuilder;

/// The key columns of one row, in key order, from one text per key column as they stand in a URL.
///
/// Texts are read as in CSV, but an empty text is an empty VARCHAR: a key is never NULL.
pub fn parse_key(texts: &[&str], definition: &TableDefinition) -> Result<RecordBatch, RecordError> {
    parse(texts, definition).map_err(|problem| RecordError {
        index: 0,
        code: problem.code,
        column: problem.column,
        message: problem.message,
        hint: problem.hint,
        payload: texts.join("/"),
    })
}

fn parse(texts: &[&str], definition: &TableDefinition) -> Result<RecordBatch, Box<Problem>> {
    if !definition.has_primary_key() {
        let message = format!("table '{}' has no primary key", definition.name);
        return Err(Problem::new(RecordErrorCode::Operation, message).hint("find its rows with a query"));
    }
    let columns: Vec<_> =
        definition.primary_key.iter().map(|&index| definition.columns[index].clone()).collect();
    if texts.len() != columns.len() {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let message = format!("the key has {} columns, {} values are given", columns.len(), texts.len());
        return Err(
            Problem::new(RecordErrorCode::KeyMissing, message).hint(format!("give {}", names.join(", ")))
        );
    }
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, text) in columns.iter().zip(texts) {
        let mut builder = ColumnBuilder::new(column.column_type);
        builder.push_untyped(text).map_err(|problem| problem.at(column.name.as_str()))?;
        arrays.push(builder.take_array());
    }
    let schema = headwater_types::schema::schema_of(&columns);
    Ok(RecordBatch::try_new(schema, arrays).expect("each column has its type and one value"))
}
