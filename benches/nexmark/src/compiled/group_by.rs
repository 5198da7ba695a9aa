use dbsp::RootCircuit;
use dbsp::utils::Tup2;

use super::{Cells, Ends, indexed_output, integer};
use crate::events::Bid;
use crate::side::Row;

const WINDOW_US: i64 = 10_000_000;

/// The number of bids on each auction in each window of ten seconds, and what they add up to.
pub(crate) fn group_by(circuit: &mut RootCircuit) -> Ends {
    let (bids, bids_input) = circuit.add_input_zset();
    let totals = bids
        .map_index(|bid: &Bid| (Tup2(bid.auction, bid.date_time / WINDOW_US), bid.price))
        .aggregate_linear_postprocess(|price: &i64| Tup2(1_i64, *price), |totals: Tup2<i64, i64>| totals);
    Ends {
        bids: Some(bids_input),
        output: Some(indexed_output(totals.accumulate_output())),
        ..Ends::default()
    }
}

impl Cells for Tup2<i64, i64> {
    fn cells(&self) -> Row {
        let Tup2(first, second) = self;
        vec![integer(*first), integer(*second)]
    }
}
