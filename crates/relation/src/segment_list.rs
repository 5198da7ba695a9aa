use std::sync::Arc;

use crate::segment::{SEGMENT_SIZE_MAX, Segment};

/// Segments of the same power of eight wait together to be merged: sizes below 8, 64, 512, 4,096 and half the largest.
const TIERS: usize = 5;
/// How many segments of a tier are left unmerged.
const TIER_SEGMENTS_MAX: usize = 7;
const TIER_FACTOR_BITS: u32 = 3;
/// From this size on a segment is left alone until it is sparse.
const FULL_SIZE: usize = SEGMENT_SIZE_MAX / 2;

const CHUNK_BITS: u32 = 6;
const CHUNK_PLACES: usize = 1 << CHUNK_BITS;

type Chunk = [Option<Arc<Segment>>; CHUNK_PLACES];

/// A persistent list of segments, each at a place that it keeps until it is removed. A clone shares all segments and
/// all chunks of the list; changing one place copies one chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct SegmentList {
    chunks: Vec<Arc<Chunk>>,
    /// Places without segment, the one to take next at the end.
    free: Vec<u32>,
    /// Places of segments that wait for others of their size, oldest first.
    tiers: [Vec<u32>; TIERS],
    /// Places of segments that are mostly dead, oldest first.
    sparse: Vec<u32>,
    num_rows: usize,
    memory_bytes: usize,
}

impl SegmentList {
    /// The number of rows that live.
    pub(crate) fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Bytes of all segments, dead rows among them.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes + self.chunks.len() * size_of::<Chunk>()
    }

    /// The number of places, empty ones among them.
    pub(crate) fn num_places(&self) -> usize {
        self.chunks.len() * CHUNK_PLACES
    }

    pub(crate) fn get(&self, place: u32) -> Option<&Arc<Segment>> {
        self.chunks.get((place >> CHUNK_BITS) as usize)?[place as usize % CHUNK_PLACES].as_ref()
    }

    /// All segments with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<Segment>)> {
        let places = self.chunks.iter().flat_map(|chunk| chunk.iter());
        places.zip(0..).filter_map(|(segment, place)| Some((place, segment.as_ref()?)))
    }

    /// A list with another segment in the place of each.
    pub(crate) fn map(&self, mut other: impl FnMut(u32, &Arc<Segment>) -> Arc<Segment>) -> SegmentList {
        let chunks = self.chunks.iter().map(|_| Arc::new([const { None }; CHUNK_PLACES])).collect();
        let mut mapped = SegmentList { chunks, free: self.free.clone(), ..SegmentList::default() };
        for (place, segment) in self.iter() {
            mapped.put(place, other(place, segment));
        }
        mapped
    }

    /// Adds a segment and returns its place.
    pub(crate) fn insert(&mut self, segment: Arc<Segment>) -> u32 {
        if self.free.is_empty() {
            let start = u32::try_from(self.num_places()).expect("there are fewer segments than rows");
            self.chunks.push(Arc::new([const { None }; CHUNK_PLACES]));
            self.free.extend((start..start + CHUNK_PLACES as u32).rev());
        }
        let place = self.free.pop().expect("a chunk was added if there was no place");
        self.put(place, segment);
        place
    }

    /// Puts another segment in the place of one.
    pub(crate) fn replace(&mut self, place: u32, segment: Arc<Segment>) {
        self.take(place);
        self.put(place, segment);
    }

    /// Removes and returns a segment.
    pub(crate) fn remove(&mut self, place: u32) -> Arc<Segment> {
        self.free.push(place);
        self.take(place)
    }

    /// Places of segments to merge into one next: many small ones of a tier, or sparse ones; never more than fit one.
    pub(crate) fn next_merge(&self) -> Option<Vec<u32>> {
        let full = |tier: &&Vec<u32>| {
            tier.len() > TIER_SEGMENTS_MAX
                || tier.iter().map(|&p| self.size(p)).sum::<usize>() > SEGMENT_SIZE_MAX
        };
        let waiting =
            self.tiers.iter().find(full).or_else(|| Some(&self.sparse).filter(|s| !s.is_empty()))?;
        let mut size = 0;
        let fits = |place: &&u32| {
            size += self.size(**place);
            size <= SEGMENT_SIZE_MAX
        };
        let count = waiting.iter().take_while(fits).count();
        Some(waiting[..count.max(1)].to_vec())
    }

    /// Bytes of segments that are not in a newer list at their place. Where only rows died, the bitmap alone differs.
    pub(crate) fn bytes_beyond(&self, newer: &SegmentList) -> usize {
        let mut bytes = 0;
        for (number, chunk) in self.chunks.iter().enumerate() {
            let other = newer.chunks.get(number);
            if other.is_some_and(|other| Arc::ptr_eq(chunk, other)) {
                continue;
            }
            bytes += size_of::<Chunk>();
            for (place, segment) in chunk.iter().enumerate() {
                let Some(segment) = segment else { continue };
                match other.and_then(|other| other[place].as_ref()) {
                    Some(other) if Arc::ptr_eq(segment, other) => {}
                    Some(other) if segment.has_rows_of(other) => bytes += segment.bitmap_bytes(),
                    _ => bytes += segment.memory_bytes(),
                }
            }
        }
        bytes
    }

    fn size(&self, place: u32) -> usize {
        self.get(place).map_or(0, |segment| segment.size())
    }

    /// The list where a segment like this waits to be merged, if it does.
    fn waiting_list(&mut self, segment: &Segment) -> Option<&mut Vec<u32>> {
        if segment.is_sparse() {
            return Some(&mut self.sparse);
        }
        let size = segment.size();
        let tier = (size.ilog2() / TIER_FACTOR_BITS) as usize;
        (size < FULL_SIZE).then(|| &mut self.tiers[tier.min(TIERS - 1)])
    }

    fn put(&mut self, place: u32, segment: Arc<Segment>) {
        self.num_rows += segment.live_rows();
        self.memory_bytes += segment.memory_bytes();
        if let Some(waiting) = self.waiting_list(&segment) {
            waiting.push(place);
        }
        *self.slot(place) = Some(segment);
    }

    fn take(&mut self, place: u32) -> Arc<Segment> {
        let segment = self.slot(place).take().expect("only places with a segment are emptied");
        self.num_rows -= segment.live_rows();
        self.memory_bytes -= segment.memory_bytes();
        if let Some(waiting) = self.waiting_list(&segment) {
            waiting.retain(|&other| other != place);
        }
        segment
    }

    fn slot(&mut self, place: u32) -> &mut Option<Arc<Segment>> {
        &mut Arc::make_mut(&mut self.chunks[(place >> CHUNK_BITS) as usize])[place as usize % CHUNK_PLACES]
    }
}
