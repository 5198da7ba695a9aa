use dbsp::RootCircuit;
use dbsp::utils::{Tup2, Tup3};

use super::{Cells, Ends, indexed_output, integer};
use crate::events::Bid;
use crate::side::Row;

const DAY_US: i64 = 86_400_000_000;

/// The number of bids, of bidders and of auctions with bids by day.
pub(crate) fn q15(circuit: &mut RootCircuit) -> Ends {
    let (bids, bids_input) = circuit.add_input_zset();
    let day = |bid: &Bid| bid.date_time / DAY_US;
    let bid_count = bids.map_index(move |bid| (day(bid), ())).aggregate_linear(|()| 1_i64);
    let bidders = bids.map_index(move |bid| (day(bid), bid.bidder)).distinct().aggregate_linear(|_| 1_i64);
    let auctions = bids.map_index(move |bid| (day(bid), bid.auction)).distinct().aggregate_linear(|_| 1_i64);
    let counts = bid_count
        .join_index(&bidders, |day, bids, bidders| Some((*day, Tup2(*bids, *bidders))))
        .join_index(&auctions, |day, Tup2(bids, bidders), auctions| {
            Some((*day, Tup3(*bids, *bidders, *auctions)))
        });
    Ends {
        bids: Some(bids_input),
        output: Some(indexed_output(counts.accumulate_output())),
        ..Ends::default()
    }
}

impl Cells for Tup3<i64, i64, i64> {
    fn cells(&self) -> Row {
        let Tup3(first, second, third) = self;
        vec![integer(*first), integer(*second), integer(*third)]
    }
}
