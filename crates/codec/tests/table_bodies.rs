//! What becomes of a JSON body whose records all belong to one table.
#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, show, table};
use headwater_codec::{BodyError, BodyFormat, DecodeOptions, OperationName, decode_table};
use headwater_types::{IfAbsent, limits};

const PLAIN: &str = "t: id BIGINT, name VARCHAR";
const KEYED: &str = "t: id BIGINT KEY, name VARCHAR NOT NULL, n INTEGER DEFAULT 7, note VARCHAR";

fn options(operation: OperationName) -> DecodeOptions {
    DecodeOptions { operation, if_absent: IfAbsent::Error }
}

fn check_as(definition: &str, options: &DecodeOptions, body: &str, expected: &str) {
    let tables = [table(definition)];
    let shown = match decode_table(body.as_bytes(), BodyFormat::Json, &tables, 0, options) {
        Ok(decoded) => show(&decoded, &tables),
        Err(error) => format!("{}: {error} ({})", error.code(), error.hint().unwrap_or_default()),
    };
    assert_eq!(lines(&shown), lines(expected), "{body}");
}

fn check(definition: &str, body: &str, expected: &str) {
    check_as(definition, &DecodeOptions::default(), body, expected);
}

/// One value in one nullable column.
fn check_value(column_type: &str, value: &str, expected: &str) {
    let expected = match expected.split_once(": ") {
        Some((code, message)) => format!("error 0 {code} v: {message}"),
        None => format!("insert t [0] {{\"v\":{expected}}}"),
    };
    let body = format!("{{\"v\":{value}}}");
    let tables = [table(&format!("t: v {column_type}"))];
    let decoded =
        decode_table(body.as_bytes(), BodyFormat::Json, &tables, 0, &DecodeOptions::default()).unwrap();
    let shown = show(&decoded, &tables);
    let without_hint = shown.trim().split(" (write").next().unwrap();
    assert_eq!(without_hint.split(" (round").next().unwrap(), expected, "{column_type} {value}");
}

#[test]
fn one_object_an_array_and_lines_are_told_apart() {
    let two = r#"insert t [0, 1] {"id":1,"name":"a"},{"id":2,"name":null}"#;
    check(PLAIN, r#"{"id":1,"name":"a"}"#, r#"insert t [0] {"id":1,"name":"a"}"#);
    check(PLAIN, "\u{feff} {\n \"id\": 1,\n \"name\": \"a\"\n}\n", r#"insert t [0] {"id":1,"name":"a"}"#);
    check(PLAIN, r#" [ {"id":1,"name":"a"} , {"name":null,"id":2} ] "#, two);
    check(PLAIN, "{\"id\":1,\"name\":\"a\"}\r\n\n  \n{\"id\":2}", two);
    check(PLAIN, "[]", "");
    check(PLAIN, "  \n ", "empty_body: the body is empty (send at least one record)");
}

#[test]
fn a_bad_line_does_not_hurt_its_neighbours() {
    check(
        PLAIN,
        "{\"id\":1}\n{\"id\":2,\"name\":\"b\"\n{\"id\":\"x\"}\nnull\n{\"id\":5}\n{\"id\":6}x",
        r#"insert t [0, 4] {"id":1,"name":null},{"id":5,"name":null}
           error 1 syntax: invalid JSON at line 2, column 19: the text ends too early
           error 2 type_mismatch id: a string is not a value of BIGINT (write an integer, without quotes)
           error 3 type_mismatch: a record must be a JSON object (write {"column": value, …})
           error 5 syntax: invalid JSON at line 6, column 9: text follows the end of the value"#,
    );
}

#[test]
fn a_bad_element_does_not_hurt_its_neighbours() {
    check(
        PLAIN,
        r#"[{"id":1},{"id":[2,{"x":"]"}],"name":"b"},7,{"id":4}]"#,
        r#"insert t [0, 3] {"id":1,"name":null},{"id":4,"name":null}
           error 1 type_mismatch id: an array is not a value of BIGINT (write an integer, without quotes)
           error 2 type_mismatch: a record must be a JSON object (write {"column": value, …})"#,
    );
}

#[test]
fn broken_syntax_ends_an_array_with_one_error() {
    check(
        PLAIN,
        "[{\"id\":1},\n {\"name\":\"é\", \"id\":02},{\"id\":3}]",
        r#"insert t [0] {"id":1,"name":null}
           error 1 syntax: invalid JSON at line 2, column 20: this is not a number of JSON"#,
    );
    let rest = r#"insert t [0] {"id":1,"name":null}
                  error 1 syntax: invalid JSON at line 1, column "#;
    check(PLAIN, r#"[{"id":1}"#, &format!("{rest}10: the text ends too early"));
    check(PLAIN, r#"[{"id":1},]"#, &format!("{rest}11: a value is expected"));
    check(PLAIN, r#"[{"id":1}] x"#, &format!("{rest}12: text follows the end of the value"));
    check(PLAIN, r#"[{"id":1} {"id":2}]"#, &format!("{rest}11: ',' or ']' is expected"));
}

#[test]
fn a_bad_value_in_a_record_of_bad_syntax_is_a_syntax_error() {
    check(
        PLAIN,
        r#"{"id":true,"name":tru}"#,
        "error 0 syntax: invalid JSON at line 1, column 19: a value is expected",
    );
}

#[test]
fn a_record_over_several_lines_keeps_its_lines_in_messages() {
    check(
        PLAIN,
        "{\n  \"id\": 1,\n  \"name\": nul\n}",
        "error 0 syntax: invalid JSON at line 3, column 11: a value is expected",
    );
}

#[test]
fn fields_must_be_known_and_come_once() {
    check(
        PLAIN,
        "{\"id\":1,\"nmae\":\"x\"}\n{\"id\":1,\"name\":\"x\",\"id\":1}\n{\"colour\":{\"a\":[1]}}",
        "error 0 unknown_field nmae: table 't' has no column 'nmae' (did you mean 'name'?)
         error 1 duplicate_field id: field 'id' occurs twice
         error 2 unknown_field colour: table 't' has no column 'colour' (known are: id, name)",
    );
}

#[test]
fn names_are_compared_after_their_escapes() {
    check(PLAIN, r#"{"\u0069d":1,"n\u0061me":"x"}"#, r#"insert t [0] {"id":1,"name":"x"}"#);
    check(r#"t: a"b BIGINT"#, r#"{"a\"b":1}"#, r#"insert t [0] {"a\"b":1}"#);
    check(
        r#"t: a"b BIGINT"#,
        r#"{"a"b":1}"#,
        "error 0 syntax: invalid JSON at line 1, column 5: ':' is expected after a field name",
    );
}

#[test]
fn absent_columns_take_their_default_and_null_stays_null() {
    check(
        KEYED,
        "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b\",\"n\":null}\n{\"id\":3}\n{\"id\":4,\"name\":null}",
        r#"upsert t [0, 1] {"id":1,"name":"a","n":7,"note":null},{"id":2,"name":"b","n":null,"note":null}
           error 2 not_null name: column 'name' is absent, and it is NOT NULL without default
           error 3 not_null name: column 'name' is NOT NULL"#,
    );
    check(
        "t: n INTEGER NOT NULL DEFAULT NULL",
        "{}",
        "error 0 not_null n: column 'n' is absent, and it is NOT NULL without default",
    );
}

#[test]
fn keys_must_be_given() {
    let expected = "error 0 key_missing id: primary key column 'id' is absent
                    error 1 key_missing id: primary key column 'id' is NULL";
    for operation in
        [OperationName::Insert, OperationName::Upsert, OperationName::Delete, OperationName::Patch]
    {
        check_as(KEYED, &options(operation), "{\"name\":\"x\"}\n{\"id\":null,\"name\":\"x\"}", expected);
    }
}

#[test]
fn a_delete_by_key_takes_the_key_and_ignores_known_fields() {
    check_as(
        "t: a VARCHAR KEY, b BIGINT, c INTEGER KEY",
        &options(OperationName::Delete),
        "{\"c\":1,\"a\":\"x\"}\n{\"a\":\"y\",\"b\":\"of no matter\",\"c\":2}\n{\"a\":\"z\",\"c\":3,\"d\":4}\n\
         {\"a\":\"z\",\"c\":3,\"b\":nul}",
        r#"delete key t [0, 1] {"a":"x","c":1},{"a":"y","c":2}
           error 2 unknown_field d: table 't' has no column 'd' (did you mean 'a'?)
           error 3 syntax: invalid JSON at line 4, column 20: a value is expected"#,
    );
}

#[test]
fn a_delete_without_key_takes_whole_rows() {
    let definition = "t: id BIGINT, n INTEGER DEFAULT 7";
    check_as(
        definition,
        &options(OperationName::Delete),
        r#"{"id":1}"#,
        r#"delete row t [0] {"id":1,"n":7}"#,
    );
}

#[test]
fn patches_with_the_same_columns_form_one_operation() {
    check_as(
        KEYED,
        &options(OperationName::Patch),
        "{\"id\":1,\"n\":1}\n{\"n\":null,\"id\":2}\n{\"id\":3,\"note\":\"c\",\"n\":\"bad\"}\n{\"id\":3,\"note\":\"c\"}\n\
         {\"id\":4}\n{\"id\":5}\n{\"id\":6,\"n\":6}\n{\"id\":7,\"name\":null}",
        r#"patch error [0, 2] t [0, 1] {"id":1,"n":1},{"id":2,"n":null}
           patch error [0, 3] t [3] {"id":3,"note":"c"}
           patch error [0] t [4, 5] {"id":4},{"id":5}
           patch error [0, 2] t [6] {"id":6,"n":6}
           error 2 type_mismatch n: a string is not a value of INTEGER (write an integer, without quotes)
           error 7 not_null name: column 'name' is NOT NULL"#,
    );
}

#[test]
fn a_patch_that_may_insert_needs_what_an_insert_needs() {
    let options = DecodeOptions { operation: OperationName::Patch, if_absent: IfAbsent::Insert };
    check_as(
        KEYED,
        &options,
        "{\"id\":1,\"n\":1}\n{\"id\":2,\"name\":\"b\"}",
        r#"patch insert [0, 1] t [1] {"id":2,"name":"b"}
           error 0 not_null name: column 'name' is absent, and it is NOT NULL without default"#,
    );
}

#[test]
fn a_table_refuses_operations_that_it_cannot_take() {
    let needs_key = |operation| {
        format!(
            "bad_operation: table 't' has no primary key, so it takes no {operation} \
             (use insert and delete, or declare a PRIMARY KEY)"
        )
    };
    check_as(PLAIN, &options(OperationName::Upsert), "{}", &needs_key("upsert"));
    check_as(PLAIN, &options(OperationName::Patch), "{}", &needs_key("patch"));
    let needs_rows = |operation| {
        format!(
            "bad_operation: table 't' does not keep its rows, so it takes no {operation} \
             (use insert, or keep the rows: leave out 'materialized' = 'false')"
        )
    };
    check_as("t*: id BIGINT", &options(OperationName::Delete), "{}", &needs_rows("delete"));
    check_as("t*: id BIGINT", &options(OperationName::Patch), "{}", &needs_rows("patch"));
    check("t*: id BIGINT", r#"{"id":1}"#, r#"insert t [0] {"id":1}"#);
}

#[test]
fn integers_are_exact_and_bounded() {
    check_value("BIGINT", "9223372036854775807", "9223372036854775807");
    check_value("BIGINT", "-9223372036854775808", "-9223372036854775808");
    check_value(
        "BIGINT",
        "9223372036854775808",
        "out_of_range: 9223372036854775808 is out of the range of BIGINT",
    );
    check_value("BIGINT", "1.0", "1");
    check_value("BIGINT", "-1e2", "-100");
    check_value("BIGINT", "1.5", "type_mismatch: 1.5 is not an integer");
    check_value("BIGINT", "\"1\"", "type_mismatch: a string is not a value of BIGINT");
    check_value("BIGINT", "true", "type_mismatch: a boolean is not a value of BIGINT");
    check_value("INTEGER", "2147483648", "out_of_range: 2147483648 is out of the range of INTEGER");
    check_value("INTEGER", "-2147483648", "-2147483648");
    check_value("SMALLINT", "-32768", "-32768");
    check_value("SMALLINT", "32768", "out_of_range: 32768 is out of the range of SMALLINT");
    check_value("TINYINT", "127", "127");
    check_value("TINYINT", "-129", "out_of_range: -129 is out of the range of TINYINT");
}

#[test]
fn floats_round_once_and_never_overflow() {
    check_value("DOUBLE", "0.1", "0.1");
    check_value("DOUBLE", "-0.0", "0.0");
    check_value("DOUBLE", "\"NaN\"", "\"NaN\"");
    check_value("DOUBLE", "\"-Infinity\"", "\"-Infinity\"");
    check_value("DOUBLE", "\"inf\"", "type_mismatch: a string is not a value of DOUBLE");
    check_value("DOUBLE", "1e309", "out_of_range: 1e309 is out of the range of DOUBLE");
    check_value("DOUBLE", "1.7976931348623157e308", "1.7976931348623157e+308");
    check_value("REAL", "16777217", "16777216.0");
    check_value("REAL", "1e39", "out_of_range: 1e39 is out of the range of REAL");
    check_value("REAL", "\"Infinity\"", "\"Infinity\"");
}

#[test]
fn decimals_are_exact() {
    check_value("DECIMAL(5.2)", "123.45", "123.45");
    check_value("DECIMAL(5.2)", "\"-0.5\"", "-0.50");
    check_value("DECIMAL(5.2)", "123.450", "123.45");
    check_value("DECIMAL(5.2)", "1e-2", "0.01");
    check_value("DECIMAL(5.2)", "1000", "out_of_range: 1000 is out of the range of DECIMAL(5, 2)");
    let lost = "out_of_range: 0.001 has more digits after the point than DECIMAL(5, 2)";
    check_value("DECIMAL(5.2)", "0.001", lost);
    check_value("DECIMAL(5.2)", "\"1,5\"", "type_mismatch: this string is not a value of DECIMAL(5, 2)");
    let nines = "9".repeat(38);
    check_value("DECIMAL(38.0)", &nines, &nines);
}

#[test]
fn booleans_and_texts_take_nothing_else() {
    check_value("BOOLEAN", "true", "true");
    check_value("BOOLEAN", "1", "type_mismatch: a number is not a value of BOOLEAN");
    check_value("BOOLEAN", "\"true\"", "type_mismatch: a string is not a value of BOOLEAN");
    check_value("VARCHAR", "1", "type_mismatch: a number is not a value of VARCHAR");
    check_value("VARCHAR", r#""a\u00e9\n\"\\\/\ud83d\ude00""#, "\"aé\\n\\\"\\\\/😀\"");
    check_value("VARCHAR", "null", "null");
}

#[test]
fn times_are_read_in_utc() {
    check_value("DATE", "\"2026-11-22\"", "\"2026-11-22\"");
    check_value("DATE", "\"2026-02-30\"", "type_mismatch: '2026-02-30' is no time of the calendar");
    check_value("TIMESTAMP", "\"2026-11-22 10:00:00.25+01:00\"", "\"2026-11-22T09:00:00.25Z\"");
    check_value("TIMESTAMP", r#""2026-11-22T10:00:00\u005a""#, "\"2026-11-22T10:00:00Z\"");
    check_value("TIMESTAMP", "1795341600", "type_mismatch: a number is not a value of TIMESTAMP");
    let lost =
        "out_of_range: '2026-11-22T10:00:00.1234567Z' has more digits after the second than TIMESTAMP holds";
    check_value("TIMESTAMP", "\"2026-11-22T10:00:00.1234567Z\"", lost);
    check_value("TIMESTAMP(9)", "\"2026-11-22T10:00:00.123456789\"", "\"2026-11-22T10:00:00.123456789Z\"");
    let range = "out_of_range: 2263-01-01T00:00:00Z is out of the range of TIMESTAMP(9)";
    check_value("TIMESTAMP(9)", "\"2263-01-01T00:00:00Z\"", range);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{{\"id\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    check(
        PLAIN,
        &nested(limits::JSON_DEPTH_MAX),
        "error 0 type_mismatch id: an array is not a value of BIGINT (write an integer, without quotes)",
    );
    check(
        PLAIN,
        &nested(limits::JSON_DEPTH_MAX + 1),
        "error 0 syntax: invalid JSON at line 1, column 38: objects and arrays are nested too deep",
    );
}

#[test]
fn a_line_that_is_not_utf8_does_not_hurt_its_neighbours() {
    let tables = [table(PLAIN)];
    let body = b"{\"id\":1}\n{\"name\":\"\xff\"}\n{\"id\":3}";
    let decoded = decode_table(body, BodyFormat::Ndjson, &tables, 0, &DecodeOptions::default()).unwrap();
    let expected = r#"insert t [0, 2] {"id":1,"name":null},{"id":3,"name":null}
                      error 1 syntax: line 2 is not UTF-8"#;
    assert_eq!(lines(&show(&decoded, &tables)), lines(expected));
    let array = b"[{\"name\":\"\xff\"}]";
    let refused = decode_table(array, BodyFormat::Json, &tables, 0, &DecodeOptions::default());
    assert_eq!(refused.unwrap_err(), BodyError::NotUtf8 { offset: 10 });
}

#[test]
fn errors_carry_the_beginning_of_their_record() {
    let tables = [table(PLAIN)];
    let long = format!("{{\"id\":\"{}\"}}", "é".repeat(limits::QUARANTINE_PAYLOAD_BYTES_MAX));
    let body = format!("[{{\"id\":1}}, {{\"id\":\"x\"}} ,{long}]");
    let decoded =
        decode_table(body.as_bytes(), BodyFormat::Json, &tables, 0, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.errors[0].payload, "{\"id\":\"x\"}");
    let cut = &decoded.errors[1].payload;
    assert_eq!(cut.len(), limits::QUARANTINE_PAYLOAD_BYTES_MAX - 1, "cut before a half character");
    assert!(long.starts_with(cut.as_str()));
}

#[test]
fn long_unknown_names_are_cut_in_errors() {
    let tables = [table(PLAIN)];
    let body = format!("{{\"{}\":1}}", "é".repeat(1_000));
    let decoded =
        decode_table(body.as_bytes(), BodyFormat::Json, &tables, 0, &DecodeOptions::default()).unwrap();
    let error = &decoded.errors[0];
    assert_eq!(error.column.as_ref().map(String::len), Some(limits::NAME_BYTES_MAX - 1));
    assert_eq!(error.message, format!("table 't' has no column '{}…'", "é".repeat(60)));
}

#[test]
fn records_and_their_memory_are_bounded() {
    let tables = [table(PLAIN)];
    let decode = |body: &str, tables: &[_]| {
        decode_table(body.as_bytes(), BodyFormat::Ndjson, tables, 0, &DecodeOptions::default())
            .map(|d| d.received)
    };
    let full = "{}\n".repeat(limits::RECORDS_PER_REQUEST_MAX);
    assert_eq!(decode(&full, &tables), Ok(limits::RECORDS_PER_REQUEST_MAX as u64));
    assert_eq!(decode(&(full.clone() + "{}"), &tables), Err(BodyError::TooManyRecords));
    let columns: Vec<String> = (0..100).map(|index| format!("c{index} BIGINT")).collect();
    let wide = [table(&format!("t: {}", columns.join(", ")))];
    assert_eq!(decode(&full, &wide), Err(BodyError::DecodedTooLarge));
    let default = [table(&format!("t: v VARCHAR DEFAULT {}", "x".repeat(1_000)))];
    assert_eq!(decode(&full, &default), Err(BodyError::DecodedTooLarge));
    let huge = " ".repeat(limits::BODY_BYTES_MAX + 1);
    assert_eq!(decode(&huge, &tables), Err(BodyError::TooLarge { bytes: huge.len() }));
}

#[test]
fn a_record_that_is_too_long_is_refused_alone() {
    let tables = [table(PLAIN)];
    let body = format!("{{\"name\":\"{}\"}}\n{{\"id\":2}}", "x".repeat(limits::RECORD_BYTES_MAX));
    let decoded =
        decode_table(body.as_bytes(), BodyFormat::Ndjson, &tables, 0, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.operations[0].record_indexes, [1]);
    assert_eq!(decoded.errors[0].code.as_str(), "out_of_range");
}

#[test]
fn times_bytes_and_uuids_are_read_in_every_form_and_written_in_one() {
    let body = r#"
        {"at":"10:00","raw":"0AFF","id":"123E4567-E89B-12D3-A456-426655440000"}
        {"at":"10:00:00.120","raw":"\\x0aff","id":"{123e4567e89b12d3a456426655440000}"}
        {"at":"23:59:59.999999999","raw":[10, 255],"id":"123e-4567-e89b-12d3-a456-4266-5544-0000"}
        {"at":null,"raw":"","id":null}"#;
    let uuid = "123e4567-e89b-12d3-a456-426655440000";
    let row = |at: &str| format!(r#"{{"at":"{at}","raw":"0aff","id":"{uuid}"}}"#);
    let rows = ["10:00:00", "10:00:00.12", "23:59:59.999999999"].map(row).join(",");
    check(
        "t: at TIME, raw VARBINARY, id UUID",
        body,
        &format!(r#"insert t [0, 1, 2, 3] {rows},{{"at":null,"raw":"","id":null}}"#),
    );
}

#[test]
fn what_is_no_time_no_bytes_and_no_uuid_is_refused() {
    check_value("TIME", r#""24:00:00""#, "type_mismatch: '24:00:00' is no time of the day");
    check_value("TIME", r#""10:00:00Z""#, "type_mismatch: '10:00:00Z' is not a TIME");
    check_value("TIME", "10", "type_mismatch: a number is not a value of TIME");
    let too_fine = "out_of_range: '10:00:00.1234567891' has more digits after the second than TIME holds";
    check_value("TIME", r#""10:00:00.1234567891""#, too_fine);
    check_value("VARBINARY", r#""0af""#, "type_mismatch: '0af' is not a VARBINARY");
    check_value("VARBINARY", "12", "type_mismatch: a number is not a value of VARBINARY");
    let not_bytes =
        "type_mismatch: an array of other values than integers from 0 to 255 is not a value of VARBINARY";
    for array in ["[256]", "[-1]", "[1.5]", r#"[1,"2"]"#, "[null]", "[[1]]"] {
        check_value("VARBINARY", array, not_bytes);
    }
    check_value("UUID", r#""123e4567""#, "type_mismatch: '123e4567' is not a UUID");
    check_value("UUID", "[1]", "type_mismatch: an array is not a value of UUID");
    check_value("VARCHAR", "[1]", "type_mismatch: an array is not a value of VARCHAR");
}
