use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use headwater_types::Scan;

use crate::segment_list::SegmentList;

/// All rows as of one published state. Never changes; cheap to clone.
#[derive(Clone)]
pub struct RelationSnapshot {
    inner: Arc<Inner>,
}

struct Inner {
    schema: SchemaRef,
    segments: Arc<SegmentList>,
    /// The places that have a segment; listed when first asked for, as most snapshots are never scanned.
    places: OnceLock<Vec<u32>>,
}

impl RelationSnapshot {
    pub(crate) fn new(schema: SchemaRef, segments: Arc<SegmentList>) -> RelationSnapshot {
        RelationSnapshot { inner: Arc::new(Inner { schema, segments, places: OnceLock::new() }) }
    }

    pub(crate) fn segments(&self) -> &SegmentList {
        &self.inner.segments
    }

    /// Bytes that this snapshot holds and a newer one of the same relation does not, about.
    #[must_use]
    pub fn bytes_beyond(&self, newer: &RelationSnapshot) -> usize {
        self.inner.segments.bytes_beyond(&newer.inner.segments)
    }

    fn places(&self) -> &[u32] {
        self.inner.places.get_or_init(|| self.inner.segments.iter().map(|(place, _)| place).collect())
    }
}

impl Scan for RelationSnapshot {
    fn schema(&self) -> SchemaRef {
        self.inner.schema.clone()
    }

    fn num_rows(&self) -> usize {
        self.inner.segments.num_rows()
    }

    fn num_segments(&self) -> usize {
        self.places().len()
    }

    fn segment(&self, index: usize, projection: Option<&[usize]>) -> RecordBatch {
        let segment =
            self.inner.segments.get(self.places()[index]).expect("only places with a segment are listed");
        segment.live_batch(projection)
    }
}

impl fmt::Debug for RelationSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelationSnapshot").field("num_rows", &self.num_rows()).finish_non_exhaustive()
    }
}
