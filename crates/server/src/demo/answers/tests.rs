use std::collections::BTreeSet;

use super::super::program;
use super::*;

#[test]
fn every_materialised_view_has_an_answer_with_rows() {
    let answers = all(&Data::embedded());
    let views: BTreeSet<&str> = program::views().iter().filter(|v| v.materialized).map(|v| v.name).collect();
    assert_eq!(answers.iter().map(|answer| answer.view).collect::<BTreeSet<_>>(), views);
    for answer in &answers {
        assert!(!answer.rows.is_empty(), "{}", answer.view);
        assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()), "{}", answer.view);
    }
}

#[test]
fn departures_add_up_over_every_grouping() {
    let answers = all(&Data::embedded());
    let sum = |view: &str, column: &str| -> i64 {
        let answer = answers.iter().find(|answer| answer.view == view).unwrap();
        let position = answer.columns.iter().position(|(name, _)| *name == column).unwrap();
        let integer = |row: &Vec<Cell>| match row[position] {
            Cell::Integer(number) => number,
            _ => panic!("not an integer"),
        };
        answer.rows.iter().map(integer).sum()
    };
    assert_eq!(sum("airline_delays", "departures"), 26_483);
    assert_eq!(sum("delays_by_hour", "departures"), 26_483);
    assert_eq!(sum("airport_traffic", "movements"), 26_483 + 26_398);
}

#[test]
fn a_mean_of_floats_is_rounded_once() {
    assert_eq!(exact::mean(&[]), None);
    assert_eq!(exact::mean(&[0.0, 0.0]), Some(0.0));
    assert_eq!(exact::mean(&[1.0, 2.0, 4.0]), Some(7.0 / 3.0));
    // Summed as floats from the left, ten times 0.1 is less than one.
    let tenths = [0.1; 10];
    assert_ne!(tenths.iter().sum::<f64>() / 10.0, 0.1);
    assert_eq!(exact::mean(&tenths), Some(0.1));
}
