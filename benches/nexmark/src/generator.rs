use crate::events::{Auction, Bid, Event, Person};
use crate::random::Random;

/// Of this many events in a row one is a person, three are auctions, the others are bids.
const CYCLE: i64 = 50;
const PERSONS: i64 = 1;
const AUCTIONS: i64 = 3;

const FIRST_ID: i64 = 1000;
const FIRST_CATEGORY: i64 = 10;
const CATEGORIES: i64 = 5;
/// 2026-01-01.
const START_US: i64 = 1_767_225_600_000_000;
/// Ten thousand events happen in a second.
const EVENT_US: i64 = 100;
/// Bids go to auctions that opened this recently.
const AUCTIONS_IN_FLIGHT: i64 = 100;
/// Sellers and bidders are among the persons that came this recently.
const PERSONS_ACTIVE: i64 = 1000;
/// Every hundredth auction or person is a hot one, until the next.
const HOT: i64 = 100;

const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] = [
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
];
const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] =
    ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// Nexmark's events: the proportions, hot keys and sizes of its reference generator, the same in every run.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    next: i64,
    random: Random,
}

impl Generator {
    /// All events from the first on.
    pub(crate) fn new() -> Generator {
        Generator { next: 0, random: Random::new(42) }
    }

    fn person(&mut self, at: Moment) -> Person {
        let random = &mut self.random;
        let name = format!("{} {}", random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
        Person {
            id: FIRST_ID + at.last_person,
            name,
            email_address: format!("{}@{}.com", random.letters(7), random.letters(5)),
            credit_card: format!(
                "{:04} {:04} {:04} {:04}",
                random.below(10_000),
                random.below(10_000),
                random.below(10_000),
                random.below(10_000)
            ),
            city: random.pick(&CITIES).to_owned(),
            state: random.pick(&STATES).to_owned(),
            date_time: at.date_time,
            extra: random.letters(60),
        }
    }

    fn auction(&mut self, at: Moment) -> Auction {
        let seller = if self.random.once_in(4) { self.any_person(at) } else { at.last_person / HOT * HOT };
        let initial_bid = self.price();
        let horizon_us = AUCTIONS_IN_FLIGHT * CYCLE / AUCTIONS * EVENT_US;
        let random = &mut self.random;
        Auction {
            id: FIRST_ID + at.last_auction,
            item_name: random.letters(20),
            description: random.letters(100),
            initial_bid,
            reserve: initial_bid + 10 * random.below(1000),
            date_time: at.date_time,
            expires: at.date_time + 1000 + random.below(2 * horizon_us),
            seller: FIRST_ID + seller,
            category: FIRST_CATEGORY + random.below(CATEGORIES),
            extra: random.letters(200),
        }
    }

    fn bid(&mut self, at: Moment) -> Bid {
        let auction = if self.random.once_in(2) { self.any_auction(at) } else { at.last_auction / HOT * HOT };
        let bidder =
            if self.random.once_in(4) { self.any_person(at) } else { at.last_person / HOT * HOT + 1 };
        let price = self.price();
        let random = &mut self.random;
        let channel = if random.once_in(2) {
            random.pick(&HOT_CHANNELS).to_owned()
        } else {
            format!("channel-{}", random.below(10_000))
        };
        let url = format!(
            "https://www.nexmark.com/{}/{}/{}/item.htm?query=1",
            random.letters(5),
            random.letters(5),
            random.letters(5)
        );
        Bid {
            auction: FIRST_ID + auction,
            bidder: FIRST_ID + bidder,
            price,
            channel,
            url,
            date_time: at.date_time,
            extra: random.letters(20),
        }
    }

    fn any_person(&mut self, at: Moment) -> i64 {
        let persons = at.last_person + 1;
        let active = persons.min(PERSONS_ACTIVE);
        persons - active + self.random.below(active)
    }

    fn any_auction(&mut self, at: Moment) -> i64 {
        let oldest = (at.last_auction - AUCTIONS_IN_FLIGHT).max(0);
        oldest + self.random.below(at.last_auction - oldest + 1)
    }

    /// Spread evenly over the orders of magnitude from one to a million, in hundredths.
    fn price(&mut self) -> i64 {
        let exponent = self.random.below(6_000_000) as f64 / 1e6;
        (10_f64.powf(exponent) * 100.0).round() as i64
    }
}

impl Iterator for Generator {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (cycle, offset) = (self.next / CYCLE, self.next % CYCLE);
        let at = Moment {
            date_time: START_US + self.next * EVENT_US,
            last_person: cycle * PERSONS + offset.min(PERSONS - 1),
            last_auction: (cycle * AUCTIONS + (offset - PERSONS).clamp(-1, AUCTIONS - 1)).max(0),
        };
        self.next += 1;
        Some(if offset < PERSONS {
            Event::Person(self.person(at))
        } else if offset < PERSONS + AUCTIONS {
            Event::Auction(self.auction(at))
        } else {
            Event::Bid(self.bid(at))
        })
    }
}

/// When an event happens, and what there is by then, counted from zero.
#[derive(Clone, Copy, Debug)]
struct Moment {
    date_time: i64,
    last_person: i64,
    last_auction: i64,
}
