use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};

use super::*;

fn rows(count: usize) -> Delta {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1; count]));
    Delta::inserted(RecordBatch::try_from_iter([("a", column)]).unwrap())
}

fn sizes(piece: &[(Name, Delta)]) -> Vec<(&str, usize)> {
    piece.iter().map(|(name, delta)| (name.as_str(), delta.num_rows())).collect()
}

#[test]
fn the_oldest_changes_come_first_and_those_of_one_relation_together() {
    let mut backlog = Backlog::default();
    for (table, count) in [("t", 5), ("u", 1), ("t", 5), ("u", 50), ("t", 1)] {
        backlog.add(Name::new(table).unwrap(), rows(count));
    }
    assert_eq!(backlog.take_rows_brought(), 62);
    assert_eq!(sizes(&backlog.take(11)), [("t", 10), ("u", 1)]);
    assert_eq!(sizes(&backlog.take(100)), [("u", 50), ("t", 1)]);
    assert_eq!((backlog.is_empty(), backlog.bytes(), backlog.take_rows_brought()), (true, 0, 0));
}
