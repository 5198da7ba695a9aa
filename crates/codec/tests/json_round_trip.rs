//! What is written as JSON is read back as the same rows.
#![allow(clippy::unwrap_used)]

#[path = "common/batches.rs"]
mod batches;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date64Array, Int64Array, NullArray, RecordBatch, StringViewArray, TimestampMillisecondArray,
    UInt64Array,
};
use batches::table_with_rows;
use headwater_codec::{BodyFormat, DecodeOptions, decode_table, json};
use headwater_types::TableDefinition;
use proptest::prelude::*;

fn decode(body: &[u8], format: BodyFormat, table: &Arc<TableDefinition>) -> Option<RecordBatch> {
    let tables = [Arc::clone(table)];
    let mut decoded = decode_table(body, format, &tables, 0, &DecodeOptions::default()).unwrap();
    assert!(decoded.errors.is_empty(), "{:?}\n{}", decoded.errors, String::from_utf8_lossy(body));
    assert!(decoded.operations.len() <= 1, "all rows form one run");
    decoded.operations.pop().map(|operation| operation.rows)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]
    #[test]
    fn rows_of_every_type_come_back((table, batch) in table_with_rows()) {
        let mut lines = Vec::new();
        json::write_rows_ndjson(&batch, &mut lines);
        let mut array = vec![b'['];
        json::write_rows_array_elements(&batch, &mut array);
        array.push(b']');
        let expected = (batch.num_rows() > 0).then_some(batch);
        prop_assert_eq!(decode(&lines, BodyFormat::Ndjson, &table), expected.clone());
        prop_assert_eq!(decode(&array, BodyFormat::Json, &table), expected);
        let values: serde_json::Value = serde_json::from_slice(&array).unwrap();
        prop_assert!(values.is_array());
    }
}

#[test]
fn types_that_only_queries_give_are_written_too() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("unsigned", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("view", Arc::new(StringViewArray::from(vec!["a\"b"]))),
        ("nothing", Arc::new(NullArray::new(1))),
        ("millis", Arc::new(TimestampMillisecondArray::from(vec![-1]).with_timezone("Europe/Berlin"))),
        ("date", Arc::new(Date64Array::from(vec![86_400_000]))),
        ("null", Arc::new(Int64Array::from(vec![None::<i64>]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut out = Vec::new();
    json::write_row(&batch, 0, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"unsigned":18446744073709551615,"view":"a\"b","nothing":null,"millis":"1969-12-31T23:59:59.999Z","date":"1970-01-02T00:00:00","null":null}"#
    );
}
