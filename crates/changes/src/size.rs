use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use headwater_types::Delta;

/// Memory of a column beside its values: the array, its buffers, their counts.
const COLUMN_BYTES: usize = 160;

/// Memory that a delta's rows take, about. Cheap: the story's thread asks at every step.
pub(crate) fn delta_bytes(delta: &Delta) -> usize {
    let weights = |rows: usize, weighted: bool| if weighted { rows * size_of::<i64>() } else { 0 };
    let part = |part: &headwater_types::WeightedRows| {
        let rows = part.rows.num_rows();
        part.rows.num_columns() * COLUMN_BYTES
            + data_bytes(&part.rows)
            + weights(rows, part.weights.is_some())
    };
    delta.parts.iter().map(part).sum()
}

/// Bytes of the values themselves.
pub(crate) fn data_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column_bytes(column.as_ref())).sum()
}

fn column_bytes(column: &dyn Array) -> usize {
    let rows = column.len();
    match column.data_type() {
        DataType::Utf8 => rows * 4 + text_bytes(column.as_string::<i32>().value_offsets()),
        DataType::Binary => rows * 4 + text_bytes(column.as_binary::<i32>().value_offsets()),
        other => match other.primitive_width() {
            Some(width) => rows * width,
            None => column.to_data().get_slice_memory_size().unwrap_or(rows * 16),
        },
    }
}

fn text_bytes(offsets: &[i32]) -> usize {
    let ends = offsets.first().zip(offsets.last());
    ends.map_or(0, |(first, last)| usize::try_from(last - first).unwrap_or(0))
}
