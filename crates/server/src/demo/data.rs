use std::io::Read;

use chrono::NaiveDateTime;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

const FLIGHTS: &[u8] = include_bytes!("../../../../examples/flights/data/flights.csv.gz");
const WEATHER: &[u8] = include_bytes!("../../../../examples/flights/data/weather.csv.gz");
/// The file that is pushed as it is.
pub(super) const PLANES: &[u8] = include_bytes!("../../../../examples/flights/data/planes.csv.gz");
/// The file that is pushed as it is.
pub(super) const AIRLINES: &[u8] = include_bytes!("../../../../examples/flights/data/airlines.csv.gz");

/// A scheduled departure and what became of it. Delays and air time are minutes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Flight {
    pub(super) scheduled: String,
    pub(super) carrier: String,
    pub(super) flight: i32,
    pub(super) origin: String,
    pub(super) dest: String,
    pub(super) tailnum: Option<String>,
    pub(super) distance_miles: i32,
    /// None: cancelled.
    pub(super) dep_delay: Option<i32>,
    /// None: did not arrive as planned.
    pub(super) arr_delay: Option<i32>,
    pub(super) air_time: Option<i32>,
}

/// One hour's weather at one airport.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(super) struct Weather {
    pub(super) observed: String,
    pub(super) origin: String,
    pub(super) temp_f: Option<f64>,
    pub(super) wind_mph: Option<f64>,
    pub(super) precip_in: Option<f64>,
    pub(super) pressure_mb: Option<f64>,
    pub(super) visib_miles: Option<f64>,
}

/// An aircraft; only the columns that an answer needs.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Plane {
    pub(super) tailnum: String,
    pub(super) built: Option<i32>,
    pub(super) manufacturer: Option<String>,
    pub(super) seats: Option<i32>,
}

/// A carrier's name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Airline {
    pub(super) carrier: String,
    pub(super) name: String,
}

/// All that the binary carries.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) flights: Vec<Flight>,
    pub(super) weather: Vec<Weather>,
    pub(super) planes: Vec<Plane>,
    pub(super) airlines: Vec<Airline>,
}

impl Data {
    /// Parses the embedded files.
    pub(super) fn embedded() -> Data {
        Data {
            flights: rows(FLIGHTS),
            weather: rows(WEATHER),
            planes: rows(PLANES),
            airlines: rows(AIRLINES),
        }
    }

    /// The flights that departed.
    pub(super) fn departures(&self) -> impl Iterator<Item = (&Flight, i32)> {
        self.flights.iter().filter_map(|flight| Some((flight, flight.dep_delay?)))
    }
}

/// Seconds since 1970 of a time as the files write it.
pub(super) fn seconds(time: &str) -> i64 {
    NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%SZ")
        .expect("the embedded files write every time alike, which a test checks")
        .and_utc()
        .timestamp()
}

fn rows<T: DeserializeOwned>(gzip: &[u8]) -> Vec<T> {
    let mut text = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut text).expect("the embedded files are gzip, which a test checks");
    let mut reader = csv::Reader::from_reader(text.as_slice());
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the embedded files have these columns, which a test checks")
}

#[cfg(test)]
mod tests;
