use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{ArrowNativeType, DataType};
use arrow::downcast_dictionary_array;

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

pub(super) fn is_text_or_dictionary(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        plain => is_text(plain),
    }
}

/// Hands out each row's text.
pub(super) fn for_each(source: &dyn Array, take: &mut dyn FnMut(usize, Option<&str>)) {
    match source.data_type() {
        DataType::Utf8 => {
            source.as_string::<i32>().iter().enumerate().for_each(|(row, text)| take(row, text))
        }
        DataType::LargeUtf8 => {
            source.as_string::<i64>().iter().enumerate().for_each(|(row, text)| take(row, text))
        }
        DataType::Utf8View => {
            source.as_string_view().iter().enumerate().for_each(|(row, text)| take(row, text))
        }
        DataType::Dictionary(..) => for_each_key(source, take),
        other => unreachable!("{other} is not text"),
    }
}

fn for_each_key(source: &dyn Array, take: &mut dyn FnMut(usize, Option<&str>)) {
    downcast_dictionary_array!(
        source => match source.values().data_type() {
            DataType::Utf8 => {
                let words = source.values().as_string::<i32>();
                let word = |key: usize| words.is_valid(key).then(|| words.value(key));
                source.keys().iter().enumerate().for_each(|(row, key)| take(row, key.and_then(|key| word(key.as_usize()))));
            }
            DataType::LargeUtf8 => {
                let words = source.values().as_string::<i64>();
                let word = |key: usize| words.is_valid(key).then(|| words.value(key));
                source.keys().iter().enumerate().for_each(|(row, key)| take(row, key.and_then(|key| word(key.as_usize()))));
            }
            _ => {
                let words = source.values().as_string_view();
                let word = |key: usize| words.is_valid(key).then(|| words.value(key));
                source.keys().iter().enumerate().for_each(|(row, key)| take(row, key.and_then(|key| word(key.as_usize()))));
            }
        },
        _ => unreachable!("only dictionaries have keys")
    );
}

/// Bytes of all texts, those that are there many times counted as often.
pub(super) fn total_bytes(source: &dyn Array) -> usize {
    let mut total = 0_usize;
    for_each(source, &mut |_, text| total = total.saturating_add(text.map_or(0, str::len)));
    total
}

/// The texts in memory of their own; `None` if they would take more bytes than this. A short body can stand for very
/// long texts, as a dictionary or a view may name one text many times.
pub(super) fn copied(source: &dyn Array, bytes_max: usize) -> Option<ArrayRef> {
    if let Some(texts) = source.as_string_opt::<i32>() {
        let (first, last) = (texts.value_offsets()[0], texts.value_offsets()[texts.len()]);
        let bytes = &texts.value_data()[first.as_usize()..last.as_usize()];
        let ends: Vec<i32> = texts.value_offsets().iter().map(|end| end - first).collect();
        let ends = OffsetBuffer::new(ends.into());
        return Some(Arc::new(StringArray::new(ends, Buffer::from(bytes), texts.nulls().cloned())));
    }
    let total = total_bytes(source);
    if total > bytes_max.min(i32::MAX as usize) {
        return None;
    }
    let mut bytes = Vec::with_capacity(total);
    let mut ends = Vec::with_capacity(source.len() + 1);
    ends.push(0);
    for_each(source, &mut |_, text| {
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        ends.push(i32::try_from(bytes.len()).expect("the sum was compared with the largest offset"));
    });
    let ends = OffsetBuffer::new(ends.into());
    Some(Arc::new(StringArray::new(ends, Buffer::from_vec(bytes), source.logical_nulls())))
}
