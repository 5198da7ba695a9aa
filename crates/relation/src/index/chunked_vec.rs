const CHUNK_BITS: u32 = 10;
const CHUNK_LEN: usize = 1 << CHUNK_BITS;

/// A vector that grows without moving what it holds, so that no single step pays for copying all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChunkedVec<T> {
    chunks: Vec<Box<[T]>>,
    len: usize,
}

impl<T: Copy + Default> ChunkedVec<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds so many default values.
    pub(crate) fn grow(&mut self, by: usize) {
        self.len += by;
        while self.chunks.len() * CHUNK_LEN < self.len {
            self.chunks.push(vec![T::default(); CHUNK_LEN].into_boxed_slice());
        }
    }

    pub(crate) fn get(&self, index: u32) -> T {
        self.chunks[(index >> CHUNK_BITS) as usize][index as usize % CHUNK_LEN]
    }

    pub(crate) fn set(&mut self, index: u32, value: T) {
        self.chunks[(index >> CHUNK_BITS) as usize][index as usize % CHUNK_LEN] = value;
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.chunks.len() * CHUNK_LEN * size_of::<T>() + self.chunks.capacity() * size_of::<Box<[T]>>()
    }
}
