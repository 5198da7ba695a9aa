use super::*;

#[test]
fn every_view_of_the_program_is_found() {
    let found = views();
    assert_eq!(found.len(), TEXT.matches(" VIEW ").count() + TEXT.matches("\nVIEW ").count());
    let plain: Vec<&str> = found.iter().filter(|v| !v.materialized).map(|v| v.name).collect();
    assert_eq!(plain, ["departures"]);
    assert!(found.iter().all(|v| v.query.starts_with("SELECT")));
}

#[test]
fn a_batch_query_brings_every_view_it_builds_on() {
    let query = batch_query("punctuality");
    assert!(query.starts_with("WITH departures AS (SELECT"));
    assert!(query.contains("airline_delays AS (SELECT"));
    assert!(query.ends_with("SELECT * FROM punctuality"));
}

#[test]
fn no_comment_hides_a_semicolon_that_would_end_a_statement() {
    assert!(TEXT.lines().filter(|line| line.starts_with("--")).all(|line| !line.contains(';')));
}
