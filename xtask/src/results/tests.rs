use super::*;

fn read(text: &str) -> (CargoTestReader, Counts) {
    let mut reader = CargoTestReader::default();
    text.lines().for_each(|line| reader.line(line));
    let total = reader.finish();
    (reader, total)
}

#[test]
fn counts_are_summed_by_binary() {
    let (reader, total) = read(
        "\
     Running unittests src/lib.rs (target/release/deps/headwater_log-89ab)
test frame::tests::round_trip ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
     Running tests/torn_tail.rs (target/release/deps/torn_tail-0123)
test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
   Doc-tests headwater_log
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    );
    assert_eq!(total, Counts { passed: 4, failed: 2, skipped: 1 });
    let names: Vec<&str> = reader.binaries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["headwater_log", "torn_tail (tests/torn_tail.rs)", "headwater_log (examples in comments)"]
    );
}

#[test]
fn a_binary_that_died_is_a_failure() {
    let (reader, total) = read(
        "\
     Running tests/killed.rs (target/release/deps/killed-0123)
test slow ... error: test failed
     Running tests/fine.rs (target/release/deps/fine-0123)
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
    );
    assert_eq!(total, Counts { passed: 1, failed: 1, skipped: 0 });
    assert_eq!(reader.unfinished, ["killed (tests/killed.rs)"]);
}

#[test]
fn what_a_test_prints_is_not_taken_for_a_result() {
    let (reader, total) = read("the test result: ok. 5 passed; 0 failed\nRunning late");
    assert_eq!(total, Counts::default());
    assert!(reader.binaries.is_empty());
}

#[test]
fn the_closing_line_names_skipped_tests_only_where_there_are_some() {
    assert_eq!(Counts { passed: 7, failed: 0, skipped: 0 }.to_string(), "7 passed, 0 failed");
    assert_eq!(Counts { passed: 7, failed: 1, skipped: 2 }.to_string(), "7 passed, 1 failed, 2 skipped");
}
