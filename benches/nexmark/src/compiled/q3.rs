use dbsp::RootCircuit;
use dbsp::utils::{Tup3, Tup4};

use super::{Cells, Ends, integer, output, text};
use crate::side::Row;

/// Auctions of category 10 whose sellers live in Oregon, Idaho or California.
pub(crate) fn q3(circuit: &mut RootCircuit) -> Ends {
    let (persons, persons_input) = circuit.add_input_zset();
    let (auctions, auctions_input) = circuit.add_input_zset();
    let sellers = persons.flat_map_index(|person: &crate::events::Person| {
        matches!(person.state.as_str(), "OR" | "ID" | "CA")
            .then(|| (person.id, Tup3(person.name.clone(), person.city.clone(), person.state.clone())))
    });
    let auctions = auctions.flat_map_index(|auction: &crate::events::Auction| {
        (auction.category == 10).then_some((auction.seller, auction.id))
    });
    let joined = auctions.join(&sellers, |_, auction, Tup3(name, city, state)| {
        Tup4(name.clone(), city.clone(), state.clone(), *auction)
    });
    Ends {
        persons: Some(persons_input),
        auctions: Some(auctions_input),
        output: Some(output(joined.accumulate_output())),
        ..Ends::default()
    }
}

impl Cells for Tup4<String, String, String, i64> {
    fn cells(&self) -> Row {
        let Tup4(name, city, state, auction) = self;
        vec![text(name), text(city), text(state), integer(*auction)]
    }
}
