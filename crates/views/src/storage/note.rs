use std::sync::Arc;

use dbsp::storage::buffer_cache::FBuf;
use feldera_storage::block::BlockLocation;
use feldera_storage::error::StorageError;
use feldera_storage::file::FileId;
use feldera_storage::{FileCommitter, FileReader, FileRw, FileWriter, StoragePath};

use super::book::Book;

/// A small file of a checkpoint, in memory.
#[derive(Debug)]
pub(super) struct Note {
    id: FileId,
    path: StoragePath,
    bytes: Arc<FBuf>,
}

impl Note {
    pub(super) fn new(path: StoragePath, bytes: Arc<FBuf>) -> Note {
        Note { id: FileId::new(), path, bytes }
    }
}

impl FileRw for Note {
    fn file_id(&self) -> FileId {
        self.id
    }

    fn path(&self) -> &StoragePath {
        &self.path
    }
}

impl FileCommitter for Note {
    /// The checkpoint writes all notes as one file.
    fn commit(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

impl FileReader for Note {
    fn mark_for_checkpoint(&self) {}

    fn read_block(&self, location: BlockLocation) -> Result<Arc<FBuf>, StorageError> {
        let end = usize::try_from(location.after()).unwrap_or(usize::MAX);
        let start = end.saturating_sub(location.size);
        if (start, end) == (0, self.bytes.len()) {
            return Ok(self.bytes.clone());
        }
        let slice = self.bytes.as_slice().get(start..end);
        let slice = slice
            .ok_or_else(|| StorageError::stdio(std::io::ErrorKind::UnexpectedEof, "read", &self.path))?;
        Ok(Arc::new(FBuf::from_slice(slice)))
    }

    fn get_size(&self) -> Result<u64, StorageError> {
        Ok(self.bytes.len() as u64)
    }
}

/// A note that is being written.
pub(super) struct NoteWriter {
    id: FileId,
    path: StoragePath,
    bytes: FBuf,
    book: Arc<Book>,
}

impl NoteWriter {
    pub(super) fn new(book: Arc<Book>, path: StoragePath) -> NoteWriter {
        NoteWriter { id: FileId::new(), path, bytes: FBuf::new(), book }
    }
}

impl FileRw for NoteWriter {
    fn file_id(&self) -> FileId {
        self.id
    }

    fn path(&self) -> &StoragePath {
        &self.path
    }
}

impl FileWriter for NoteWriter {
    fn write_block(&mut self, data: FBuf) -> Result<Arc<FBuf>, StorageError> {
        self.bytes.extend_from_slice(data.as_slice());
        Ok(Arc::new(data))
    }

    fn complete(self: Box<Self>) -> Result<Arc<dyn FileReader>, StorageError> {
        let bytes = Arc::new(self.bytes);
        self.book.keep_note(self.path.to_string(), bytes.clone());
        Ok(Arc::new(Note { id: self.id, path: self.path, bytes }))
    }
}
