use std::fs::File;
use std::io::{IoSlice, Write};
use std::sync::Arc;

use dbsp::storage::buffer_cache::FBuf;
use feldera_storage::block::BlockLocation;
use feldera_storage::error::StorageError;
use feldera_storage::file::FileId;
use feldera_storage::{FileCommitter, FileReader, FileRw, FileWriter, StoragePath};

use super::book::{Book, BookedFile};

/// Blocks are gathered up to this size before they are written.
const BUFFERED_BYTES: usize = 1 << 20;

/// A batch that is being written. Dropped before it is complete, it is removed.
pub(super) struct BatchWriter {
    file: BatchReader,
    blocks: Vec<Arc<FBuf>>,
    buffered: usize,
}

impl BatchWriter {
    pub(super) fn create(book: Arc<Book>) -> Result<BatchWriter, StorageError> {
        let (name, file) = book.create_batch()?;
        let file = BatchReader::new(BookedFile::new(book, name), file, 0);
        Ok(BatchWriter { file, blocks: Vec::new(), buffered: 0 })
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        let mut slices: Vec<IoSlice<'_>> = self.blocks.iter().map(|block| IoSlice::new(block)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let written = (&self.file.file).write_vectored(rest);
            let written = written.map_err(|error| self.file.failed("write", &error))?;
            IoSlice::advance_slices(&mut rest, written);
        }
        self.file.bytes += self.buffered as u64;
        self.file.booked.book().count_bytes(self.buffered);
        self.buffered = 0;
        self.blocks.clear();
        Ok(())
    }
}

impl FileRw for BatchWriter {
    fn file_id(&self) -> FileId {
        self.file.id
    }

    fn path(&self) -> &StoragePath {
        &self.file.path
    }
}

impl FileWriter for BatchWriter {
    fn write_block(&mut self, data: FBuf) -> Result<Arc<FBuf>, StorageError> {
        let block = Arc::new(data);
        self.buffered += block.len();
        self.blocks.push(block.clone());
        if self.buffered >= BUFFERED_BYTES {
            self.flush()?;
        }
        Ok(block)
    }

    fn complete(mut self: Box<Self>) -> Result<Arc<dyn FileReader>, StorageError> {
        self.flush()?;
        Ok(Arc::new(self.file))
    }
}

/// A whole batch file, open as long as somebody may read it.
pub(super) struct BatchReader {
    id: FileId,
    path: StoragePath,
    file: File,
    bytes: u64,
    booked: BookedFile,
}

impl std::fmt::Debug for BatchReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("BatchReader").field(&self.path).finish()
    }
}

impl BatchReader {
    fn new(booked: BookedFile, file: File, bytes: u64) -> BatchReader {
        BatchReader { id: FileId::new(), path: booked.name().into(), file, bytes, booked }
    }

    pub(super) fn open(book: Arc<Book>, path: StoragePath) -> Result<BatchReader, StorageError> {
        let (file, bytes) = book.open_batch(path.as_ref())?;
        Ok(BatchReader::new(BookedFile::new(book, path.to_string()), file, bytes))
    }

    fn failed(&self, operation: &'static str, error: &std::io::Error) -> StorageError {
        self.booked.book().failed(operation, self.path.as_ref(), error)
    }
}

impl FileRw for BatchReader {
    fn file_id(&self) -> FileId {
        self.id
    }

    fn path(&self) -> &StoragePath {
        &self.path
    }
}

impl FileCommitter for BatchReader {
    fn commit(&self) -> Result<(), StorageError> {
        self.file.sync_all().map_err(|error| self.failed("sync", &error))
    }
}

impl FileReader for BatchReader {
    /// The book knows which files checkpoints name.
    fn mark_for_checkpoint(&self) {}

    fn read_block(&self, location: BlockLocation) -> Result<Arc<FBuf>, StorageError> {
        let mut block = FBuf::with_capacity(location.size);
        block
            .read_exact_at(&self.file, location.offset, location.size)
            .map_err(|error| self.failed("read", &error))?;
        Ok(Arc::new(block))
    }

    fn get_size(&self) -> Result<u64, StorageError> {
        Ok(self.bytes)
    }
}
