use super::*;

#[test]
fn a_piece_comes_to_take_as_long_as_it_may_whatever_a_row_costs() {
    for micros_per_row in [1, 10, 100] {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.took(pace.rows(), pace.rows() as i64 * micros_per_row);
        }
        let millis = pace.rows() as u64 * micros_per_row as u64 / 1_000;
        assert_eq!(millis, PROGRAM_CHANGE_PIECE_MS, "{micros_per_row} µs per row");
    }
}

#[test]
fn one_slow_piece_shrinks_the_next_and_a_small_one_tells_nothing() {
    let mut pace = Pace::default();
    pace.took(FIRST_ROWS, 1_000_000);
    assert_eq!(pace.rows(), ROWS_MIN);
    pace.took(0, 1_000_000);
    pace.took(1, 50);
    assert_eq!(pace.rows(), ROWS_MIN);
    pace.took(ROWS_MIN, 0);
    assert_eq!(pace.rows(), ROWS_MIN * GROWTH_MAX, "a clock that stands still is a quick piece");
}
