//! Batches go to bytes and back, and no bytes do harm.
#![allow(clippy::unwrap_used)]

#[path = "common/batches.rs"]
mod batches;

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use batches::table_with_rows;
use headwater_codec::ipc;
use proptest::prelude::*;

fn schema(data_type: DataType, nullable: bool) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("v", data_type, nullable)]))
}

/// Touches every value, as anything that were wrong inside would show then.
fn read_all(batch: &RecordBatch) {
    headwater_codec::json::write_rows_ndjson(batch, &mut Vec::new());
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn batches_of_every_type_come_back((_, batch) in table_with_rows(), from in 0..20_usize, rows in 0..20_usize) {
        let from = from.min(batch.num_rows());
        let part = batch.slice(from, rows.min(batch.num_rows() - from));
        for batch in [batch, part] {
            let bytes = ipc::encode(&batch);
            prop_assert_eq!(bytes.len() % 8, 0);
            prop_assert_eq!(ipc::decode(&bytes, &batch.schema()), Ok(batch));
        }
    }

    #[test]
    fn bytes_are_read_at_any_address((_, batch) in table_with_rows(), shift in 0..16_usize) {
        let shifted = [vec![0; shift], ipc::encode(&batch)].concat();
        prop_assert_eq!(ipc::decode(&shifted[shift..], &batch.schema()), Ok(batch));
    }

    #[test]
    fn every_cut_is_refused((_, batch) in table_with_rows(), cut in any::<prop::sample::Index>()) {
        let bytes = ipc::encode(&batch);
        let length = cut.index(bytes.len());
        prop_assert!(ipc::decode(&bytes[..length], &batch.schema()).is_err());
    }

    #[test]
    fn changed_bytes_never_panic(
        (_, batch) in table_with_rows(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = ipc::encode(&batch);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(batch) = ipc::decode(&bytes, &batch.schema()) {
            read_all(&batch);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>, (_, batch) in table_with_rows()) {
        let _ = ipc::decode(&bytes, &batch.schema());
        bytes.splice(0..0, [0xff, 0xff, 0xff, 0xff, 16, 0, 0, 0]);
        let _ = ipc::decode(&bytes, &batch.schema());
    }

    #[test]
    fn another_schema_never_panics((_, batch) in table_with_rows(), (_, other) in table_with_rows()) {
        if let Ok(batch) = ipc::decode(&ipc::encode(&batch), &other.schema()) {
            read_all(&batch);
        }
    }
}

#[test]
fn every_bit_of_a_small_message_may_flip() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)]))),
        ("b", Arc::new(arrow::array::StringArray::from(vec![Some("é"), None, Some("text")]))),
        ("c", Arc::new(Decimal128Array::from(vec![1, 2, 3]).with_precision_and_scale(5, 2).unwrap())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let bytes = ipc::encode(&batch);
    let mut accepted = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(batch) = ipc::decode(&flipped, &batch.schema()) {
            accepted += 1;
            read_all(&batch);
        }
    }
    assert!(accepted > 0, "values and padding may change without breaking the form");
}

#[test]
fn null_in_a_column_that_is_not_null_is_refused() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_new(schema(DataType::Int64, true), vec![array]).unwrap();
    let bytes = ipc::encode(&batch);
    assert!(ipc::decode(&bytes, &schema(DataType::Int64, true)).is_ok());
    assert!(ipc::decode(&bytes, &schema(DataType::Int64, false)).is_err());
}

#[test]
fn decimals_beyond_their_precision_are_refused() {
    let array: ArrayRef =
        Arc::new(Decimal128Array::from(vec![1_000]).with_precision_and_scale(38, 0).unwrap());
    let batch = RecordBatch::try_new(schema(DataType::Decimal128(38, 0), true), vec![array]).unwrap();
    let bytes = ipc::encode(&batch);
    assert!(ipc::decode(&bytes, &schema(DataType::Decimal128(4, 0), true)).is_ok());
    assert!(ipc::decode(&bytes, &schema(DataType::Decimal128(3, 0), true)).is_err());
}
