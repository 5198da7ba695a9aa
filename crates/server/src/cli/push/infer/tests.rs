use super::*;

fn shown(inferred: &Inferred) -> Vec<String> {
    inferred.columns.iter().map(|column| format!("{} {}", column.name, column.column_type())).collect()
}

fn csv(text: &str) -> Inferred {
    Inferred::from_text(text.as_bytes(), FileFormat::Csv).unwrap()
}

fn json(text: &str) -> Result<Inferred, CliError> {
    Inferred::from_text(text.as_bytes(), FileFormat::Json)
}

#[test]
fn csv_columns_get_the_narrowest_type_that_holds_their_values() {
    let inferred = csv("id,ok,n,x,big,zip,day,at,fine,note,empty\n\
         1,true,1,1,18446744073709551615,01234,2026-11-22,2026-11-22T10:00:00Z,2026-11-22 10:00:00.123456789,a,\n\
         2,FALSE,,2.5,1,99999,2026-11-23,2026-11-22T10:00:00.5+02:00,2026-11-22T10:00:00,2026-11-22,\n");
    assert_eq!(
        shown(&inferred),
        [
            "id BIGINT",
            "ok BOOLEAN",
            "n BIGINT",
            "x DOUBLE",
            "big DECIMAL(38, 0)",
            "zip VARCHAR",
            "day DATE",
            "at TIMESTAMP",
            "fine TIMESTAMP(9)",
            "note VARCHAR",
            "empty VARCHAR"
        ]
    );
}

#[test]
fn json_fields_come_in_their_order_and_may_be_absent() {
    let inferred = json(r#"[{"b":1,"a":"x"},{"a":null,"c":true},{"b":1e3}]"#).unwrap();
    assert_eq!(shown(&inferred), ["b DOUBLE", "a VARCHAR", "c BOOLEAN"]);
    assert_eq!(inferred.records, 3);
    let lines = json("{\"at\":\"2026-11-22T10:00:00Z\"}\n{\"at\":\"soon\"}\n").unwrap();
    assert_eq!(shown(&lines), ["at VARCHAR"]);
}

#[test]
fn what_no_type_holds_is_refused_by_name() {
    for refused in [r#"[{"a":1},{"a":"x"}]"#, r#"{"a":{"b":1}}"#, r#"[{"a":true},{"a":1}]"#, "[1]", "{}"] {
        let said = json(refused).unwrap_err().to_string();
        assert!(refused == "[1]" || refused == "{}" || said.contains("\"a\""), "{said}");
    }
}

#[test]
fn a_key_is_suggested_if_its_name_and_its_values_say_so() {
    assert_eq!(csv("order_id,id,n\n1,a,1\n2,b,2\n").likely_key(), Some("id"));
    assert_eq!(csv("order_id,n\n1,1\n2,2\n").likely_key(), Some("order_id"));
    assert_eq!(csv("id,n\n1,1\n1,2\n").likely_key(), None, "a value is there twice");
    assert_eq!(csv("id,n\n1,1\n,2\n").likely_key(), None, "a value is missing");
    assert_eq!(csv("n\n1\n2\n").likely_key(), None, "any column may happen to be distinct");
}

#[test]
fn arrow_types_become_the_type_that_holds_all_their_values() {
    use arrow::datatypes::Field;
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let schema = Schema::new(vec![
        field("a", DataType::UInt64),
        field("b", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))),
        field("c", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8))),
        field("d", DataType::Null),
    ]);
    let inferred = Inferred::from_schema(&schema).unwrap();
    assert_eq!(shown(&inferred), ["a DECIMAL(20, 0)", "b TIMESTAMP(9)", "c VARCHAR", "d VARCHAR"]);
    let nested = Schema::new(vec![field("s", DataType::Struct(vec![field("x", DataType::Int8)].into()))]);
    assert!(Inferred::from_schema(&nested).is_err());
}
