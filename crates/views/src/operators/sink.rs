use std::cell::RefCell;
use std::rc::Rc;

use arrow::array::UInt64Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use headwater_types::{Delta, WeightedRows};

use super::Rows;
use crate::chain::batch;
use crate::codec::{EncodedRows, RowCodec, weighted};

/// Where the changes of one view end up during a step.
pub(crate) struct Sink {
    parts: Rc<RefCell<Vec<WeightedRows>>>,
    schema: SchemaRef,
    codec: RowCodec,
}

impl Sink {
    /// Gathers what flows through a stream.
    pub(super) fn new(rows: &Rows, schema: SchemaRef) -> Sink {
        let parts = Rc::new(RefCell::new(Vec::new()));
        let gathered = parts.clone();
        rows.inspect(move |delta: &Delta| {
            gathered.borrow_mut().extend(delta.parts.iter().filter(|part| part.rows.num_rows() > 0).cloned());
        });
        let codec = RowCodec::new(schema.fields().iter().map(|field| field.data_type()));
        Sink { parts, schema, codec }
    }

    /// The net change since the last call. If something was taken back, or something repeats in sorted parts of
    /// several operators, rows are merged and ordered by their bytes; a change that only adds rows, as most are,
    /// keeps them as they came.
    pub(crate) fn take(&self) -> Delta {
        let parts = self.parts.take();
        let parts: Vec<WeightedRows> = parts
            .into_iter()
            .map(|part| WeightedRows {
                rows: batch(&self.schema, part.rows.columns().to_vec(), part.rows.num_rows()),
                weights: part.weights,
            })
            .collect();
        let only_adds =
            parts.iter().all(|part| part.weights.as_ref().is_none_or(|w| w.iter().all(|w| *w > 0)));
        if only_adds { Delta { parts } } else { self.merged(&parts) }
    }

    fn merged(&self, parts: &[WeightedRows]) -> Delta {
        let rows = concat_batches(&self.schema, parts.iter().map(|part| &part.rows))
            .expect("all parts have the view's schema");
        let weights: Vec<i64> =
            parts.iter().flat_map(|part| (0..part.rows.num_rows()).map(|row| part.weight(row))).collect();
        let (kept, weights) = net(&self.codec.encode(rows.columns()), &weights);
        if kept.is_empty() {
            return Delta::default();
        }
        let rows =
            take_record_batch(&rows, &UInt64Array::from(kept)).expect("the kept rows are among the rows");
        Delta { parts: vec![weighted(rows, weights)] }
    }
}

/// The first of each set of equal rows whose weights do not add up to zero, in the order of their bytes, and
/// what their weights add up to.
fn net(rows: &EncodedRows, weights: &[i64]) -> (Vec<u64>, Vec<i64>) {
    let EncodedRows::Rows(rows) = rows else {
        unreachable!("a view has at least one column");
    };
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| rows.row(*a).cmp(&rows.row(*b)));
    let groups = order.chunk_by(|a, b| rows.row(*a) == rows.row(*b));
    let totals = groups.map(|group| (group[0], group.iter().map(|row| weights[*row]).sum::<i64>()));
    totals.filter(|(_, total)| *total != 0).map(|(row, total)| (row as u64, total)).unzip()
}
