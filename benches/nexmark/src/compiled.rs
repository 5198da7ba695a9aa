//! The queries as circuits of dbsp with static types, as they are written by hand or made by a compiler from SQL to
//! Rust. Each table has its own input; a circuit takes only what its query reads.

/// COUNT and SUM by auction and window of ten seconds.
mod group_by;
/// Bids, bidders and auctions by day.
mod q15;
/// Auctions of a category by sellers of some states.
mod q3;
/// The average price that auctions of a category close at.
mod q4;

use std::collections::VecDeque;

use dbsp::typed_batch::{IndexedZSetReader, SpineSnapshot};
use dbsp::utils::Tup2;
use dbsp::{
    DBData, DBSPHandle, OrdIndexedZSet, OrdZSet, OutputHandle, RootCircuit, Runtime, ZSetHandle, ZWeight,
};

pub(crate) use group_by::group_by;
pub(crate) use q3::q3;
pub(crate) use q4::q4;
pub(crate) use q15::q15;

use crate::events::{Auction, Bid, Event, Person};
use crate::side::{Cell, Row, Side};

/// Adds a query to a circuit.
pub(crate) type Build = fn(&mut RootCircuit) -> Ends;

/// Where rows go in and changes come out.
#[derive(Default)]
pub(crate) struct Ends {
    persons: Option<ZSetHandle<Person>>,
    auctions: Option<ZSetHandle<Auction>>,
    bids: Option<ZSetHandle<Bid>>,
    output: Option<Output>,
}

type Output = Box<dyn Fn() -> Vec<(Row, ZWeight)> + Send>;

/// What one step adds.
#[derive(Default)]
struct Inputs {
    persons: Vec<Tup2<Person, ZWeight>>,
    auctions: Vec<Tup2<Auction, ZWeight>>,
    bids: Vec<Tup2<Bid, ZWeight>>,
}

/// A running circuit.
pub(crate) struct Compiled {
    circuit: DBSPHandle,
    ends: Ends,
    prepared: VecDeque<Inputs>,
}

impl Compiled {
    /// Starts a query, with one worker as Headwater does.
    pub(crate) fn start(build: Build) -> Result<Compiled, String> {
        let (circuit, ends) =
            Runtime::init_circuit(1, move |circuit| Ok(build(circuit))).map_err(|error| error.to_string())?;
        Ok(Compiled { circuit, ends, prepared: VecDeque::new() })
    }
}

impl Side for Compiled {
    fn prepare(&mut self, events: &[Event]) {
        let mut inputs = Inputs::default();
        for event in events {
            match event {
                Event::Person(row) if self.ends.persons.is_some() => {
                    inputs.persons.push(Tup2(row.clone(), 1));
                }
                Event::Auction(row) if self.ends.auctions.is_some() => {
                    inputs.auctions.push(Tup2(row.clone(), 1));
                }
                Event::Bid(row) if self.ends.bids.is_some() => inputs.bids.push(Tup2(row.clone(), 1)),
                _ => {}
            }
        }
        self.prepared.push_back(inputs);
    }

    fn step(&mut self) {
        let mut inputs = self.prepared.pop_front().expect("a step was prepared");
        append(&self.ends.persons, &mut inputs.persons);
        append(&self.ends.auctions, &mut inputs.auctions);
        append(&self.ends.bids, &mut inputs.bids);
        self.circuit.transaction().expect("no step of the benchmark fails");
    }

    fn changes(&mut self) -> Vec<(Row, i64)> {
        self.ends.output.as_ref().map_or_else(Vec::new, |output| output())
    }
}

fn append<T: DBData>(handle: &Option<ZSetHandle<T>>, rows: &mut Vec<Tup2<T, ZWeight>>) {
    if let Some(handle) = handle {
        handle.append(rows);
    }
}

/// A row, or a part of one, as cells.
trait Cells {
    fn cells(&self) -> Row;
}

fn output<K: DBData + Cells>(handle: OutputHandle<SpineSnapshot<OrdZSet<K>>>) -> Output {
    Box::new(move || handle.concat().consolidate().iter().map(|(key, (), w)| (key.cells(), w)).collect())
}

fn indexed_output<K: DBData + Cells, V: DBData + Cells>(
    handle: OutputHandle<SpineSnapshot<OrdIndexedZSet<K, V>>>,
) -> Output {
    Box::new(move || {
        let changes = handle.concat().consolidate();
        changes.iter().map(|(key, value, w)| ([key.cells(), value.cells()].concat(), w)).collect()
    })
}

fn integer(value: i64) -> Cell {
    Cell::Integer(value)
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}
