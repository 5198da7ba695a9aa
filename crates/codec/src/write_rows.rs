//! Rows of an answer in every format, piece by piece.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use crate::json::{write_rows_array_elements, write_rows_ndjson};

/// Rows as CSV.
mod csv;

/// How the rows of an answer are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsFormat {
    /// One JSON object per line.
    Ndjson,
    /// JSON objects with commas between: the elements of an array.
    ArrayElements,
    /// Comma-separated values with a header row, as PostgreSQL's COPY writes them: NULL is an empty field, an empty
    /// text is `""`.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
}

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("rows cannot be written as Arrow: {0}")]
pub struct WriteRowsError(#[from] ArrowError);

/// Writes the rows of one answer. Each call appends what is ready to `out`.
pub struct RowsWriter {
    state: State,
}

enum State {
    Ndjson,
    ArrayElements { wrote_rows: bool },
    Csv { wrote_header: bool, schema: SchemaRef },
    Arrow(Box<StreamWriter<Vec<u8>>>),
    Ended,
}

impl std::fmt::Debug for RowsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RowsWriter")
    }
}

impl RowsWriter {
    /// A writer of rows with this schema.
    pub fn new(format: RowsFormat, schema: &SchemaRef) -> Result<RowsWriter, WriteRowsError> {
        let state = match format {
            RowsFormat::Ndjson => State::Ndjson,
            RowsFormat::ArrayElements => State::ArrayElements { wrote_rows: false },
            RowsFormat::Csv => State::Csv { wrote_header: false, schema: SchemaRef::clone(schema) },
            RowsFormat::Arrow => State::Arrow(Box::new(StreamWriter::try_new(Vec::new(), schema)?)),
        };
        Ok(RowsWriter { state })
    }

    /// Writes rows.
    pub fn write(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<(), WriteRowsError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        match &mut self.state {
            State::Ndjson => write_rows_ndjson(rows, out),
            State::ArrayElements { wrote_rows } => {
                if std::mem::replace(wrote_rows, true) {
                    out.push(b',');
                }
                write_rows_array_elements(rows, out);
            }
            State::Csv { wrote_header, schema } => {
                if !std::mem::replace(wrote_header, true) {
                    csv::write_header(schema, out);
                }
                csv::write_rows(rows, out);
            }
            State::Arrow(writer) => {
                writer.write(rows)?;
                out.append(writer.get_mut());
            }
            State::Ended => {}
        }
        Ok(())
    }

    /// Writes what follows the last row.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), WriteRowsError> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Csv { wrote_header: false, schema } => csv::write_header(&schema, out),
            State::Arrow(writer) => out.append(&mut writer.into_inner()?),
            State::Csv { .. } | State::Ndjson | State::ArrayElements { .. } | State::Ended => {}
        }
        Ok(())
    }
}
