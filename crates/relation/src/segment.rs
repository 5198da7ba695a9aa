use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::compute::filter_record_batch;
use arrow::util::bit_util::{get_bit, unset_bit};

use crate::gather::{copy_run, data_bytes};

/// The size to which segments are merged: rows plus KiB. So a segment has at most this many rows, and its texts stay
/// far below what 32-bit offsets reach.
pub(crate) const SEGMENT_SIZE_MAX: usize = 65_536;

/// Slack in buffers that is not worth a copy, per column: Arrow rounds allocations up to 64 bytes, of three buffers.
const SLACK_BYTES_PER_COLUMN: usize = 3 * 64;

/// An immutable run of rows, and which of them live. At least one does.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    batch: RecordBatch,
    data_bytes: usize,
    memory_bytes: usize,
    /// `None` while all rows live.
    live: Option<BooleanBuffer>,
    live_rows: usize,
}

impl Segment {
    /// All these rows, alive. Copied if their buffers hold much else.
    pub(crate) fn new(batch: RecordBatch) -> Segment {
        let data_bytes = data_bytes(&batch);
        let held: usize = batch.columns().iter().map(|column| column.get_buffer_memory_size()).sum();
        let tight = held <= data_bytes + data_bytes / 4 + batch.num_columns() * SLACK_BYTES_PER_COLUMN;
        let batch = if tight { batch } else { copy_run(&batch) };
        let (memory_bytes, live_rows) = (batch.get_array_memory_size(), batch.num_rows());
        Segment { batch, data_bytes, memory_bytes, live: None, live_rows }
    }

    /// All rows, dead ones among them.
    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    pub(crate) fn live_rows(&self) -> usize {
        self.live_rows
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes + self.bitmap_bytes()
    }

    /// Bytes that say which rows live.
    pub(crate) fn bitmap_bytes(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.len() / 8)
    }

    /// The size of what lives, in rows plus KiB.
    pub(crate) fn size(&self) -> usize {
        let kib = self.data_bytes as u128 * self.live_rows as u128 / (1024 * self.batch.num_rows() as u128);
        self.live_rows + usize::try_from(kib).expect("a part of the bytes is no more than all")
    }

    /// Whether most rows are dead.
    pub(crate) fn is_sparse(&self) -> bool {
        self.live_rows * 2 < self.batch.num_rows()
    }

    pub(crate) fn is_live(&self, row: usize) -> bool {
        self.live.as_ref().is_none_or(|live| live.value(row))
    }

    /// The rows that live and that the mask, if any, has as true.
    pub(crate) fn rows_in(&self, mask: Option<BooleanBuffer>) -> Vec<u32> {
        let chosen = match (&self.live, mask) {
            (Some(live), Some(mask)) => Some(live & &mask),
            (Some(live), None) => Some(live.clone()),
            (None, mask) => mask,
        };
        let number = |row: usize| u32::try_from(row).expect("a segment has fewer than 2^32 rows");
        match chosen {
            Some(chosen) => chosen.set_indices().map(number).collect(),
            None => (0..number(self.batch.num_rows())).collect(),
        }
    }

    /// The rows that live, with only these columns.
    pub(crate) fn live_batch(&self, projection: Option<&[usize]>) -> RecordBatch {
        let projected = match projection {
            Some(columns) => self.batch.project(columns).expect("projections name columns of the relation"),
            None => self.batch.clone(),
        };
        match &self.live {
            Some(live) => filter_record_batch(&projected, &BooleanArray::new(live.clone(), None))
                .expect("the bitmap is as long as the batch"),
            None => projected,
        }
    }

    /// Whether another segment was made of this one by letting rows die, or the other way round.
    pub(crate) fn has_rows_of(&self, other: &Segment) -> bool {
        let mut pairs = self.batch.columns().iter().zip(other.batch.columns());
        self.batch.num_rows() == other.batch.num_rows() && pairs.all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// Another form of the same rows, of which the same live.
    pub(crate) fn with_batch(&self, batch: RecordBatch) -> Segment {
        debug_assert_eq!(batch.num_rows(), self.batch.num_rows(), "they are the same rows");
        Segment { live: self.live.clone(), live_rows: self.live_rows, ..Segment::new(batch) }
    }

    /// The segment without these rows, each of which lives and is named once; `None` if that leaves nothing.
    pub(crate) fn without(&self, rows: impl ExactSizeIterator<Item = u32>) -> Option<Arc<Segment>> {
        let live_rows = self.live_rows - rows.len();
        if live_rows == 0 {
            return None;
        }
        let len = self.batch.num_rows();
        let mut bits = match &self.live {
            Some(live) => {
                let mut bits = MutableBuffer::new(len.div_ceil(8));
                bits.extend_from_slice(live.values());
                bits
            }
            None => MutableBuffer::new(len.div_ceil(8)).with_bitset(len.div_ceil(8), true),
        };
        for row in rows {
            debug_assert!(get_bit(&bits, row as usize), "only rows that live are removed, and once");
            unset_bit(&mut bits, row as usize);
        }
        let live = Some(BooleanBuffer::new(bits.into(), 0, len));
        Some(Arc::new(Segment { batch: self.batch.clone(), live, live_rows, ..*self }))
    }
}
