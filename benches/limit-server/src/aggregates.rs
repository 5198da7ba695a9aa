use std::collections::HashMap;

use parking_lot::RwLock;

use crate::Event;

const SHARDS: usize = 64;

#[derive(Default)]
struct Aggregate {
    events: u64,
    clicks: i64,
    sum: f64,
    min: f64,
    max: f64,
    last: i64,
}

type Shard = RwLock<HashMap<Box<str>, Aggregate, ahash::RandomState>>;

/// Count, clicks, sum, extremes and last time of each user, in shards with a lock each.
pub(crate) struct Aggregates {
    shards: Vec<Shard>,
    hasher: ahash::RandomState,
}

impl Default for Aggregates {
    fn default() -> Aggregates {
        Aggregates {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            hasher: ahash::RandomState::new(),
        }
    }
}

impl Aggregates {
    /// Adds one event; `None` if its time cannot be read.
    pub(crate) fn apply(&self, event: &Event<'_>) -> Option<()> {
        let time = seconds(event.timestamp)?;
        let shard = usize::try_from(self.hasher.hash_one(event.user_id)).ok()? % SHARDS;
        let mut users = self.shards[shard].write();
        let aggregate = match users.get_mut(event.user_id) {
            Some(aggregate) => aggregate,
            None => users.entry(event.user_id.into()).or_default(),
        };
        aggregate.events += 1;
        aggregate.clicks += event.clicked;
        aggregate.sum += event.price;
        aggregate.min = aggregate.min.min(event.price);
        aggregate.max = aggregate.max.max(event.price);
        aggregate.last = aggregate.last.max(time);
        Some(())
    }
}

/// Seconds since 1970 of `2023-01-02T00:25:06Z`.
fn seconds(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 {
        return None;
    }
    let number = |start: usize, length: usize| {
        bytes[start..start + length]
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    // Years that start in March put the leap day last; 400 of them are an era of 146,097 days.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + number(11, 2)? * 3_600 + number(14, 2)? * 60 + number(17, 2)?)
}
