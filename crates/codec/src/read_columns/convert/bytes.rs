use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use headwater_types::ColumnType;
use headwater_types::text::uuid;

use crate::rows::column_builder::ColumnBuilder;

/// The values in memory of their own; `None` if they would take more bytes than this: views may share theirs.
pub(super) fn copied(source: &dyn Array, bytes_max: usize) -> Option<ArrayRef> {
    let mut total = 0_usize;
    for_each(source, &mut |value| total = total.saturating_add(value.map_or(0, <[u8]>::len)));
    if total > bytes_max {
        return None;
    }
    let mut builder = ColumnBuilder::new(ColumnType::Varbinary);
    for_each(source, &mut |value| match value {
        None => builder.push_null(),
        Some(value) => builder.push_bytes(value).expect("a VARBINARY takes any bytes"),
    });
    Some(builder.take_array())
}

/// Values of 16 bytes.
pub(super) fn uuids(source: &dyn Array) -> ArrayRef {
    let values = source.as_fixed_size_binary();
    let bytes = Buffer::from(&values.value_data()[..values.len() * uuid::BYTES]);
    Arc::new(FixedSizeBinaryArray::new(uuid::BYTES as i32, bytes, values.nulls().cloned()))
}

fn for_each(source: &dyn Array, take: &mut dyn FnMut(Option<&[u8]>)) {
    match source.data_type() {
        DataType::Binary => source.as_binary::<i32>().iter().for_each(take),
        DataType::LargeBinary => source.as_binary::<i64>().iter().for_each(take),
        DataType::BinaryView => source.as_binary_view().iter().for_each(take),
        _ => source.as_fixed_size_binary().iter().for_each(take),
    }
}
