use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_relation::{consolidate, row_bytes};
use headwater_types::{Delta, WeightedRows};

/// In which order a relation's new rows are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they were handed over: the order of a table's records.
    #[default]
    Given,
    /// By their bytes: a view's rows come out of its computation in any order.
    Bytes,
}

/// What a step changed in one relation, net and in its fixed order: first rows that go, by their bytes, then rows that
/// come. A row of weight k is k lines.
#[derive(Debug)]
pub(crate) struct Canonical {
    pub(crate) runs: Vec<Run>,
}

/// Rows that all go, or all come.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) is_delete: bool,
    pub(crate) rows: RecordBatch,
    /// Lines per row; `None` if every row is one.
    pub(crate) weights: Option<Arc<[u64]>>,
}

impl Run {
    pub(crate) fn weight(&self, row: usize) -> u64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }

    pub(crate) fn num_lines(&self) -> u64 {
        self.weights.as_ref().map_or(self.rows.num_rows() as u64, |weights| weights.iter().sum())
    }
}

impl Canonical {
    pub(crate) fn of(delta: &Delta, schema: &SchemaRef, order: Order) -> Canonical {
        let adds_once = |part: &WeightedRows| part.weights.iter().flat_map(|w| w.iter()).all(|w| *w == 1);
        if order == Order::Given && delta.parts.iter().all(adds_once) {
            return Canonical { runs: given_inserts(delta) };
        }
        let net = consolidate(delta, schema);
        let mut runs: Vec<Run> = net.parts.iter().filter_map(|part| run_of(part, true)).collect();
        match order {
            Order::Bytes => runs.extend(net.parts.iter().filter_map(|part| run_of(part, false))),
            Order::Given if absolute_weight(&net) == absolute_weight(delta) => {
                runs.extend(delta.parts.iter().filter_map(|part| run_of(part, false)));
            }
            Order::Given => runs.extend(surviving_inserts(delta, &net)),
        }
        Canonical { runs }
    }
}

fn given_inserts(delta: &Delta) -> Vec<Run> {
    let full = delta.parts.iter().filter(|part| part.rows.num_rows() > 0);
    full.map(|part| Run { is_delete: false, rows: part.rows.clone(), weights: None }).collect()
}

/// The sum of all weights, whatever their sign: smaller after netting if rows came and went.
fn absolute_weight(delta: &Delta) -> u128 {
    let part = |part: &WeightedRows| -> u128 {
        (0..part.rows.num_rows()).map(|row| u128::from(part.weight(row).unsigned_abs())).sum()
    };
    delta.parts.iter().map(part).sum()
}

/// The rows of a part that go, or those that come, in the part's order.
fn run_of(part: &WeightedRows, is_delete: bool) -> Option<Run> {
    let is_wanted = |row: &usize| (part.weight(*row) < 0) == is_delete;
    let wanted: Vec<usize> = (0..part.rows.num_rows()).filter(is_wanted).collect();
    if wanted.is_empty() {
        return None;
    }
    let weights = wanted.iter().map(|row| part.weight(*row).unsigned_abs()).collect();
    Some(chosen(&part.rows, &wanted, weights, is_delete))
}

fn chosen(rows: &RecordBatch, wanted: &[usize], weights: Vec<u64>, is_delete: bool) -> Run {
    let rows = if wanted.len() == rows.num_rows() {
        rows.clone()
    } else {
        let mut mask = vec![false; rows.num_rows()];
        wanted.iter().for_each(|row| mask[*row] = true);
        filter_record_batch(rows, &BooleanArray::from(mask)).expect("the mask has one entry per row")
    };
    let is_once = weights.iter().all(|weight| *weight == 1);
    Run { is_delete, rows, weights: (!is_once).then(|| weights.into()) }
}

/// The rows that come in the end, in the order in which they first came.
fn surviving_inserts(delta: &Delta, net: &Delta) -> Vec<Run> {
    let mut left: HashMap<Box<[u8]>, u64> = HashMap::new();
    for part in &net.parts {
        let bytes = row_bytes(&part.rows);
        for row in (0..part.rows.num_rows()).filter(|row| part.weight(*row) > 0) {
            left.insert(bytes.row(row).as_ref().into(), part.weight(row).unsigned_abs());
        }
    }
    let mut runs = Vec::new();
    for part in &delta.parts {
        let bytes = row_bytes(&part.rows);
        let mut wanted = Vec::new();
        let mut weights = Vec::new();
        for row in (0..part.rows.num_rows()).filter(|row| part.weight(*row) > 0) {
            let Some(left) = left.get_mut(bytes.row(row).as_ref()).filter(|left| **left > 0) else {
                continue;
            };
            let taken = part.weight(row).unsigned_abs().min(*left);
            *left -= taken;
            wanted.push(row);
            weights.push(taken);
        }
        if !wanted.is_empty() {
            runs.push(chosen(&part.rows, &wanted, weights, false));
        }
    }
    runs
}
