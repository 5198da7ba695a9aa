use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use headwater_sql::{QueryRelation, QuerySource};

use crate::fixture::{compile_text, stored, table};

/// `t (id, x, s)` and these plain views over it.
fn relations(views: &str) -> Vec<QueryRelation> {
    let program =
        compile_text(&format!("CREATE TABLE t (id BIGINT PRIMARY KEY, x BIGINT, s VARCHAR); {views}"))
            .unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef, false),
        ("x", Arc::new(Int64Array::from(vec![Some(0), Some(2), Some(i64::MAX), None])) as ArrayRef, true),
        ("s", Arc::new(StringArray::from(vec![Some("7"), Some("no"), Some("9"), None])) as ArrayRef, true),
    ]);
    let views = program
        .views
        .iter()
        .map(|view| QueryRelation { name: view.name.clone(), source: QuerySource::View(Arc::clone(view)) });
    [stored("t", vec![batch.unwrap()])].into_iter().chain(views).collect()
}

/// The answer's rows as text, cells with blanks between.
fn rows(query: &str, views: &str) -> Vec<String> {
    let text = table(query, relations(views));
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
    lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()).collect()
}

#[test]
fn an_expression_of_a_plain_view_that_fails_is_null_on_that_row() {
    let views = "CREATE VIEW v AS SELECT id, coalesce(10 / x, -1) AS c, 10 / x AS q, x + 1 AS next, CAST(s AS INT) AS n FROM t;";
    let found =
        rows("SELECT id, coalesce(q, -1), coalesce(next, -1), coalesce(n, -1) FROM v ORDER BY id", views);
    assert_eq!(found, ["1 -1 1 7", "2 5 3 -1", "3 0 -1 9", "4 -1 -1 -1"]);
}

#[test]
fn a_condition_of_a_plain_view_that_fails_keeps_no_row() {
    let views = "CREATE VIEW v AS SELECT id FROM t WHERE 10 / x > 0 OR id > 0;";
    assert_eq!(rows("SELECT * FROM v ORDER BY id", views), ["2", "3", "4"]);
}

#[test]
fn keys_and_arguments_of_a_plain_view_that_fail_are_null() {
    let views = "CREATE VIEW g AS SELECT CAST(s AS INT) AS n, COUNT(*) AS c, COUNT(x + 1) AS d FROM t GROUP BY CAST(s AS INT);
                 CREATE VIEW j AS SELECT a.id AS a, b.id AS b FROM t a JOIN t b ON CAST(a.s AS INT) = b.id + 6;";
    assert_eq!(rows("SELECT coalesce(n, -1), c, d FROM g ORDER BY n", views), ["7 1 1", "9 1 0", "-1 2 1"]);
    assert_eq!(rows("SELECT * FROM j ORDER BY a", views), ["1 1", "3 3"]);
}

#[test]
fn what_a_query_does_with_a_plain_view_still_fails() {
    let views = "CREATE VIEW v AS SELECT id, CAST(s AS INT) AS n FROM t;";
    assert!(table("SELECT 1 / (n - 7) FROM v", relations(views)).starts_with("error: "));
    assert_eq!(rows("SELECT count(n), max(n) FROM v WHERE n > 7 AND id > 1", views), ["1 9"]);
}

#[test]
fn plain_views_over_plain_views_fail_view_by_view() {
    let views = "CREATE VIEW v AS SELECT id, CAST(s AS INT) AS n FROM t;
                 CREATE VIEW w AS SELECT id, 1 / (n - 7) AS m, n FROM v;";
    let found = rows("SELECT id, coalesce(m, -1), coalesce(n, -1) FROM w ORDER BY id", views);
    assert_eq!(found, ["1 -1 7", "2 -1 -1", "3 0 9", "4 -1 -1"]);
}
