//! What becomes of a CSV body.
#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, show, table};
use headwater_codec::{BodyFormat, DecodeOptions, OperationName, decode_table, parse_key};
use proptest::prelude::*;

const TABLE: &str = "t: id BIGINT KEY, name VARCHAR, on BOOLEAN, n INTEGER DEFAULT 7";

fn check_as(definition: &str, operation: OperationName, body: &str, expected: &str) {
    let tables = [table(definition)];
    let options = DecodeOptions { operation, ..DecodeOptions::default() };
    let shown = match decode_table(body.as_bytes(), BodyFormat::Csv, &tables, 0, &options) {
        Ok(decoded) => show(&decoded, &tables),
        Err(error) => format!("{}: {error} ({})", error.code(), error.hint().unwrap_or_default()),
    };
    assert_eq!(lines(&shown), lines(expected), "{body}");
}

fn check(body: &str, expected: &str) {
    check_as(TABLE, OperationName::Insert, body, expected);
}

#[test]
fn the_header_names_columns_in_any_order() {
    check(
        "\u{feff}name,id\r\nada,1\r\n\r\n\"b, \"\"c\"\"\nd\",2",
        r#"upsert t [0, 1] {"id":1,"name":"ada","on":null,"n":7},{"id":2,"name":"b, \"c\"\nd","on":null,"n":7}"#,
    );
    check("id\n", "");
}

#[test]
fn an_empty_field_is_null_and_a_quoted_one_an_empty_text() {
    check(
        "id,name,on,n\n1,,,\n2,\"\",True,3\n\"3\",\"x\",false,\"\"",
        r#"upsert t [0, 1] {"id":1,"name":null,"on":null,"n":null},{"id":2,"name":"","on":true,"n":3}
           error 2 type_mismatch n: '' is not a value of INTEGER (write an integer, without quotes)"#,
    );
}

#[test]
fn a_bad_record_does_not_hurt_its_neighbours() {
    check(
        "id,name\n1,a\nx,b\n3\n4,d,e\n5,f\"g\n6,h\n,i\n8,\"j",
        r#"upsert t [0, 5] {"id":1,"name":"a","on":null,"n":7},{"id":6,"name":"h","on":null,"n":7}
           error 1 type_mismatch id: 'x' is not a value of BIGINT (write an integer, without quotes)
           error 2 syntax: line 4 has 1 fields, the header row has 2
           error 3 syntax: line 5 has 3 fields, the header row has 2
           error 4 syntax: invalid CSV at line 6: a quote stands inside a field (put the field in quotes and double the quotes inside)
           error 6 key_missing id: primary key column 'id' is NULL
           error 7 syntax: invalid CSV at line 9: a quoted field has no closing quote (close it; records after it were lost with it)"#,
    );
}

#[test]
fn a_header_that_does_not_fit_refuses_the_body() {
    check("", "empty_body: the body is empty (send at least one record)");
    check("id,nmae\n1,a", "unknown_field: table 't' has no column 'nmae' (did you mean 'name'?)");
    check("id,id\n1,1", "duplicate_field: the header row names 'id' twice ()");
}

#[test]
fn all_operations_are_read_from_csv() {
    check_as(TABLE, OperationName::Delete, "name,id\nx,1", r#"delete key t [0] {"id":1}"#);
    check_as(
        TABLE,
        OperationName::Patch,
        "n,id\n,1\n2,2",
        r#"patch error [0, 3] t [0, 1] {"id":1,"n":null},{"id":2,"n":2}"#,
    );
}

#[test]
fn payloads_are_the_raw_text() {
    let tables = [table(TABLE)];
    let body = b"id,name\r\n1,a\r\n\r\nx,\"b\r\nc\"\r\n2,d";
    let decoded = decode_table(body, BodyFormat::Csv, &tables, 0, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.errors[0].payload, "x,\"b\r\nc\"");
}

#[test]
fn bytes_times_and_uuids_are_texts_without_their_quotes() {
    let body = "id,at,raw,uuid\n1,10:00:00.5,0aff,123e4567e89b12d3a456426655440000\n2,,,\n3,,\"\",\n4,x,,";
    let row = r#"{"id":1,"at":"10:00:00.5","raw":"0aff","uuid":"123e4567-e89b-12d3-a456-426655440000"}"#;
    let nothing = |id: u8, raw: &str| format!(r#"{{"id":{id},"at":null,"raw":{raw},"uuid":null}}"#);
    check_as(
        "t: id BIGINT, at TIME, raw VARBINARY, uuid UUID",
        OperationName::Insert,
        body,
        &format!(
            r#"insert t [0, 1, 2] {row},{},{}
               error 3 type_mismatch at: 'x' is not a TIME (write "10:00:00", with an optional fraction and no zone)"#,
            nothing(2, "null"),
            nothing(3, r#""""#)
        ),
    );
}

#[test]
fn keys_are_read_from_texts() {
    let show = |definition: &str, texts: &[&str]| match parse_key(texts, &table(definition)) {
        Ok(batch) => {
            let mut out = Vec::new();
            headwater_codec::json::write_row(&batch, 0, &mut out);
            String::from_utf8(out).unwrap()
        }
        Err(error) => common::show_error(&error),
    };
    let definition = "t: v BIGINT, a VARCHAR KEY, b TIMESTAMP KEY";
    assert_eq!(
        show(definition, &["", "2026-11-22T10:00:00+01:00"]),
        r#"{"a":"","b":"2026-11-22T09:00:00Z"}"#
    );
    assert_eq!(
        show(definition, &["x"]),
        "error 0 key_missing: the key has 2 columns, 1 values are given (give a, b)"
    );
    assert_eq!(
        show("t: id BIGINT KEY", &["007"]),
        "error 0 type_mismatch id: '007' is not a value of BIGINT (write an integer, without quotes)"
    );
    assert_eq!(
        show(
            "t: a UUID KEY, b TIME KEY, c VARBINARY KEY",
            &["{123E4567E89B12D3A456426655440000}", "10:00", "0AFF"]
        ),
        r#"{"a":"123e4567-e89b-12d3-a456-426655440000","b":"10:00:00","c":"0aff"}"#
    );
    assert_eq!(
        show("t: id BIGINT", &["7"]),
        "error 0 bad_operation: table 't' has no primary key (find its rows with a query)"
    );
}

proptest! {
    #[test]
    fn texts_come_back_whatever_they_hold(names in prop::collection::vec(".*", 1..8)) {
        let tables = [table("t: id BIGINT, name VARCHAR")];
        let mut body = "id,name\n".to_owned();
        for (id, name) in names.iter().enumerate() {
            body.push_str(&format!("{id},\"{}\"\n", name.replace('"', "\"\"")));
        }
        let decoded = decode_table(body.as_bytes(), BodyFormat::Csv, &tables, 0, &DecodeOptions::default()).unwrap();
        prop_assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
        use arrow::array::AsArray;
        let decoded: Vec<&str> = decoded.operations[0].rows.column(1).as_string::<i32>().iter().map(Option::unwrap).collect();
        prop_assert_eq!(decoded, names);
    }
}
