//! What may be computed from a table that keeps no rows.

use insta::assert_snapshot;

use crate::fixture::{TABLES, compile_text, refusals};

const KEPT: &str = "CREATE MATERIALIZED VIEW v1 AS SELECT x FROM raw;";

#[test]
fn a_materialized_view_does_not_read_one_that_reads_such_a_table() {
    let statements = [
        format!("{KEPT}\nCREATE MATERIALIZED VIEW v2 AS SELECT x FROM v1"),
        format!("{KEPT}\nCREATE MATERIALIZED VIEW v2 AS SELECT count(*) AS n FROM v1"),
        format!("{KEPT} CREATE VIEW p AS SELECT x FROM v1;\nCREATE MATERIALIZED VIEW v2 AS SELECT x FROM p"),
        "CREATE VIEW p AS SELECT x FROM raw; CREATE MATERIALIZED VIEW v1 AS SELECT x FROM p;\nCREATE MATERIALIZED VIEW v2 AS SELECT o.id FROM orders o JOIN v1 ON o.n = v1.x".to_owned(),
    ];
    assert_snapshot!(refusals(&statements.each_ref().map(String::as_str)), @r"
    unsupported: v1 reads table raw, which does not keep its rows, so nothing can be computed from v1 later at line 3, column 46
    CREATE MATERIALIZED VIEW v2 AS SELECT x FROM v1
                                                 ^
    hint: write v1 as CREATE VIEW (not materialized), or drop 'materialized' = 'false' from raw

    unsupported: v1 reads table raw, which does not keep its rows, so nothing can be computed from v1 later at line 3, column 58
    CREATE MATERIALIZED VIEW v2 AS SELECT count(*) AS n FROM v1
                                                             ^
    hint: write v1 as CREATE VIEW (not materialized), or drop 'materialized' = 'false' from raw

    unsupported: v1 reads table raw, which does not keep its rows, so nothing can be computed from v1 later at line 3, column 1
    CREATE MATERIALIZED VIEW v2 AS SELECT x FROM p
    ^
    hint: write v1 as CREATE VIEW (not materialized), or drop 'materialized' = 'false' from raw

    unsupported: v1 reads table raw, which does not keep its rows, so nothing can be computed from v1 later at line 3, column 63
    CREATE MATERIALIZED VIEW v2 AS SELECT o.id FROM orders o JOIN v1 ON o.n = v1.x
                                                                  ^
    hint: write v1 as CREATE VIEW (not materialized), or drop 'materialized' = 'false' from raw
    ");
}

#[test]
fn other_views_read_it() {
    for views in [
        "CREATE VIEW p AS SELECT x FROM v1;",
        "CREATE VIEW p AS SELECT count(*) AS n FROM v1;",
        "CREATE MATERIALIZED VIEW v2 AS SELECT s FROM raw;",
        "CREATE MATERIALIZED VIEW v2 AS SELECT id FROM orders; CREATE MATERIALIZED VIEW v3 AS SELECT count(*) AS n FROM v2;",
    ] {
        assert!(compile_text(&format!("{TABLES} {KEPT} {views}")).is_ok(), "{views}");
    }
}
