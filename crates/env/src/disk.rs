use std::fmt::Debug;
use std::io;
use std::path::Path;

/// Files and folders. What is written is durable only after a sync: the bytes of a file after [`File::sync`], the
/// names in a folder after [`Disk::sync_dir`].
pub trait Disk: Send + Sync + Debug {
    /// Makes a folder and those above it.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Removes a folder and all that is in it.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// What is in a folder, ordered by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Is there a file or folder of this name?
    fn exists(&self, path: &Path) -> bool;
    /// Opens a file.
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Box<dyn File>>;
    /// Gives a file or folder another name, replacing a file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Locks out every other holder of the same path, in this process and in others, until the lock is dropped.
    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>, LockError>;
    /// Bytes that can still be written to the volume of a folder.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// Runs long work on the disk off the caller's thread. A simulated disk runs it before it returns, so that a run
    /// stays a function of its seed.
    fn background(&self, work: Box<dyn FnOnce() + Send>);
}

/// An open file, read and written at offsets.
pub trait File: Send + Sync + Debug {
    /// Reads as many bytes as there are, up to the buffer's length.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the bytes and the length durable. After an error the state on disk is unknown, and a second call proves
    /// nothing: operating systems forget the failed writes.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Has it no bytes?
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends; what is added reads as zeros but need not occupy space.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// Makes the file `bytes` long, all real zeros: later writes into it need no space and change no metadata.
    fn allocate_zeroed(&self, bytes: u64) -> io::Result<()>;

    /// Reads exactly the buffer's length; fewer bytes in the file are an [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read_at(&mut buffer[done..], offset + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
        Ok(())
    }
}

/// What to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenHow {
    /// A file that exists, for reading.
    Read,
    /// A file that exists, for reading and writing.
    ReadWrite,
    /// A file that must not exist yet.
    CreateNew,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the folder.
    pub name: String,
    /// Is it a folder?
    pub is_dir: bool,
    /// Length of a file; 0 for a folder.
    pub bytes: u64,
}

/// Holds a lock until it is dropped.
pub trait DirLock: Send + Sync + Debug {}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("locked by another process; stop it or use another folder")]
    Held,
    /// The lock file cannot be used.
    #[error("cannot take the lock: {0}")]
    Io(#[from] io::Error),
}

/// Does this error say that the volume, or the owner's share of it, is full?
#[must_use]
pub fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
