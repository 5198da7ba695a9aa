use std::collections::HashMap;

use super::super::cell::{Cell, Kind};
use super::super::data::{Data, Flight, Plane};
use super::Answer;
use super::groups::{column, count, group_by};

const BUSY_DEPARTURES: usize = 200;

pub(super) fn busiest_routes(data: &Data) -> Answer {
    let columns = &[
        ("origin", Kind::Text),
        ("dest", Kind::Text),
        ("departures", Kind::Integer),
        ("avg_arr_delay", Kind::Real),
        ("fastest_minutes", Kind::Integer),
        ("slowest_minutes", Kind::Integer),
    ];
    let by_route =
        data.departures().map(|(flight, _)| ((flight.origin.as_str(), flight.dest.as_str()), flight));
    let busy = group_by(by_route).into_iter().filter(|(_, flights)| flights.len() >= BUSY_DEPARTURES);
    let row = |((origin, dest), flights): ((&str, &str), Vec<&Flight>)| {
        let air_time = column(&flights, |flight| flight.air_time);
        vec![
            Cell::text(origin),
            Cell::text(dest),
            Cell::Integer(count(&flights)),
            Cell::real(column(&flights, |flight| flight.arr_delay).mean()),
            Cell::integer(air_time.min()),
            Cell::integer(air_time.max()),
        ]
    };
    Answer::new("busiest_routes", columns, busy.map(row).collect())
}

pub(super) fn planes_by_manufacturer(data: &Data) -> Answer {
    let columns = &[
        ("manufacturer", Kind::Text),
        ("departures", Kind::Integer),
        ("seats_flown", Kind::Integer),
        ("miles_flown", Kind::Integer),
        ("oldest", Kind::Integer),
    ];
    let planes: HashMap<&str, &Plane> =
        data.planes.iter().map(|plane| (plane.tailnum.as_str(), plane)).collect();
    let flown = data.departures().filter_map(|(flight, _)| {
        let plane = *planes.get(flight.tailnum.as_deref()?)?;
        Some((plane.manufacturer.as_deref(), (flight, plane)))
    });
    let row = |(manufacturer, rows): (Option<&str>, Vec<(&Flight, &Plane)>)| {
        vec![
            manufacturer.map_or(Cell::Null, Cell::text),
            Cell::Integer(count(&rows)),
            Cell::integer(column(&rows, |(_, plane)| plane.seats).sum()),
            Cell::integer(column(&rows, |(flight, _)| Some(flight.distance_miles)).sum()),
            Cell::integer(column(&rows, |(_, plane)| plane.built).min()),
        ]
    };
    Answer::new("planes_by_manufacturer", columns, group_by(flown).into_iter().map(row).collect())
}

pub(super) fn airport_traffic(data: &Data) -> Answer {
    let columns = &[("airport", Kind::Text), ("direction", Kind::Text), ("movements", Kind::Integer)];
    let out = data.departures().map(|(flight, _)| ((flight.origin.as_str(), "out"), ()));
    let arrived = data.departures().filter(|(flight, _)| flight.arr_delay.is_some());
    let movements = group_by(out.chain(arrived.map(|(flight, _)| ((flight.dest.as_str(), "in"), ()))));
    let row = |((airport, direction), rows): ((&str, &str), Vec<()>)| {
        vec![Cell::text(airport), Cell::text(direction), Cell::Integer(count(&rows))]
    };
    Answer::new("airport_traffic", columns, movements.into_iter().map(row).collect())
}
