//! The folder in which dbsp keeps batches of state, as dbsp sees it.
//!
//! dbsp's own backend syncs every file when it is written, in the thread that runs the steps. Here files become
//! durable when a checkpoint that names them is committed, on another thread. A batch file goes when nobody reads
//! it any more and no checkpoint names it. The small notes that operators leave in a checkpoint stay in memory and
//! become one file. Whatever the disk refuses is remembered: dbsp answers it with a panic.

/// Batch files as dbsp writes and reads them.
mod batch_file;
/// Which files there are, who needs them, and what they hold.
pub(crate) mod book;
/// The notes of operators.
mod note;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use feldera_storage::error::StorageError;
use feldera_storage::{DirEntry, FileReader, FileWriter, StorageBackend, StoragePath};

use self::batch_file::{BatchReader, BatchWriter};
use self::book::Book;
use self::note::{Note, NoteWriter};

/// The backend that dbsp is given.
pub(crate) struct Storage(pub(crate) Arc<Book>);

impl StorageBackend for Storage {
    fn create_named(&self, name: &StoragePath) -> Result<Box<dyn FileWriter>, StorageError> {
        Ok(Box::new(NoteWriter::new(self.0.clone(), name.clone())))
    }

    fn create_with_prefix(&self, _prefix: &StoragePath) -> Result<Box<dyn FileWriter>, StorageError> {
        Ok(Box::new(BatchWriter::create(self.0.clone())?))
    }

    fn open(&self, name: &StoragePath) -> Result<Arc<dyn FileReader>, StorageError> {
        match self.0.note(name.as_ref()) {
            Some(bytes) => Ok(Arc::new(Note::new(name.clone(), bytes))),
            None => Ok(Arc::new(BatchReader::open(self.0.clone(), name.clone())?)),
        }
    }

    fn file_system_path(&self) -> Option<&Path> {
        Some(self.0.dir())
    }

    /// Only dbsp's own bookkeeping of checkpoints lists, and nothing here runs it.
    fn list(&self, parent: &StoragePath, _: &mut dyn FnMut(DirEntry)) -> Result<(), StorageError> {
        Err(StorageError::InvalidPath(parent.to_string().into()))
    }

    fn delete(&self, name: &StoragePath) -> Result<(), StorageError> {
        Err(StorageError::InvalidPath(name.to_string().into()))
    }

    fn delete_recursive(&self, name: &StoragePath) -> Result<(), StorageError> {
        self.delete(name)
    }

    fn usage(&self) -> Arc<AtomicI64> {
        self.0.usage.clone()
    }
}
