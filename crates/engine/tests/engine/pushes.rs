//! What a push does, and what a refused one does not.

use headwater_codec::{BodyFormat, DecodeOptions, OperationName};
use headwater_engine::{PushError, PushRequest, PushTarget};
use headwater_types::{IfAbsent, RecordErrorCode};

use crate::world::{World, delete, patch, request, skipping};

const SHOP: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE);
    CREATE TABLE clicks (page VARCHAR, at INT);
    CREATE MATERIALIZED VIEW spend AS
        SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
    CREATE VIEW big AS SELECT * FROM spend WHERE total > 15;";

#[test]
fn a_push_is_readable_in_table_and_views_when_it_is_answered() {
    let world = World::with_program(SHOP);
    let answer = world.push("orders", r#"{"id":1,"customer":"ada","amount":12.5}"#);
    assert_eq!((answer.received, answer.applied, answer.rejected), (1, 1, 0));
    assert_eq!(world.query("SELECT * FROM spend"), "{\"customer\":\"ada\",\"n\":1,\"total\":12.5}\n");
    world.push("orders", r#"{"id":2,"customer":"ada","amount":7.5}"#);
    assert_eq!(world.query("SELECT * FROM big"), "{\"customer\":\"ada\",\"n\":2,\"total\":20.0}\n");
    assert_eq!(world.workspace().published().lsn, headwater_types::Lsn(3));
}

#[test]
fn a_row_with_the_same_key_replaces_the_one_before() {
    let world = World::with_program(SHOP);
    world.push("orders", r#"[{"id":1,"customer":"ada","amount":1},{"id":1,"customer":"bob","amount":2}]"#);
    world.push("orders", r#"{"id":1,"customer":"cyd","amount":3}"#);
    assert_eq!(world.rows("orders"), [r#"{"id":1,"customer":"cyd","amount":3.0}"#]);
    assert_eq!(world.rows("spend"), [r#"{"customer":"cyd","n":1,"total":3.0}"#]);
}

#[test]
fn a_patch_sets_the_columns_it_names() {
    let world = World::with_program(SHOP);
    world.push("orders", r#"{"id":1,"customer":"ada","amount":1}"#);
    world
        .try_push(patch("orders", r#"[{"id":1,"amount":5},{"id":1,"customer":"bob"},{"id":1,"amount":6}]"#))
        .unwrap();
    assert_eq!(world.rows("orders"), [r#"{"id":1,"customer":"bob","amount":6.0}"#]);
}

#[test]
fn a_patch_of_an_absent_row_is_refused_ignored_or_inserted_as_it_asks() {
    let world = World::with_program(SHOP);
    let patch_with = |if_absent| PushRequest {
        options: DecodeOptions { operation: OperationName::Patch, if_absent },
        ..request("orders", r#"{"id":9,"amount":5}"#)
    };
    let refused = world.try_push(patch_with(IfAbsent::Error)).unwrap_err();
    assert!(
        matches!(refused, PushError::RecordsRefused { ref errors, .. } if errors[0].code == RecordErrorCode::RowNotFound)
    );
    assert_eq!(world.try_push(patch_with(IfAbsent::Ignore)).unwrap().applied, 1);
    assert_eq!(world.rows("orders"), [""; 0]);
    world.try_push(patch_with(IfAbsent::Insert)).unwrap();
    assert_eq!(world.rows("orders"), [r#"{"id":9,"customer":null,"amount":5.0}"#]);
}

#[test]
fn a_delete_by_key_removes_the_row_and_its_share_of_the_views() {
    let world = World::with_program(SHOP);
    world.push(
        "orders",
        r#"[{"id":1,"customer":"ada","amount":1e300},{"id":2,"customer":"ada","amount":2.5}]"#,
    );
    world.try_push(delete("orders", r#"{"id":1}"#)).unwrap();
    assert_eq!(world.rows("spend"), [r#"{"customer":"ada","n":1,"total":2.5}"#]);
}

#[test]
fn a_delete_without_key_removes_one_equal_row_and_null_equals_null() {
    let world = World::with_program(SHOP);
    world.push("clicks", r#"[{"page":"a","at":null},{"page":"a","at":null},{"page":"b","at":1}]"#);
    world.try_push(delete("clicks", r#"{"page":"a","at":null}"#)).unwrap();
    assert_eq!(world.rows("clicks"), [r#"{"page":"a","at":null}"#, r#"{"page":"b","at":1}"#]);
    let refused = world.try_push(delete("clicks", r#"[{"page":"a","at":null},{"page":"a","at":null}]"#));
    assert!(matches!(refused, Err(PushError::RecordsRefused { ref errors, .. }) if errors[0].index == 1));
    assert_eq!(world.rows("clicks").len(), 2, "the refused request left no trace");
}

#[test]
fn one_bad_record_refuses_the_request_and_changes_nothing() {
    let world = World::with_program(SHOP);
    let body = r#"[{"id":1,"customer":"ada","amount":1},{"id":"x","customer":"ada","amount":1}]"#;
    let refused = world.try_push(request("orders", body)).unwrap_err();
    let PushError::RecordsRefused { errors, total: 1, received: 2 } = refused else { panic!("{refused}") };
    assert_eq!((errors[0].index, errors[0].code), (1, RecordErrorCode::Type));
    assert_eq!(world.workspace().published().lsn, headwater_types::Lsn(1), "no step was taken");
}

#[test]
fn with_skip_good_records_are_taken_and_bad_ones_are_in_quarantine() {
    let world = World::with_program(SHOP);
    let body = r#"[{"id":1,"customer":"ada","amount":1},{"id":"x"},{"id":3,"amount":true}]"#;
    let answer = world.try_push(skipping(request("orders", body))).unwrap();
    assert_eq!((answer.received, answer.applied, answer.rejected), (3, 1, 2));
    assert_eq!(answer.errors.iter().map(|error| error.index).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        world
            .query("SELECT lsn, endpoint, record_index, code, payload FROM quarantine ORDER BY record_index"),
        "{\"lsn\":2,\"endpoint\":\"orders\",\"record_index\":1,\"code\":\"type_mismatch\",\"payload\":\"{\\\"id\\\":\\\"x\\\"}\"}\n\
         {\"lsn\":2,\"endpoint\":\"orders\",\"record_index\":2,\"code\":\"type_mismatch\",\"payload\":\"{\\\"id\\\":3,\\\"amount\\\":true}\"}\n"
    );
}

#[test]
fn with_skip_a_delete_of_an_absent_row_is_in_quarantine_with_its_payload() {
    let world = World::with_program(SHOP);
    world.push("orders", r#"{"id":1,"customer":"ada","amount":1}"#);
    let answer = world.try_push(skipping(delete("orders", r#"[{"id":7},{"id":1},{"id":1}]"#))).unwrap();
    assert_eq!((answer.applied, answer.rejected), (1, 2));
    assert_eq!(world.rows("orders"), [""; 0]);
    let payloads =
        world.query("SELECT payload FROM quarantine WHERE code = 'row_not_found' ORDER BY record_index");
    assert_eq!(payloads, "{\"payload\":\"{\\\"id\\\":7}\"}\n{\"payload\":\"{\\\"id\\\":1}\"}\n");
}

#[test]
fn a_request_over_several_tables_is_atomic() {
    let world = World::with_program(SHOP);
    let mixed = |body: &str| PushRequest {
        target: PushTarget::Mixed,
        format: BodyFormat::Json,
        ..request("push", body)
    };
    let body = r#"[{"table":"orders","row":{"id":1,"customer":"a","amount":1}},{"table":"clicks","op":"delete","row":{"page":"x","at":1}}]"#;
    assert!(world.try_push(mixed(body)).is_err());
    assert_eq!(world.rows("orders"), [""; 0]);
    let body = r#"[{"table":"orders","row":{"id":1,"customer":"a","amount":1}},{"table":"clicks","row":{"page":"x","at":1}}]"#;
    world.try_push(mixed(body)).unwrap();
    assert_eq!((world.rows("orders").len(), world.rows("clicks").len()), (1, 1));
}

#[test]
fn a_look_up_by_key_tells_the_row_and_its_lsn() {
    let world = World::with_program(SHOP);
    let lsn = world.push("orders", r#"{"id":4,"customer":"ada","amount":1}"#).lsn;
    let (at, row) = world.workspace().lookup("orders", &["4"]).unwrap();
    assert_eq!((at, row.unwrap().num_rows()), (lsn, 1));
    assert!(world.workspace().lookup("orders", &["5"]).unwrap().1.is_none());
}

#[test]
fn an_expression_error_is_null_for_its_row_and_listed_in_error_view() {
    let world = World::with_program(
        "CREATE TABLE t (a BIGINT, b BIGINT); CREATE MATERIALIZED VIEW v AS SELECT a, a / b AS q FROM t;",
    );
    world.push("t", r#"[{"a":6,"b":2},{"a":1,"b":0}]"#);
    assert_eq!(world.rows("v"), [r#"{"a":1,"q":null}"#, r#"{"a":6,"q":3}"#]);
    let listed = world.query("SELECT lsn, view_name, column_name FROM error_view");
    assert_eq!(listed, "{\"lsn\":2,\"view_name\":\"v\",\"column_name\":\"q\"}\n");
    world.try_push(delete("t", r#"[{"a":6,"b":2},{"a":1,"b":0}]"#)).unwrap();
    assert_eq!(world.rows("v"), [""; 0]);
}

#[test]
fn patches_that_would_make_too_much_are_refused_and_the_workspace_lives_on() {
    let world = World::with_program("CREATE TABLE big (id INT PRIMARY KEY, text VARCHAR, n INT);");
    let text = "x".repeat(2 << 20);
    for id in 0..160 {
        world.push("big", &format!(r#"{{"id":{id},"text":"{text}","n":0}}"#));
    }
    let all: Vec<String> = (0..160).map(|id| format!(r#"{{"id":{id},"n":1}}"#)).collect();
    let more = format!("[{0},{0}]", all.join(","));
    let refused = world.try_push(patch("big", &more)).unwrap_err();
    assert!(
        matches!(refused, PushError::RecordsRefused { ref errors, .. } if errors[0].code == RecordErrorCode::TooLarge)
    );
    world.try_push(patch("big", &all[0])).unwrap();
    assert_eq!(world.query("SELECT SUM(n) AS n FROM big"), "{\"n\":1}\n");
}

#[test]
fn quarantine_keeps_a_part_of_a_request_that_is_nearly_all_bad_and_counts_the_rest() {
    let world = World::with_program(SHOP);
    let bad = vec!["{\"id\":true}"; 12_000].join("\n");
    let answer = world.try_push(skipping(request("orders", &format!("{bad}\n{{\"id\":1}}")))).unwrap();
    assert_eq!(
        (answer.received, answer.applied, answer.rejected, answer.errors.len()),
        (12_001, 1, 12_000, 1_000)
    );
    assert_eq!(world.query("SELECT COUNT(*) AS n FROM quarantine"), "{\"n\":10000}\n");
    assert!(world.workspace().status().counts["orders"].reconcile());
}
