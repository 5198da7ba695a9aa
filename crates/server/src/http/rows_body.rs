use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use headwater_codec::json::{write_rows_array_elements, write_rows_ndjson};
use http_body::{Body, Frame};

/// Rows written before a piece is handed to the socket.
const ROWS_PER_PIECE: usize = 1_024;

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsFormat {
    /// One object per line.
    Ndjson,
    /// The elements of a JSON array, commas between.
    ArrayElements,
}

/// Rows of an answer, turned into text only as fast as the client takes it.
#[derive(Debug)]
pub struct RowsBody {
    before: Option<Bytes>,
    batches: Vec<RecordBatch>,
    after: Option<Bytes>,
    format: RowsFormat,
    batch: usize,
    row: usize,
    wrote_rows: bool,
}

impl RowsBody {
    /// The rows, one object per line.
    #[must_use]
    pub fn ndjson(batches: Vec<RecordBatch>) -> RowsBody {
        RowsBody::new(None, batches, None, RowsFormat::Ndjson)
    }

    /// A JSON document whose array's elements, between these two pieces of text, are the rows.
    #[must_use]
    pub fn within(before: Vec<u8>, batches: Vec<RecordBatch>, after: &'static [u8]) -> RowsBody {
        let (before, after) = (Some(Bytes::from(before)), Some(Bytes::from_static(after)));
        RowsBody::new(before, batches, after, RowsFormat::ArrayElements)
    }

    fn new(
        before: Option<Bytes>,
        batches: Vec<RecordBatch>,
        after: Option<Bytes>,
        format: RowsFormat,
    ) -> RowsBody {
        RowsBody { before, batches, after, format, batch: 0, row: 0, wrote_rows: false }
    }

    /// The next piece of text; `None` at the end.
    fn next_piece(&mut self) -> Option<Bytes> {
        if let Some(before) = self.before.take() {
            return Some(before);
        }
        while let Some(batch) = self.batches.get(self.batch) {
            if self.row < batch.num_rows() {
                return Some(self.rows());
            }
            self.batches[self.batch] = RecordBatch::new_empty(batch.schema());
            self.batch += 1;
            self.row = 0;
        }
        self.after.take()
    }

    fn rows(&mut self) -> Bytes {
        let batch = &self.batches[self.batch];
        let rows = batch.slice(self.row, ROWS_PER_PIECE.min(batch.num_rows() - self.row));
        let mut text = Vec::with_capacity(rows.num_rows() * 64);
        match self.format {
            RowsFormat::Ndjson => write_rows_ndjson(&rows, &mut text),
            RowsFormat::ArrayElements => {
                if self.wrote_rows {
                    text.push(b',');
                }
                write_rows_array_elements(&rows, &mut text);
            }
        }
        self.wrote_rows = true;
        self.row += rows.num_rows();
        Bytes::from(text)
    }
}

impl Body for RowsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_none() && self.after.is_none() && self.batch >= self.batches.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    fn numbers(from: i64, to: i64) -> RecordBatch {
        let column = Arc::new(Int64Array::from_iter_values(from..to)) as arrow::array::ArrayRef;
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    fn text(mut body: RowsBody) -> String {
        let mut whole = Vec::new();
        while let Some(piece) = body.next_piece() {
            whole.extend_from_slice(&piece);
        }
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn an_array_over_several_batches_and_pieces_is_valid_json() {
        let batches = vec![numbers(0, 2_000), numbers(0, 0), numbers(2_000, 2_001)];
        let whole = text(RowsBody::within(b"[".to_vec(), batches, b"]"));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&whole).unwrap();
        assert_eq!(rows.len(), 2_001);
        assert_eq!(rows[2_000]["n"], 2_000);
    }

    #[test]
    fn no_rows_are_an_empty_array_or_no_lines() {
        assert_eq!(text(RowsBody::within(b"[".to_vec(), vec![numbers(0, 0)], b"]")), "[]");
        assert_eq!(text(RowsBody::ndjson(vec![])), "");
    }

    #[test]
    fn ndjson_is_a_line_per_row() {
        assert_eq!(text(RowsBody::ndjson(vec![numbers(7, 9)])), "{\"n\":7}\n{\"n\":8}\n");
    }
}
