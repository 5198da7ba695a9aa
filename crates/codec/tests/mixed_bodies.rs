//! What becomes of a body whose records name their table and operation.
#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, show, table};
use headwater_codec::decode_mixed;

fn check(body: &str, expected: &str) {
    let tables = [
        table("orders: id BIGINT KEY, customer VARCHAR, n INTEGER"),
        table("clicks: at BIGINT"),
        table("raw*: at BIGINT"),
    ];
    let decoded = decode_mixed(body.as_bytes(), &tables).unwrap();
    assert_eq!(lines(&show(&decoded, &tables)), lines(expected), "{body}");
}

#[test]
fn consecutive_records_of_one_kind_form_one_operation() {
    check(
        r#"[{"table":"clicks","row":{"at":1}},
            {"table":"clicks","op":"insert","row":{"at":2}},
            {"table":"orders","row":{"id":1,"customer":"ada"}},
            {"table":"clicks","row":{"at":3}},
            {"table":"clicks","op":"delete","row":{"at":1}},
            {"table":"orders","op":"patch","row":{"id":1,"n":2}},
            {"table":"orders","op":"patch","if_absent":"ignore","row":{"id":1,"n":3}},
            {"table":"orders","op":"delete","row":{"id":1}}]"#,
        r#"insert clicks [0, 1] {"at":1},{"at":2}
           upsert orders [2] {"id":1,"customer":"ada","n":null}
           insert clicks [3] {"at":3}
           delete row clicks [4] {"at":1}
           patch error [0, 2] orders [5] {"id":1,"n":2}
           patch ignore [0, 2] orders [6] {"id":1,"n":3}
           delete key orders [7] {"id":1}"#,
    );
}

#[test]
fn envelope_fields_come_in_any_order_and_layout() {
    check(
        "{\"row\": {\"id\":1} , \"op\":\"upsert\",\"table\":\"orders\"}\n{\"ro\\u0077\":{\"at\":2},\"table\":\"cl\\u0069cks\"}",
        r#"upsert orders [0] {"id":1,"customer":null,"n":null}
           insert clicks [1] {"at":2}"#,
    );
    check("{\n\"table\": \"clicks\",\n\"row\": {\"at\": 1}\n}", r#"insert clicks [0] {"at":1}"#);
}

#[test]
fn a_bad_record_between_two_of_a_kind_does_not_part_them() {
    check(
        r#"[{"table":"clicks","row":{"at":1}},{"table":"orders","row":{"n":1}},{"table":"clicks","row":{"at":"x"}},{"table":"clicks","row":{"at":4}}]"#,
        r#"insert clicks [0, 3] {"at":1},{"at":4}
           error 1 key_missing id: primary key column 'id' is absent
           error 2 type_mismatch at: a string is not a value of BIGINT (write an integer, without quotes)"#,
    );
}

#[test]
fn patches_between_other_records_keep_their_columns() {
    check(
        r#"[{"table":"orders","op":"patch","row":{"id":1,"n":2}},
            {"table":"clicks","row":{"at":1}},
            {"table":"orders","op":"patch","row":{"id":2,"customer":"b"}},
            {"table":"orders","op":"patch","row":{"id":3,"n":3}}]"#,
        r#"patch error [0, 2] orders [0] {"id":1,"n":2}
           insert clicks [1] {"at":1}
           patch error [0, 1] orders [2] {"id":2,"customer":"b"}
           patch error [0, 2] orders [3] {"id":3,"n":3}"#,
    );
}

#[test]
fn envelopes_are_validated() {
    let wanted = r#"(write {"table": …, "op": …, "row": {…}})"#;
    check(
        r#"[{"row":{"at":1}},
            {"table":"clicks"},
            {"table":"click","row":{}},
            {"table":"clicks","op":"remove","row":{}},
            {"table":"clicks","op":"upsert","row":{"at":1}},
            {"table":"raw","op":"delete","row":{"at":1}},
            {"table":"orders","if_absent":"insert","row":{"id":1}},
            {"table":"orders","op":"patch","if_absent":"inser","row":{"id":1}},
            {"table":7,"row":{}},
            {"table":"clicks","table":"clicks","row":{}},
            {"tabel":"clicks","row":{}},
            {"table":"clicks","row":[1]},
            {},
            {"table":"clicks","row":{"at":1,"at":2}}]"#,
        &format!(
            r#"error 0 unknown_table table: the record has no field 'table' {wanted}
               error 1 type_mismatch row: the record has no field 'row' {wanted}
               error 2 unknown_table table: there is no table 'click' (did you mean 'clicks'?)
               error 3 bad_operation op: 'remove' is no operation (known are: insert, upsert, delete, patch)
               error 4 bad_operation op: table 'clicks' has no primary key, so it takes no upsert (use insert and delete, or declare a PRIMARY KEY)
               error 5 bad_operation op: table 'raw' does not keep its rows, so it takes no delete (use insert, or keep the rows: leave out 'materialized' = 'false')
               error 6 bad_operation if_absent: 'if_absent' goes with "op": "patch" only (leave it out, or patch)
               error 7 bad_operation if_absent: 'inser' is no value of 'if_absent' (did you mean 'insert'?)
               error 8 type_mismatch table: 'table' must be a string
               error 9 duplicate_field table: field 'table' occurs twice
               error 10 unknown_field tabel: a record has no field 'tabel' beside its row (did you mean 'table'?)
               error 11 type_mismatch: a record must be a JSON object (write {{"column": value, …}})
               error 12 unknown_table table: the record has no field 'table' {wanted}
               error 13 duplicate_field at: field 'at' occurs twice"#
        ),
    );
}

#[test]
fn bad_syntax_in_an_envelope_ends_the_array() {
    check(
        r#"[{"table":"clicks","row":{"at":1}},{"table":"clicks","row":{"at":1},"x":tru}]"#,
        r#"insert clicks [0] {"at":1}
           error 1 syntax: invalid JSON at line 1, column 73: a value is expected"#,
    );
}
