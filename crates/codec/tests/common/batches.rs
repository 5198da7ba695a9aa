//! Batches of any column types and values, extremes among them.
#![allow(unreachable_pub)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use headwater_types::text::time_of_day::DAY_NANOS;
use headwater_types::{Column, ColumnType, Name, TableDefinition};
use proptest::collection::vec;
use proptest::num;
use proptest::prelude::*;

/// A table of any types with some rows. Floats are stored as tables store them: one zero, one NaN.
pub fn table_with_rows() -> impl Strategy<Value = (Arc<TableDefinition>, RecordBatch)> {
    (vec((column_type(), any::<bool>()), 1..6), 0..20_usize).prop_flat_map(|(types, rows)| {
        let arrays: Vec<_> =
            types.iter().map(|(of_type, nullable)| array(*of_type, rows, *nullable)).collect();
        arrays.prop_map(move |arrays| {
            let definition = Arc::new(definition(&types));
            let batch = RecordBatch::try_new(definition.schema(), arrays).unwrap();
            (definition, batch)
        })
    })
}

fn definition(types: &[(ColumnType, bool)]) -> TableDefinition {
    let names = ["a", "\"quoted\" \\ name", "ünï", "d", "e", "f"];
    let column = |(index, (column_type, nullable)): (usize, &(ColumnType, bool))| Column {
        name: Name::new(names[index]).unwrap(),
        column_type: *column_type,
        nullable: *nullable,
        default: None,
    };
    TableDefinition {
        name: Name::new("t").unwrap(),
        columns: types.iter().enumerate().map(column).collect(),
        primary_key: Vec::new(),
        materialized: true,
        retention: None,
        changes: headwater_types::ChangesKept::Usual,
    }
}

fn column_type() -> impl Strategy<Value = ColumnType> {
    let decimal = (1..=38_u8).prop_flat_map(|precision| (Just(precision), 0..=precision));
    prop_oneof![
        Just(ColumnType::Boolean),
        Just(ColumnType::TinyInt),
        Just(ColumnType::SmallInt),
        Just(ColumnType::Int),
        Just(ColumnType::BigInt),
        Just(ColumnType::Real),
        Just(ColumnType::Double),
        decimal.prop_map(|(precision, scale)| ColumnType::Decimal { precision, scale }),
        Just(ColumnType::Varchar),
        Just(ColumnType::Date),
        Just(ColumnType::Timestamp),
        Just(ColumnType::TimestampNanos),
        Just(ColumnType::Time),
        Just(ColumnType::Varbinary),
        Just(ColumnType::Uuid),
    ]
}

fn array(column_type: ColumnType, rows: usize, nullable: bool) -> BoxedStrategy<ArrayRef> {
    macro_rules! of {
        ($values:expr, $array:ty) => {
            vec(optional($values, nullable), rows)
                .prop_map(|v| Arc::new(<$array>::from(v)) as ArrayRef)
                .boxed()
        };
    }
    match column_type {
        ColumnType::Boolean => of!(any::<bool>(), BooleanArray),
        ColumnType::TinyInt => of!(any::<i8>(), Int8Array),
        ColumnType::SmallInt => of!(any::<i16>(), Int16Array),
        ColumnType::Int => of!(prop_oneof![any::<i32>(), Just(i32::MIN), Just(i32::MAX)], Int32Array),
        ColumnType::BigInt => of!(any_i64(), Int64Array),
        ColumnType::Date => of!(prop_oneof![any::<i32>(), Just(i32::MIN), Just(i32::MAX)], Date32Array),
        ColumnType::Timestamp => of!(any_i64(), TimestampMicrosecondArray),
        ColumnType::TimestampNanos => of!(any_i64(), TimestampNanosecondArray),
        ColumnType::Time => {
            of!(prop_oneof![0..DAY_NANOS, Just(0), Just(DAY_NANOS - 1)], Time64NanosecondArray)
        }
        ColumnType::Varbinary => vec(optional(any::<Vec<u8>>(), nullable), rows)
            .prop_map(|v| Arc::new(BinaryArray::from_iter(v)) as ArrayRef)
            .boxed(),
        ColumnType::Uuid => vec(optional(any::<[u8; 16]>(), nullable), rows)
            .prop_map(|v| {
                let uuids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(v.into_iter(), 16);
                Arc::new(uuids.unwrap()) as ArrayRef
            })
            .boxed(),
        ColumnType::Real => of!(num::f32::ANY.prop_map(canonical_f32), Float32Array),
        ColumnType::Double => of!(num::f64::ANY.prop_map(canonical_f64), Float64Array),
        ColumnType::Varchar => {
            let texts = prop_oneof![".*", "[\\x00-\\x1f\"\\\\/é😀]*", Just(String::new())];
            of!(texts, StringArray)
        }
        ColumnType::Decimal { precision, scale } => {
            let max = 10_i128.pow(u32::from(precision)) - 1;
            let values = prop_oneof![-max..=max, Just(-max), Just(max), Just(0)];
            let decimals = vec(optional(values, nullable), rows);
            let typed = move |v: Vec<Option<i128>>| {
                let array = Decimal128Array::from(v).with_precision_and_scale(precision, scale.cast_signed());
                Arc::new(array.unwrap()) as ArrayRef
            };
            decimals.prop_map(typed).boxed()
        }
    }
}

fn optional<S: Strategy + 'static>(values: S, nullable: bool) -> BoxedStrategy<Option<S::Value>>
where
    S::Value: Clone + 'static,
{
    if nullable { proptest::option::of(values).boxed() } else { values.prop_map(Some).boxed() }
}

fn any_i64() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        -2_000_000_000_000_000..2_000_000_000_000_000_i64
    ]
}

fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}
