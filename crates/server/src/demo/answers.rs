use super::cell::{Cell, Kind};
use super::data::Data;

/// Delays by airline, hour, weather.
mod delays;
/// Means of floats without rounding on the way.
mod exact;
/// Grouping rows by a key.
mod groups;
/// Routes, airports and aircraft.
mod traffic;

/// What a view must hold when the month is over.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) view: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// Sorted; a row that is there twice stands twice.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Answer {
    fn new(view: &'static str, columns: &'static [(&'static str, Kind)], mut rows: Vec<Vec<Cell>>) -> Answer {
        rows.sort();
        Answer { view, columns, rows }
    }
}

/// Every materialised view of the program, computed from the files by loops and maps: no SQL has a part in it.
pub(super) fn all(data: &Data) -> Vec<Answer> {
    vec![
        delays::airline_delays(data),
        delays::punctuality(data),
        delays::delays_by_weather(data),
        delays::delays_by_hour(data),
        traffic::busiest_routes(data),
        traffic::planes_by_manufacturer(data),
        traffic::airport_traffic(data),
        delays::very_late(data),
    ]
}

#[cfg(test)]
mod tests;
