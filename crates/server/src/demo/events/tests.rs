use std::collections::HashMap;

use super::*;

#[test]
fn every_flight_is_scheduled_first_and_stays_on_its_connection() {
    let data = Data::embedded();
    let hours = by_hour(&data, 4);
    let mut seen: HashMap<*const Flight, (usize, &str)> = HashMap::new();
    for hour in &hours {
        for (connection, events) in hour.by_connection.iter().enumerate() {
            for event in events {
                let (flight, state, from) = match event {
                    Event::Observed(_) => continue,
                    Event::Scheduled(flight) => (*flight, "scheduled", None),
                    Event::Departed(flight) => (*flight, "departed", Some("scheduled")),
                    Event::Arrived(flight) => (*flight, "arrived", Some("departed")),
                    Event::Cancelled(flight) => (*flight, "cancelled", Some("scheduled")),
                };
                let before = seen.insert(std::ptr::from_ref(flight), (connection, state));
                assert_eq!(before, from.map(|from| (connection, from)));
            }
        }
    }
    let ended = |state: &str| seen.values().filter(|(_, s)| *s == state).count();
    assert_eq!((ended("scheduled"), ended("cancelled"), ended("departed")), (0, 521, 85));
    assert_eq!(ended("arrived"), 27_004 - 521 - 85);
}

#[test]
fn hours_come_in_order() {
    let data = Data::embedded();
    let hours = by_hour(&data, 4);
    assert!(hours.windows(2).all(|pair| pair[0].starts < pair[1].starts));
    let events: usize = hours.iter().map(Hour::count).sum();
    assert_eq!(events, 1_764 + 27_004 + 521 + 26_483 + 26_398);
}
