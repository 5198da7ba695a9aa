use std::collections::HashMap;

use super::super::cell::{Cell, Kind};
use super::super::data::{Data, Flight, Weather, seconds};
use super::groups::{column, count, group_by};
use super::{Answer, exact};

/// New York's clock in January.
const BEHIND_UTC_SECONDS: i64 = 5 * 3_600;
const ON_TIME_MINUTES: i32 = 15;

type Departure<'a> = (&'a Flight, i32);

/// Departures with their airline's name.
fn named(data: &Data) -> impl Iterator<Item = (&str, Departure<'_>)> {
    let names: HashMap<&str, &str> =
        data.airlines.iter().map(|a| (a.carrier.as_str(), a.name.as_str())).collect();
    data.departures()
        .filter_map(move |(flight, delay)| Some((*names.get(flight.carrier.as_str())?, (flight, delay))))
}

fn on_time(departures: &[Departure<'_>]) -> i64 {
    departures.iter().map(|(_, delay)| i64::from(*delay <= ON_TIME_MINUTES)).sum()
}

pub(super) fn airline_delays(data: &Data) -> Answer {
    let columns = &[
        ("airline", Kind::Text),
        ("departures", Kind::Integer),
        ("on_time", Kind::Integer),
        ("avg_delay", Kind::Real),
        ("worst_delay", Kind::Integer),
    ];
    let row = |(airline, departures): (&str, Vec<Departure<'_>>)| {
        let delays = column(&departures, |(_, delay)| Some(*delay));
        vec![
            Cell::text(airline),
            Cell::Integer(count(&departures)),
            Cell::Integer(on_time(&departures)),
            Cell::real(delays.mean()),
            Cell::integer(delays.max()),
        ]
    };
    Answer::new("airline_delays", columns, group_by(named(data)).into_iter().map(row).collect())
}

pub(super) fn punctuality(data: &Data) -> Answer {
    let columns = &[("airline", Kind::Text), ("departures", Kind::Integer), ("on_time_percent", Kind::Real)];
    let rows = group_by(named(data)).into_iter().filter(|(_, departures)| departures.len() >= 100);
    let row = |(airline, departures): (&str, Vec<Departure<'_>>)| {
        let percent = on_time(&departures) as f64 * 100.0 / count(&departures) as f64;
        vec![Cell::text(airline), Cell::Integer(count(&departures)), Cell::Real(percent)]
    };
    Answer::new("punctuality", columns, rows.map(row).collect())
}

pub(super) fn delays_by_weather(data: &Data) -> Answer {
    let columns = &[
        ("sky", Kind::Text),
        ("departures", Kind::Integer),
        ("avg_delay", Kind::Real),
        ("avg_wind_mph", Kind::Real),
        ("worst_visib_miles", Kind::Real),
    ];
    let observed: HashMap<(i64, &str), &Weather> =
        data.weather.iter().map(|w| ((seconds(&w.observed), w.origin.as_str()), w)).collect();
    let with_weather = data.departures().filter_map(|(flight, delay)| {
        let hour = seconds(&flight.scheduled).div_euclid(3_600) * 3_600;
        let weather = *observed.get(&(hour, flight.origin.as_str()))?;
        Some((sky(weather), (weather, delay)))
    });
    let row = |(sky, rows): (&str, Vec<(&Weather, i32)>)| {
        let wind: Vec<f64> = rows.iter().filter_map(|(weather, _)| weather.wind_mph).collect();
        let visibility = rows.iter().filter_map(|(weather, _)| weather.visib_miles).min_by(f64::total_cmp);
        vec![
            Cell::text(sky),
            Cell::Integer(count(&rows)),
            Cell::real(column(&rows, |(_, delay)| Some(*delay)).mean()),
            Cell::real(exact::mean(&wind)),
            Cell::real(visibility),
        ]
    };
    Answer::new("delays_by_weather", columns, group_by(with_weather).into_iter().map(row).collect())
}

/// What CASE makes of an hour; a comparison with NULL is not true.
fn sky(weather: &Weather) -> &'static str {
    let is = |value: Option<f64>, holds: fn(f64) -> bool| value.is_some_and(holds);
    if is(weather.visib_miles, |miles| miles < 2.0) {
        "fog"
    } else if is(weather.precip_in, |inches| inches > 0.0) {
        "rain or snow"
    } else if is(weather.wind_mph, |mph| mph >= 20.0) {
        "strong wind"
    } else {
        "fair"
    }
}

pub(super) fn delays_by_hour(data: &Data) -> Answer {
    let columns = &[
        ("origin", Kind::Text),
        ("local_hour", Kind::Integer),
        ("departures", Kind::Integer),
        ("avg_delay", Kind::Real),
    ];
    let local_hour = |flight: &Flight| {
        (seconds(&flight.scheduled) - BEHIND_UTC_SECONDS).rem_euclid(86_400).div_euclid(3_600)
    };
    let rows = data.departures().map(|(flight, delay)| ((flight.origin.as_str(), local_hour(flight)), delay));
    let row = |((origin, hour), delays): ((&str, i64), Vec<i32>)| {
        vec![
            Cell::text(origin),
            Cell::Integer(hour),
            Cell::Integer(count(&delays)),
            Cell::real(column(&delays, |delay| Some(*delay)).mean()),
        ]
    };
    Answer::new("delays_by_hour", columns, group_by(rows).into_iter().map(row).collect())
}

pub(super) fn very_late(data: &Data) -> Answer {
    let columns = &[
        ("airline", Kind::Text),
        ("flight", Kind::Integer),
        ("origin", Kind::Text),
        ("dest", Kind::Text),
        ("scheduled", Kind::Text),
        ("dep_delay", Kind::Integer),
    ];
    let late = named(data).filter(|(_, (_, delay))| *delay > 300);
    let row = |(airline, (flight, delay)): (&str, Departure<'_>)| {
        vec![
            Cell::text(airline),
            Cell::Integer(flight.flight.into()),
            Cell::text(&flight.origin),
            Cell::text(&flight.dest),
            Cell::text(&flight.scheduled),
            Cell::Integer(delay.into()),
        ]
    };
    Answer::new("very_late", columns, late.map(row).collect())
}
