use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use headwater_codec::write_rows::{RowsWriter, WriteRowsError};
use http_body::{Body, Frame};

/// Rows written before a piece is handed to the socket.
const ROWS_PER_PIECE: usize = 1_024;

/// Rows of an answer, written only as fast as the client takes them.
#[derive(Debug)]
pub struct RowsBody {
    before: Option<Bytes>,
    after: &'static [u8],
    writer: RowsWriter,
    batches: Vec<RecordBatch>,
    batch: usize,
    row: usize,
    ended: bool,
}

impl RowsBody {
    /// These rows, in the writer's format.
    #[must_use]
    pub fn new(writer: RowsWriter, batches: Vec<RecordBatch>) -> RowsBody {
        RowsBody { before: None, after: b"", writer, batches, batch: 0, row: 0, ended: false }
    }

    /// The same between two pieces of text.
    #[must_use]
    pub fn within(before: Vec<u8>, rows: RowsBody, after: &'static [u8]) -> RowsBody {
        RowsBody { before: Some(Bytes::from(before)), after, ..rows }
    }

    /// The next piece; `None` at the end.
    fn next_piece(&mut self) -> Result<Option<Bytes>, WriteRowsError> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        let mut piece = Vec::new();
        while let Some(batch) = self.batches.get(self.batch) {
            if self.row < batch.num_rows() {
                let rows = batch.slice(self.row, ROWS_PER_PIECE.min(batch.num_rows() - self.row));
                self.row += rows.num_rows();
                self.writer.write(&rows, &mut piece)?;
                // Some formats gather many rows before they write any.
                if !piece.is_empty() {
                    return Ok(Some(Bytes::from(piece)));
                }
            } else {
                self.batches[self.batch] = RecordBatch::new_empty(batch.schema());
                self.batch += 1;
                self.row = 0;
            }
        }
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        self.writer.end(&mut piece)?;
        piece.extend_from_slice(self.after);
        Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
    }
}

impl Body for RowsBody {
    type Data = Bytes;
    type Error = WriteRowsError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WriteRowsError>>> {
        Poll::Ready(self.next_piece().transpose().map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use headwater_codec::write_rows::RowsFormat;

    use super::*;

    fn numbers(from: i64, to: i64) -> RecordBatch {
        let column = Arc::new(Int64Array::from_iter_values(from..to)) as arrow::array::ArrayRef;
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    fn rows(format: RowsFormat, batches: Vec<RecordBatch>) -> RowsBody {
        RowsBody::new(RowsWriter::new(format, &numbers(0, 0).schema()).unwrap(), batches)
    }

    fn text(mut body: RowsBody) -> String {
        let mut whole = Vec::new();
        while let Some(piece) = body.next_piece().unwrap() {
            whole.extend_from_slice(&piece);
        }
        String::from_utf8(whole).unwrap()
    }

    fn array(batches: Vec<RecordBatch>) -> String {
        text(RowsBody::within(b"[".to_vec(), rows(RowsFormat::ArrayElements, batches), b"]"))
    }

    #[test]
    fn an_array_over_several_batches_and_pieces_is_valid_json() {
        let whole = array(vec![numbers(0, 2_000), numbers(0, 0), numbers(2_000, 2_001)]);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&whole).unwrap();
        assert_eq!(rows.len(), 2_001);
        assert_eq!(rows[2_000]["n"], 2_000);
    }

    #[test]
    fn no_rows_are_an_empty_array_or_no_lines_or_a_header() {
        assert_eq!(array(vec![numbers(0, 0)]), "[]");
        assert_eq!(text(rows(RowsFormat::Ndjson, vec![])), "");
        assert_eq!(text(rows(RowsFormat::Csv, vec![])), "n\n");
    }

    #[test]
    fn ndjson_is_a_line_per_row() {
        assert_eq!(text(rows(RowsFormat::Ndjson, vec![numbers(7, 9)])), "{\"n\":7}\n{\"n\":8}\n");
    }
}
