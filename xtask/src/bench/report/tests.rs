use super::super::cases::CASES;
use super::*;

fn run(records_per_second: f64, p50_us: f64) -> Run {
    Run { records_per_second, p50_us, p99_us: 1.0 }
}

#[test]
fn the_median_is_the_middle() {
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    assert!(median(Vec::new()).is_nan());
}

#[test]
fn a_case_stands_beside_the_limit_of_its_own_shape() {
    let measured: Vec<Measured> = CASES
        .iter()
        .map(|case| {
            let rate = if case.target == Target::Limit { 1000.0 } else { 700.0 };
            Measured { case, runs: vec![run(rate, rate / 10.0)] }
        })
        .collect();
    let text = table(&measured);
    assert_eq!(text.lines().count(), CASES.len() + 2);
    assert!(text.contains("| 100 | 64 | limit server | 1000 | 100 % | 100 | 1.00 | 1 |"));
    assert!(text.contains("| 100 | 64 | materialized=false | 700 | 70 % | 70 | 0.70 | 1 |"));
}

#[test]
fn every_shape_has_a_limit() {
    for case in &CASES {
        let same = |other: &&Case| (other.records, other.connections) == (case.records, case.connections);
        assert!(CASES.iter().filter(same).any(|other| other.target == Target::Limit), "{}", case.name);
    }
}

#[test]
fn an_entry_goes_to_the_end_of_its_section() {
    let text = "# Title\n\n## Results\n\nfirst\n\n## Nexmark\n\nlast\n";
    let with = |heading| with_entry(text, heading, "### new\n").unwrap_or_default();
    assert_eq!(with("## Results"), "# Title\n\n## Results\n\nfirst\n\n### new\n\n## Nexmark\n\nlast\n");
    assert_eq!(with("## Nexmark"), "# Title\n\n## Results\n\nfirst\n\n## Nexmark\n\nlast\n\n### new\n");
    assert_eq!(with_entry(text, "## Missing", ""), None);
}
