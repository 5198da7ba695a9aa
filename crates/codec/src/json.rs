//! Rows as JSON text: integers and decimals exact, floats in the fewest digits that read back to the same value.
//!
//! What is written here is read by [`crate::decode_table`] as the same row. NaN and the infinities are strings, as
//! JSON has no numbers for them. Types that no column of a table has, but a query can give, are written as the text
//! that Arrow displays.

use arrow::array::RecordBatch;

pub(crate) mod cell;
mod text;
mod time;

use cell::Cells;

/// Writes the rows of one batch. Making one costs some work per column, so keep it for all rows.
#[derive(Debug)]
pub struct RowWriter<'b> {
    columns: Vec<(Vec<u8>, Cells<'b>)>,
}

impl<'b> RowWriter<'b> {
    /// A writer for this batch.
    #[must_use]
    pub fn new(batch: &'b RecordBatch) -> RowWriter<'b> {
        let schema = batch.schema_ref();
        let columns =
            schema.fields().iter().zip(batch.columns()).enumerate().map(|(index, (field, column))| {
                let mut before = if index == 0 { Vec::new() } else { vec![b','] };
                text::write_string(field.name().as_bytes(), &mut before);
                before.push(b':');
                (before, Cells::new(column.as_ref()))
            });
        RowWriter { columns: columns.collect() }
    }

    /// Appends one row as a JSON object.
    ///
    /// # Panics
    /// If the batch has no such row.
    pub fn write_row(&self, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        for (before, cells) in &self.columns {
            out.extend_from_slice(before);
            cells.write(row, out);
        }
        out.push(b'}');
    }
}

/// Appends one row as a JSON object.
///
/// # Panics
/// If the batch has no such row.
pub fn write_row(batch: &RecordBatch, row: usize, out: &mut Vec<u8>) {
    RowWriter::new(batch).write_row(row, out);
}

/// Appends all rows, each an object followed by a newline.
pub fn write_rows_ndjson(batch: &RecordBatch, out: &mut Vec<u8>) {
    let writer = RowWriter::new(batch);
    for row in 0..batch.num_rows() {
        writer.write_row(row, out);
        out.push(b'\n');
    }
}

/// Appends all rows as objects with commas between, without the array's brackets.
pub fn write_rows_array_elements(batch: &RecordBatch, out: &mut Vec<u8>) {
    let writer = RowWriter::new(batch);
    for row in 0..batch.num_rows() {
        if row > 0 {
            out.push(b',');
        }
        writer.write_row(row, out);
    }
}

/// Appends a text as a JSON string.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    text::write_string(text.as_bytes(), out);
}

/// Appends a time in UTC, from units of 10^−`digits` seconds since 1970.
pub(crate) fn write_time(units: i64, digits: u32, out: &mut Vec<u8>) {
    time::write_timestamp(units, digits, out);
}
