use arrow::array::{Array, RecordBatch};
use arrow::compute::{concat, interleave_record_batch};
use arrow::datatypes::SchemaRef;

/// Copies rows, each given by its batch and its row there, in order: one batch, or several where the texts of one
/// column would pass what 32-bit offsets reach. At least one batch, perhaps empty.
pub(crate) fn gather(
    schema: &SchemaRef,
    batches: &[&RecordBatch],
    rows: &[(usize, usize)],
) -> Vec<RecordBatch> {
    if rows.is_empty() {
        return vec![RecordBatch::new_empty(schema.clone())];
    }
    match interleave_record_batch(batches, rows) {
        Ok(batch) => vec![batch],
        Err(_) if rows.len() > 1 => {
            let (left, right) = rows.split_at(rows.len() / 2);
            [gather(schema, batches, left), gather(schema, batches, right)].concat()
        }
        Err(error) => unreachable!("a single row fits a batch, as it came from one: {error}"),
    }
}

/// Copies rows that follow each other into buffers of their own and of the right size.
pub(crate) fn copy_run(batch: &RecordBatch) -> RecordBatch {
    let copy = |column: &dyn Array| {
        // With one array `concat` shares its buffers; with two it copies.
        concat(&[column, &column.slice(0, 0)]).expect("an array fits the type that it has")
    };
    let columns = batch.columns().iter().map(|column| copy(column)).collect();
    RecordBatch::try_new(batch.schema(), columns).expect("copies keep type and length")
}

/// Bytes of the rows themselves, whatever else their buffers hold.
pub(crate) fn data_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &dyn Array| {
        let data = column.to_data();
        // Types without this figure count with all their buffers.
        data.get_slice_memory_size().unwrap_or_else(|_| data.get_buffer_memory_size())
    };
    batch.columns().iter().map(|column| bytes(column)).sum()
}
