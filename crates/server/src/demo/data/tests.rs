use super::*;

#[test]
fn every_embedded_row_can_be_read() {
    let data = Data::embedded();
    assert_eq!(data.flights.len(), 27_004);
    assert_eq!(data.departures().count(), 27_004 - 521);
    assert_eq!(data.weather.len(), 1_764);
    assert_eq!(data.planes.len(), 2_609);
    assert_eq!(data.airlines.len(), 16);
    let times = data.flights.iter().map(|f| &f.scheduled).chain(data.weather.iter().map(|w| &w.observed));
    let january = seconds("2013-01-01T00:00:00Z")..seconds("2013-02-02T00:00:00Z");
    assert!(times.map(|time| seconds(time)).all(|time| january.contains(&time)));
}

#[test]
fn a_time_is_seconds_since_1970() {
    assert_eq!(seconds("1970-01-01T00:01:40Z"), 100);
    assert_eq!(seconds("2013-01-01T10:15:00Z"), 1_357_035_300);
}
