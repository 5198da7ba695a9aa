use super::*;

#[test]
fn a_clean_run_is_read() {
    let run = parse("noise\nRESULT requests=1000 us=2000000 p50_us=150 p99_us=900 errors=0\n", 100);
    assert_eq!(run, Some(Run { records_per_second: 50_000.0, p50_us: 150.0, p99_us: 900.0 }));
}

#[test]
fn a_run_with_an_error_or_without_requests_is_none() {
    assert_eq!(parse("RESULT requests=1000 us=2000000 p50_us=150 p99_us=900 errors=1", 100), None);
    assert_eq!(parse("RESULT requests=0 us=2000000 p50_us=0 p99_us=0 errors=0", 100), None);
    assert_eq!(parse("connection refused", 100), None);
}
