use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};
use headwater_types::WeightedRows;

use crate::row::ByteRow;

/// Columns to memcomparable bytes and back.
#[derive(Debug)]
pub(crate) struct RowCodec {
    /// `None` for rows without columns, whose bytes are empty.
    converter: Option<RowConverter>,
}

/// The encoded rows of a batch.
pub(crate) enum EncodedRows {
    /// Rows without columns.
    Empty,
    Rows(Rows),
}

impl RowCodec {
    /// A codec of columns of these types.
    pub(crate) fn new<'a>(types: impl Iterator<Item = &'a DataType>) -> RowCodec {
        RowCodec::with_order(types.map(|data_type| (data_type, SortOptions::default())))
    }

    /// A codec of columns of these types, each with its order.
    pub(crate) fn with_order<'a>(types: impl Iterator<Item = (&'a DataType, SortOptions)>) -> RowCodec {
        let fields: Vec<SortField> =
            types.map(|(data_type, order)| SortField::new_with_options(data_type.clone(), order)).collect();
        let converter = (!fields.is_empty())
            .then(|| RowConverter::new(fields).expect("every type of columns has a row encoding"));
        RowCodec { converter }
    }

    /// Encodes columns.
    pub(crate) fn encode(&self, columns: &[ArrayRef]) -> EncodedRows {
        match &self.converter {
            None => EncodedRows::Empty,
            Some(converter) => EncodedRows::Rows(
                converter.convert_columns(columns).expect("the columns have the codec's types"),
            ),
        }
    }

    /// Decodes rows that this codec, or the codecs of its columns one after another, encoded.
    pub(crate) fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Vec<ArrayRef> {
        let Some(converter) = &self.converter else { return Vec::new() };
        let parser = converter.parser();
        converter
            .convert_rows(rows.map(|row| parser.parse(row)))
            .expect("the rows were encoded by this codec")
    }
}

impl EncodedRows {
    /// The bytes of one row.
    pub(crate) fn row(&self, row: usize) -> ByteRow {
        match self {
            EncodedRows::Empty => ByteRow::default(),
            EncodedRows::Rows(rows) => ByteRow::new(rows.row(row).as_ref()),
        }
    }
}

/// A batch with the weights of its rows.
pub(crate) fn weighted(rows: arrow::record_batch::RecordBatch, weights: Vec<i64>) -> WeightedRows {
    if weights.iter().all(|weight| *weight == 1) {
        return WeightedRows::inserted(rows);
    }
    WeightedRows::weighted(rows, weights)
}
