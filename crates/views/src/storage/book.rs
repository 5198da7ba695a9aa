//! Files on the real file system, as dbsp reads and writes them from several threads. They are a cache of what
//! `headwater_env` keeps, so they need not be simulated with it.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dbsp::storage::buffer_cache::FBuf;
use feldera_storage::error::StorageError;

/// The names of batch files, and of the files that hold a checkpoint's notes, begin with one of these.
const BATCH_PREFIX: char = 'b';
const NOTES_PREFIX: char = 'n';

/// A file as it was made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDigest {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) blake3: [u8; 32],
}

/// Why a file is not what a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileMismatch {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It has another length.
    #[error("it has {found} bytes instead of {expected}")]
    Length {
        /// Bytes it has.
        found: u64,
        /// Bytes it had.
        expected: u64,
    },
    /// It holds other bytes.
    #[error("its bytes are not those that were written")]
    Content,
}

/// All files of one folder.
#[derive(Debug)]
pub(crate) struct Book {
    dir: PathBuf,
    pub(crate) usage: Arc<AtomicI64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the next file or checkpoint.
    next: u64,
    /// How many have each batch open.
    open: HashMap<String, usize>,
    /// What durable files hold.
    durable: HashMap<String, FileDigest>,
    /// The files that each checkpoint names.
    checkpoints: BTreeMap<u64, Vec<String>>,
    /// Notes by path.
    notes: BTreeMap<String, Arc<FBuf>>,
    /// The first thing that the disk refused.
    failure: Option<String>,
}

impl Book {
    /// Opens a folder, in which only these files are needed: all others that a circuit wrote are removed.
    pub(crate) fn open(dir: &Path, needed: &[FileDigest]) -> io::Result<Book> {
        std::fs::create_dir_all(dir)?;
        let mut next = 0;
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((name, number)) = name.to_str().and_then(|name| Some((name, file_number(name)?))) else {
                continue;
            };
            next = next.max(number + 1);
            if !needed.iter().any(|file| file.name == name) {
                std::fs::remove_file(entry.path())?;
            }
        }
        let state = State {
            next,
            durable: needed.iter().map(|file| (file.name.clone(), file.clone())).collect(),
            ..State::default()
        };
        let usage = needed.iter().map(|file| file.bytes.cast_signed()).sum();
        Ok(Book { dir: dir.to_owned(), usage: Arc::new(AtomicI64::new(usage)), state: Mutex::new(state) })
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The first thing that the disk refused since the last call.
    pub(crate) fn take_failure(&self) -> Option<String> {
        self.state().failure.take()
    }

    /// Whether the disk refused something.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().failure.is_some()
    }

    /// A number for a checkpoint, above all that are used in the folder.
    pub(crate) fn next_number(&self) -> u64 {
        let mut state = self.state();
        state.next += 1;
        state.next - 1
    }

    /// From now on this checkpoint names these files.
    pub(crate) fn hold(&self, checkpoint: u64, files: Vec<String>) {
        self.state().checkpoints.insert(checkpoint, files);
    }

    /// This checkpoint will not be needed again, nor will files that only it named.
    pub(crate) fn release(&self, checkpoint: u64) {
        let mut state = self.state();
        let files = state.checkpoints.remove(&checkpoint).unwrap_or_default();
        let held: HashSet<&String> = state.checkpoints.values().flatten().collect();
        let is_free = |file: &String| !held.contains(file) && !state.open.contains_key(file);
        let free: Vec<String> = files.into_iter().filter(is_free).collect();
        state.durable.retain(|name, _| !free.contains(name));
        drop(state);
        free.iter().for_each(|file| self.remove(file));
    }

    /// Makes a file durable and reads what it holds, unless that was done before.
    pub(crate) fn make_durable(&self, name: &str) -> Result<FileDigest, StorageError> {
        if let Some(digest) = self.state().durable.get(name) {
            return Ok(digest.clone());
        }
        let digest = || {
            let path = self.dir.join(name);
            File::open(&path)?.sync_all()?;
            digest(&path, name)
        };
        let digest = digest().map_err(|error| self.failed("sync", name, &error))?;
        self.state().durable.insert(name.to_owned(), digest.clone());
        Ok(digest)
    }

    /// Writes the notes of a checkpoint as one durable file.
    pub(crate) fn write_notes(&self, checkpoint: u64, bytes: &[u8]) -> Result<FileDigest, StorageError> {
        let name = format!("{NOTES_PREFIX}{checkpoint:016x}");
        let write = || File::create(self.dir.join(&name))?.write_all(bytes);
        write().map_err(|error| self.failed("write", &name, &error))?;
        if let Some(files) = self.state().checkpoints.get_mut(&checkpoint) {
            files.push(name.clone());
        }
        self.make_durable(&name)
    }

    /// Makes the names of files durable.
    pub(crate) fn sync_dir(&self) -> Result<(), StorageError> {
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|error| self.failed("sync", "the folder", &error))
    }

    /// Reads a file whole. It must be what it was when it became durable.
    pub(crate) fn verify(dir: &Path, file: &FileDigest) -> Result<(), FileMismatch> {
        let path = dir.join(&file.name);
        let unreadable = |error: io::Error| FileMismatch::Unreadable(error.to_string());
        let found = std::fs::metadata(&path).map_err(unreadable)?.len();
        if found != file.bytes {
            return Err(FileMismatch::Length { found, expected: file.bytes });
        }
        let found = digest(&path, &file.name).map_err(unreadable)?;
        if found == *file { Ok(()) } else { Err(FileMismatch::Content) }
    }

    /// Reads the file of a checkpoint's notes.
    pub(crate) fn read_notes(&self, file: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.dir.join(file))
    }

    /// A note that was kept.
    pub(super) fn note(&self, path: &str) -> Option<Arc<FBuf>> {
        self.state().notes.get(path).cloned()
    }

    /// Keeps a note in memory.
    pub(crate) fn keep_note(&self, path: String, bytes: Arc<FBuf>) {
        self.state().notes.insert(path, bytes);
    }

    /// All notes; none are kept from now on.
    pub(crate) fn take_notes(&self) -> BTreeMap<String, Arc<FBuf>> {
        std::mem::take(&mut self.state().notes)
    }

    /// A new file for a batch.
    pub(super) fn create_batch(&self) -> Result<(String, File), StorageError> {
        let name = format!("{BATCH_PREFIX}{:016x}", self.next_number());
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.dir.join(&name));
        Ok((name.clone(), file.map_err(|error| self.failed("create", &name, &error))?))
    }

    /// A batch that was written before, and its length.
    pub(super) fn open_batch(&self, name: &str) -> Result<(File, u64), StorageError> {
        let open = || {
            let file = File::open(self.dir.join(name))?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        open().map_err(|error| self.failed("open", name, &error))
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.usage.fetch_add(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Remembers what the disk refused, and words it for dbsp.
    pub(super) fn failed(&self, operation: &'static str, name: &str, error: &io::Error) -> StorageError {
        let reason = format!("cannot {operation} {}: {error}", self.dir.join(name).display());
        self.state().failure.get_or_insert(reason);
        StorageError::stdio(error.kind(), operation, name)
    }

    fn closed(&self, name: &str) {
        let mut state = self.state();
        let Some(open) = state.open.get_mut(name) else { return };
        *open -= 1;
        if *open > 0 {
            return;
        }
        state.open.remove(name);
        if state.checkpoints.values().flatten().any(|held| held == name) {
            return;
        }
        state.durable.remove(name);
        drop(state);
        self.remove(name);
    }

    /// Removes a file that nobody reads and no checkpoint names. Names are not used twice, so nobody comes to need it
    /// meanwhile.
    fn remove(&self, name: &str) {
        let path = self.dir.join(name);
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        match std::fs::remove_file(&path) {
            Ok(()) => {
                self.usage.fetch_sub(bytes.cast_signed(), Ordering::Relaxed);
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a needless file stays until the next start")
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a batch file from being removed.
pub(super) struct BookedFile {
    book: Arc<Book>,
    name: String,
}

impl BookedFile {
    pub(super) fn new(book: Arc<Book>, name: String) -> BookedFile {
        *book.state().open.entry(name.clone()).or_default() += 1;
        BookedFile { book, name }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }
}

impl Drop for BookedFile {
    fn drop(&mut self) {
        self.book.closed(&self.name);
    }
}

/// The number in a file's name, if a circuit wrote it.
fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix([BATCH_PREFIX, NOTES_PREFIX]).filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

fn digest(path: &Path, name: &str) -> io::Result<FileDigest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(FileDigest { name: name.to_owned(), bytes: hasher.count(), blake3: *hasher.finalize().as_bytes() })
}
