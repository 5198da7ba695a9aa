//! What is written as Arrow or CSV is read as the same rows.
#![allow(clippy::unwrap_used)]

#[path = "common/batches.rs"]
mod batches;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use batches::table_with_rows;
use headwater_codec::write_rows::{RowsFormat, RowsWriter};
use headwater_codec::{BodyFormat, DecodeOptions, decode_table};
use proptest::prelude::*;

fn written(format: RowsFormat, batch: &RecordBatch, piece_rows: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let mut writer = RowsWriter::new(format, &batch.schema()).unwrap();
    for start in (0..batch.num_rows()).step_by(piece_rows) {
        let rows = piece_rows.min(batch.num_rows() - start);
        writer.write(&batch.slice(start, rows), &mut body).unwrap();
    }
    writer.end(&mut body).unwrap();
    body
}

proptest! {
    #[test]
    fn every_format_gives_the_rows_back((definition, batch) in table_with_rows(), piece_rows in 1..25_usize) {
        let formats = [
            (RowsFormat::Arrow, BodyFormat::Arrow),
            (RowsFormat::Csv, BodyFormat::Csv),
            (RowsFormat::Ndjson, BodyFormat::Ndjson),
        ];
        for (format, read_as) in formats {
            // A NULL alone on a line of CSV is a blank line, which is passed over.
            let has_blank_line = batch.num_columns() == 1 && batch.column(0).null_count() > 0;
            if format == RowsFormat::Csv && has_blank_line || format == RowsFormat::Ndjson && batch.num_rows() == 0 {
                continue;
            }
            let body = written(format, &batch, piece_rows);
            let decoded = decode_table(&body, read_as, std::slice::from_ref(&definition), 0, &DecodeOptions::default()).unwrap();
            prop_assert_eq!(&decoded.errors, &[], "{:?}", format);
            let rows = decoded.operations.iter().map(|operation| &operation.rows);
            let rows = concat_batches(&batch.schema(), rows).unwrap();
            prop_assert_eq!(&rows, &batch, "{:?}", format);
        }
    }
}

#[test]
fn csv_tells_null_from_an_empty_text_as_postgresql_does() {
    use arrow::array::{ArrayRef, Float64Array, StringArray};
    use std::sync::Arc;
    let texts: ArrayRef =
        Arc::new(StringArray::from(vec![Some(""), None, Some("a \"b\", c\nd"), Some(" x ")]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::NAN), None, Some(-0.5)]));
    let batch = RecordBatch::try_from_iter([("s, t", texts), ("f", floats)]).unwrap();
    let text = String::from_utf8(written(RowsFormat::Csv, &batch, 3)).unwrap();
    assert_eq!(text, "\"s, t\",f\n\"\",1.5\n,NaN\n\"a \"\"b\"\", c\nd\",\n x ,-0.5\n");
    let none = String::from_utf8(written(RowsFormat::Csv, &batch.slice(0, 0), 1)).unwrap();
    assert_eq!(none, "\"s, t\",f\n", "an answer without rows still names its columns");
}
