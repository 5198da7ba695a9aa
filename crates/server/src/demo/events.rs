use std::collections::BTreeMap;

use super::data::{Data, Flight, Weather, seconds};

/// A flight shows up so long before it is due.
const SHOWN_BEFORE_SECONDS: i64 = 3 * 3_600;
const HOUR_SECONDS: i64 = 3_600;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'a> {
    /// The weather was observed: a new row.
    Observed(&'a Weather),
    /// The flight was put on the board: a new row.
    Scheduled(&'a Flight),
    /// It departed: its row is patched.
    Departed(&'a Flight),
    /// It arrived: its row is patched again.
    Arrived(&'a Flight),
    /// It was cancelled: its row is deleted.
    Cancelled(&'a Flight),
}

/// The events of one hour, for each connection those it pushes. A flight's events stay on one connection, so they
/// keep their order.
#[derive(Clone, Debug)]
pub(super) struct Hour<'a> {
    /// Seconds since 1970 at which the hour starts.
    pub(super) starts: i64,
    /// By connection, in event-time order.
    pub(super) by_connection: Vec<Vec<Event<'a>>>,
}

impl Hour<'_> {
    /// Events of all connections.
    pub(super) fn count(&self) -> usize {
        self.by_connection.iter().map(Vec::len).sum()
    }
}

/// All events in hours, in order. Hours without events are left out.
pub(super) fn by_hour(data: &Data, connections: usize) -> Vec<Hour<'_>> {
    let mut timed: Vec<(i64, usize, Event<'_>)> = Vec::new();
    for (index, weather) in data.weather.iter().enumerate() {
        timed.push((seconds(&weather.observed), index % connections, Event::Observed(weather)));
    }
    for (index, flight) in data.flights.iter().enumerate() {
        timed.extend(of_flight(flight).into_iter().map(|(time, event)| (time, index % connections, event)));
    }
    timed.sort_by_key(|(time, ..)| *time);

    let mut hours: BTreeMap<i64, Vec<Vec<Event<'_>>>> = BTreeMap::new();
    for (time, connection, event) in timed {
        let hour =
            hours.entry(time.div_euclid(HOUR_SECONDS)).or_insert_with(|| vec![Vec::new(); connections]);
        hour[connection].push(event);
    }
    let hour = |(number, by_connection)| Hour { starts: number * HOUR_SECONDS, by_connection };
    hours.into_iter().map(hour).collect()
}

/// What happened to one flight, in the order in which it happened.
fn of_flight(flight: &Flight) -> Vec<(i64, Event<'_>)> {
    let due = seconds(&flight.scheduled);
    let mut events = vec![(due - SHOWN_BEFORE_SECONDS, Event::Scheduled(flight))];
    match flight.dep_delay {
        None => events.push((due, Event::Cancelled(flight))),
        Some(minutes) => {
            let departed = due + i64::from(minutes) * 60;
            events.push((departed, Event::Departed(flight)));
            if let (Some(_), Some(air_minutes)) = (flight.arr_delay, flight.air_time) {
                events.push((departed + i64::from(air_minutes) * 60, Event::Arrived(flight)));
            }
        }
    }
    events
}

#[cfg(test)]
mod tests;
