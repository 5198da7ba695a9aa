use super::*;

#[test]
fn an_event_is_one_line_that_names_table_operation_and_row() {
    let flight = Flight {
        scheduled: "2013-01-01T10:15:00Z".to_string(),
        carrier: "UA".to_string(),
        flight: 1545,
        origin: "EWR".to_string(),
        dest: "IAH".to_string(),
        tailnum: None,
        distance_miles: 1400,
        dep_delay: Some(2),
        arr_delay: Some(11),
        air_time: Some(227),
    };
    let events = [
        Event::Scheduled(&flight),
        Event::Departed(&flight),
        Event::Arrived(&flight),
        Event::Cancelled(&flight),
    ];
    let key = r#""scheduled":"2013-01-01T10:15:00Z","carrier":"UA","flight":1545,"origin":"EWR""#;
    let expected = [
        format!(
            r#"{{"table":"flights","op":"upsert","row":{{{key},"dest":"IAH","tailnum":null,"distance_miles":1400}}}}"#
        ),
        format!(r#"{{"table":"flights","op":"patch","row":{{{key},"dep_delay":2}}}}"#),
        format!(r#"{{"table":"flights","op":"patch","row":{{{key},"arr_delay":11,"air_time":227}}}}"#),
        format!(r#"{{"table":"flights","op":"delete","row":{{{key}}}}}"#),
    ];
    let text = String::from_utf8(body(&events)).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}
