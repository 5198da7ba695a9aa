use ahash::RandomState;
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};

/// Turns columns into memcomparable bytes, one sequence per row, and back.
#[derive(Debug)]
pub(crate) struct RowEncoder {
    converter: RowConverter,
    hasher: RandomState,
}

impl RowEncoder {
    pub(crate) fn new<'a>(types: impl Iterator<Item = &'a DataType>) -> RowEncoder {
        let fields = types.map(|data_type| SortField::new(data_type.clone())).collect();
        let converter = RowConverter::new(fields).expect("every type of a column can be encoded");
        RowEncoder { converter, hasher: RandomState::new() }
    }

    pub(crate) fn encode(&self, columns: &[ArrayRef]) -> Rows {
        self.converter.convert_columns(columns).expect("the columns have the types of the schema")
    }

    /// The columns of one row; `row` was made by this encoder.
    pub(crate) fn decode(&self, row: &[u8]) -> Vec<ArrayRef> {
        let parser = self.converter.parser();
        self.converter.convert_rows([parser.parse(row)]).expect("the bytes are a row of this encoder")
    }

    /// Differs from encoder to encoder, so that nobody can choose rows with equal hashes.
    pub(crate) fn hash(&self, row: &[u8]) -> u32 {
        (self.hasher.hash_one(row) >> 32) as u32
    }
}
