use std::cell::Cell;

use arrow::record_batch::RecordBatch;
use dbsp::{Circuit, RootCircuit};
use dbsp::operator::Generator;
use headwater_types::Delta;

use super::Rows;

/// Gives the rows in the first step, and nothing after.
pub(super) fn constant(circuit: &RootCircuit, rows: RecordBatch) -> Rows {
    let rows = Cell::new(Some(rows));
    circuit.add_source(Generator::new(move || rows.take().map(Delta::inserted).unwrap_or_default()))
}
