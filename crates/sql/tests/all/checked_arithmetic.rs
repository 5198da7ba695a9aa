use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, Int64Array};
use arrow::record_batch::RecordBatch;
use headwater_sql::{QueryError, QueryOptions, QueryRelation};

use crate::fixture::{numbers, run, stored, table};

/// `edges (least, most, n, d)`: one row at the edges of the types.
fn edges() -> QueryRelation {
    let decimals = Decimal128Array::from(vec![10_i128.pow(38) - 1]).with_precision_and_scale(38, 0).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("least", Arc::new(Int64Array::from(vec![i64::MIN])) as ArrayRef),
        ("most", Arc::new(Int64Array::from(vec![i64::MAX])) as ArrayRef),
        ("n", Arc::new(Int32Array::from(vec![i32::MAX])) as ArrayRef),
        ("d", Arc::new(decimals) as ArrayRef),
    ]);
    stored("edges", vec![batch.unwrap()])
}

fn assert_fails(text: &str) {
    let answer = run(text, vec![edges()], QueryOptions::default());
    assert!(matches!(answer, Err(QueryError::Failed(_))), "{text}: {answer:?}");
}

#[test]
fn arithmetic_that_leaves_its_type_fails_the_query() {
    for text in [
        "SELECT most + 1 FROM edges",
        "SELECT least - 1 FROM edges",
        "SELECT most * 2 FROM edges",
        "SELECT -least FROM edges",
        "SELECT abs(least) FROM edges",
        "SELECT least / -1 FROM edges",
        "SELECT n + n FROM edges",
        "SELECT d * 10 FROM edges",
    ] {
        assert_fails(text);
    }
}

#[test]
fn every_clause_is_checked() {
    for text in [
        "SELECT 1 AS x FROM edges WHERE most + 1 > 0",
        "SELECT 1 AS x FROM edges ORDER BY most + 1, n",
        "SELECT count(*) AS x FROM edges GROUP BY most + 1",
        "SELECT max(most + 1) AS x FROM edges",
        "SELECT max(most) AS x FROM edges HAVING max(most) + 1 > 0",
        "SELECT max(most + 1) OVER (ORDER BY n) AS x FROM edges",
        "SELECT a.n AS x FROM edges a JOIN edges b ON a.most + 1 = b.least",
        "SELECT 1 AS x FROM edges WHERE n IN (SELECT most + 1 FROM edges)",
        "SELECT SUM(most) FROM (SELECT most FROM edges UNION ALL SELECT most FROM edges)",
    ] {
        assert_fails(text);
    }
}

#[test]
fn arithmetic_that_fits_gives_what_it_always_gave() {
    let text = "SELECT sum(x * 2 + 1) AS s, min(-x) AS m, max(x) - min(x) AS d FROM numbers WHERE x - 1 < 3";
    let expected = "\
+----+----+---+
| s  | m  | d |
+----+----+---+
| 16 | -3 | 3 |
+----+----+---+";
    assert_eq!(table(text, vec![numbers("numbers", 10)]), expected);
}

#[test]
fn a_negative_length_pads_to_nothing() {
    let text = "SELECT lpad('ab', x - 2) AS l, rpad('ab', x - 2, 'z') AS r FROM numbers";
    let expected = "\
+---+---+
| l | r |
+---+---+
|   |   |
|   |   |
|   |   |
| a | a |
+---+---+";
    assert_eq!(table(text, vec![numbers("numbers", 4)]), expected);
}
