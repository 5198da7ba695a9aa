use super::super::cell::Kind;
use super::*;

fn answer() -> Answer {
    Answer {
        view: "v",
        columns: &[("name", Kind::Text), ("mean", Kind::Real)],
        rows: vec![
            vec![Cell::text("a"), Cell::Real(0.5)],
            vec![Cell::text("a"), Cell::Real(0.5)],
            vec![Cell::text("b"), Cell::Null],
        ],
    }
}

fn differs(lines: &[&str]) -> Option<String> {
    let rows: Vec<Value> = lines.iter().map(|line| sonic_rs::from_str(line).unwrap()).collect();
    difference(&answer(), &rows, Cell::eq)
}

#[test]
fn equal_rows_in_any_order_are_equal() {
    let rows = [r#"{"name":"b","mean":null}"#, r#"{"mean":0.5,"name":"a"}"#, r#"{"name":"a","mean":0.5}"#];
    assert_eq!(differs(&rows), None);
}

#[test]
fn a_missing_a_changed_and_a_foreign_row_are_found() {
    let [a, b] = [r#"{"name":"a","mean":0.5}"#, r#"{"name":"b","mean":null}"#];
    assert_eq!(differs(&[a, b]).unwrap(), "expected a | 0.5, found b | NULL");
    assert_eq!(differs(&[a, a]).unwrap(), "expected b | NULL, found no row");
    let last_digit = r#"{"name":"a","mean":0.5000000000000001}"#;
    assert_eq!(differs(&[a, last_digit, b]).unwrap(), "expected a | 0.5, found a | 0.5000000000000001");
    assert!(differs(&[a, a, r#"{"name":"b"}"#]).unwrap().starts_with("a row with other columns"));
}

#[test]
fn only_floats_may_be_nearly_equal() {
    assert!(nearly_equal(&Cell::Real(10.462_787_423_103_213), &Cell::Real(10.462_787_423_102_746)));
    assert!(!nearly_equal(&Cell::Real(10.462_787), &Cell::Real(10.462_788)));
    assert!(!nearly_equal(&Cell::Integer(10), &Cell::Integer(11)));
    assert!(!nearly_equal(&Cell::Null, &Cell::Real(0.0)));
    assert!(nearly_equal(&Cell::Real(0.0), &Cell::Real(0.0)));
}
