//! Reading a file from front to back in large pieces, and looking at it in small ones.

use std::io;

use headwater_env::File;

/// Large enough that a disk reads at its full speed.
const PIECE_BYTES: u64 = 1 << 20;

/// A piece of a file, held in memory.
#[derive(Debug)]
pub(crate) struct Window {
    file: Box<dyn File>,
    file_bytes: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// A window on a file of this length, nothing read yet.
    pub(crate) fn new(file: Box<dyn File>, file_bytes: u64) -> Window {
        Window { file, file_bytes, start: 0, bytes: Vec::new() }
    }

    /// Length of the file when it was opened.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The bytes from `offset` on. Past the end of the file it is an [`io::ErrorKind::UnexpectedEof`].
    pub(crate) fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= self.file_bytes);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        if offset < self.start || end > self.start + self.bytes.len() as u64 {
            let piece = (self.file_bytes - offset).min(PIECE_BYTES.max(length as u64));
            self.bytes.resize(piece as usize, 0);
            self.start = offset;
            if let Err(error) = self.file.read_exact_at(&mut self.bytes, offset) {
                self.bytes.clear();
                return Err(error);
            }
        }
        let from = (offset - self.start) as usize;
        Ok(&self.bytes[from..from + length])
    }
}
