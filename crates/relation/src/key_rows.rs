use arrow::array::ArrayRef;
use arrow::row::Rows;

/// Keys as memcomparable bytes: equal keys have equal bytes, and bytes order as keys do, NULL first.
#[derive(Debug)]
pub struct KeyRows {
    columns: Vec<ArrayRef>,
    rows: Rows,
}

impl KeyRows {
    pub(crate) fn new(columns: Vec<ArrayRef>, rows: Rows) -> KeyRows {
        KeyRows { columns, rows }
    }

    /// The number of keys.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// The bytes of one key.
    #[must_use]
    pub fn key(&self, row: usize) -> &[u8] {
        self.rows.row(row).data()
    }

    /// The bytes of all keys, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.num_rows()).map(|row| self.key(row))
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(crate) fn columns(&self) -> &[ArrayRef] {
        &self.columns
    }
}
