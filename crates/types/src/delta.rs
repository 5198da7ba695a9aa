use std::sync::Arc;

use arrow::record_batch::RecordBatch;

/// Rows and how often each was added (positive) or removed (negative).
#[derive(Clone, Debug)]
pub struct WeightedRows {
    /// The rows.
    pub rows: RecordBatch,
    /// One non-zero weight per row; `None` when every weight is +1.
    pub weights: Option<Arc<[i64]>>,
}

impl WeightedRows {
    /// Rows that were each added once.
    #[must_use]
    pub fn inserted(rows: RecordBatch) -> WeightedRows {
        WeightedRows { rows, weights: None }
    }

    /// Rows with their weights.
    ///
    /// # Panics
    /// If there is not exactly one weight per row.
    #[must_use]
    pub fn weighted(rows: RecordBatch, weights: Vec<i64>) -> WeightedRows {
        assert_eq!(rows.num_rows(), weights.len(), "each row has one weight");
        WeightedRows { rows, weights: Some(weights.into()) }
    }

    /// The weight of one row.
    #[must_use]
    pub fn weight(&self, row: usize) -> i64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }
}

/// A change of one relation: a list of weighted rows, not necessarily consolidated.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The parts; their order has no meaning.
    pub parts: Vec<WeightedRows>,
}

impl Delta {
    /// A change that adds each row once.
    #[must_use]
    pub fn inserted(rows: RecordBatch) -> Delta {
        Delta { parts: vec![WeightedRows::inserted(rows)] }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.rows.num_rows() == 0)
    }

    /// The number of rows, weights not counted.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows.num_rows()).sum()
    }
}
