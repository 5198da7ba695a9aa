use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::json::cell::Cells;

/// Appends the names of the columns as a line.
pub(super) fn write_header(schema: &SchemaRef, out: &mut Vec<u8>) {
    for (index, field) in schema.fields().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(field.name().as_bytes(), out);
    }
    out.push(b'\n');
}

/// Appends each row as a line.
pub(super) fn write_rows(rows: &RecordBatch, out: &mut Vec<u8>) {
    let columns: Vec<Cells<'_>> = rows.columns().iter().map(|column| Cells::new(column.as_ref())).collect();
    let mut cell = Vec::new();
    for row in 0..rows.num_rows() {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if column.is_null(row) {
                continue;
            }
            match column.text(row) {
                Some(text) => write_text(text.as_bytes(), out),
                None => {
                    cell.clear();
                    column.write(row, &mut cell);
                    // What is no text has no characters to escape, so the value is what stands between the quotes.
                    let value = cell.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
                    write_text(value.unwrap_or(&cell), out);
                }
            }
        }
        out.push(b'\n');
    }
}

/// Appends a text, in quotes where it must be: empty it would be NULL, and commas, quotes and line ends would be taken
/// for the format's own.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !text.is_empty() && !text.iter().any(is_special) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
