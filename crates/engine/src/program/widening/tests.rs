use headwater_sql::{CompileOptions, compile};

use super::*;

fn change(old: &str, new: &str) -> TableChange {
    let table = |columns: &str| {
        let text = format!("CREATE TABLE t ({columns}");
        compile(&text, &CompileOptions::default()).unwrap().tables[0].clone()
    };
    table_change(&table(old), &table(new))
}

fn altered(old: &str, new: &str) -> Alter {
    match change(old, new) {
        TableChange::Alter(alter) => alter,
        other => panic!("{old} → {new}: {other:?}"),
    }
}

fn refused(old: &str, new: &str) -> String {
    match change(old, new) {
        TableChange::Replace(reasons) => reasons.join("; "),
        other => panic!("{old} → {new}: {other:?}"),
    }
}

#[test]
fn a_type_is_widened_where_the_other_holds_all_its_values() {
    for (from, to) in [
        ("TINYINT", "SMALLINT"),
        ("SMALLINT", "INTEGER"),
        ("INTEGER", "BIGINT"),
        ("TINYINT", "BIGINT"),
        ("REAL", "DOUBLE"),
        ("SMALLINT", "REAL"),
        ("INTEGER", "DOUBLE"),
        ("INTEGER", "DECIMAL(10, 0)"),
        ("BIGINT", "DECIMAL(21, 2)"),
        ("DECIMAL(10, 2)", "DECIMAL(12, 2)"),
        ("DECIMAL(10, 2)", "DECIMAL(12, 4)"),
    ] {
        let alter = altered(&format!("a {from})"), &format!("a {to})"));
        assert!(alter.reasons[0].starts_with("column a is widened from "), "{:?}", alter.reasons);
    }
}

#[test]
fn a_type_that_does_not_hold_all_values_of_the_other_is_refused() {
    for (from, to) in [
        ("BIGINT", "INTEGER"),
        ("BIGINT", "DOUBLE"),
        ("INTEGER", "REAL"),
        ("DOUBLE", "REAL"),
        ("INTEGER", "DECIMAL(9, 0)"),
        ("BIGINT", "DECIMAL(19, 1)"),
        ("DECIMAL(10, 2)", "DECIMAL(10, 3)"),
        ("DECIMAL(10, 2)", "DECIMAL(12, 1)"),
        ("VARCHAR", "INTEGER"),
        ("INTEGER", "VARCHAR"),
        ("DATE", "TIMESTAMP"),
        ("TIMESTAMP", "TIMESTAMP(9)"),
        ("BOOLEAN", "TINYINT"),
    ] {
        let reason = refused(&format!("a {from})"), &format!("a {to})"));
        assert!(reason.contains("which does not hold all its values"), "{reason}");
    }
}

#[test]
fn lengths_of_texts_defaults_and_retention_change_no_row() {
    let same = |old: &str, new: &str| match change(old, new) {
        TableChange::Same(reasons) => reasons.join("; "),
        other => panic!("{other:?}"),
    };
    assert_eq!(same("a VARCHAR(3))", "a VARCHAR(30))"), "");
    assert_eq!(same("a INT)", "a INT DEFAULT 1)"), "column a has another DEFAULT");
    let kept = "at TIMESTAMP) WITH ('retention' = '3 days on at')";
    assert_eq!(same("at TIMESTAMP)", kept), "its retention changes");
}

#[test]
fn columns_are_added_dropped_and_moved_by_name() {
    let alter = altered("a INT, b INT, c INT)", "c INT, d DOUBLE, e INT NOT NULL DEFAULT 5, a INT)");
    assert_eq!(alter.reasons, ["column d is added", "column e is added", "column b is dropped"]);
    assert_eq!(alter.dropped, ["b"]);
    let kept: Vec<Option<usize>> = alter
        .sources
        .iter()
        .map(|source| match source {
            ColumnSource::Kept(from) => Some(*from),
            ColumnSource::Constant(_) => None,
        })
        .collect();
    assert_eq!(kept, [Some(2), None, None, Some(0)]);
    assert_eq!(altered("a INT, b INT)", "b INT, a INT)").reasons, ["its columns stand in another order"]);
}

#[test]
fn a_column_may_become_null_and_not_the_other_way() {
    assert_eq!(altered("a INT NOT NULL)", "a INT)").reasons, ["column a may be NULL"]);
    let both = altered("a INT NOT NULL)", "a BIGINT)").reasons;
    assert_eq!(both, ["column a is widened from INTEGER to BIGINT and may be NULL"]);
    assert_eq!(refused("a INT)", "a INT NOT NULL)"), "column a becomes NOT NULL");
    assert_eq!(refused("a INT)", "a INT, b INT NOT NULL)"), "column b is added as NOT NULL without DEFAULT");
}

#[test]
fn a_key_keeps_its_columns_and_may_be_widened() {
    let alter = altered("a INT PRIMARY KEY, b INT)", "b INT, a BIGINT PRIMARY KEY)");
    assert_eq!(alter.reasons, ["column a is widened from INTEGER to BIGINT"]);
    let key = refused("a INT PRIMARY KEY, b INT NOT NULL)", "a INT, b INT, PRIMARY KEY (a, b))");
    assert_eq!(key, "the PRIMARY KEY changes from (a) to (a, b)");
    let dropped = refused("a INT PRIMARY KEY, b INT)", "a INT NOT NULL, b INT)");
    assert_eq!(dropped, "the PRIMARY KEY changes from (a) to ()");
}

#[test]
fn a_table_that_begins_or_ceases_to_keep_its_rows_is_made_anew() {
    let unkept = "a INT) WITH ('materialized' = 'false')";
    assert_eq!(refused("a INT)", unkept), "its rows are not kept any more");
    assert_eq!(refused(unkept, "a INT)"), "its rows are kept from here on");
}

#[test]
fn a_default_that_would_swell_every_row_is_refused() {
    let long = format!("a INT, b VARCHAR DEFAULT '{}')", "x".repeat(ALTER_DEFAULT_BYTES_MAX));
    assert!(refused("a INT)", &long).contains("too long to be written into every row"));
    altered("a INT)", "a INT, b VARCHAR DEFAULT 'short')");
}
