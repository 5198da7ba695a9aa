use dbsp::RootCircuit;
use dbsp::algebra::F64;
use dbsp::operator::Max;
use dbsp::utils::{Tup2, Tup3};

use super::{Cells, Ends, indexed_output, integer};
use crate::events::{Auction, Bid};
use crate::side::{Cell, Row};

/// The average, by category, of the highest bids that came while auctions were open.
pub(crate) fn q4(circuit: &mut RootCircuit) -> Ends {
    let (auctions, auctions_input) = circuit.add_input_zset();
    let (bids, bids_input) = circuit.add_input_zset();
    let auctions = auctions.map_index(|auction: &Auction| {
        (auction.id, Tup3(auction.category, auction.date_time, auction.expires))
    });
    let bids = bids.map_index(|bid: &Bid| (bid.auction, Tup2(bid.price, bid.date_time)));
    let in_time = auctions.join_index(&bids, |auction, Tup3(category, opens, expires), Tup2(price, at)| {
        (opens <= at && at <= expires).then_some((Tup2(*auction, *category), *price))
    });
    let highest = in_time.aggregate(Max);
    let averages =
        highest.map_index(|(Tup2(_, category), price)| (*category, *price)).aggregate_linear_postprocess(
            |price: &i64| Tup2(*price, 1_i64),
            |Tup2(sum, count)| F64::new(sum as f64 / count as f64),
        );
    Ends {
        auctions: Some(auctions_input),
        bids: Some(bids_input),
        output: Some(indexed_output(averages.accumulate_output())),
        ..Ends::default()
    }
}

impl Cells for i64 {
    fn cells(&self) -> Row {
        vec![integer(*self)]
    }
}

impl Cells for F64 {
    fn cells(&self) -> Row {
        vec![Cell::Float(self.into_inner().to_bits())]
    }
}
