use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::crash::{Arrived, Pending};
use super::faults::Faults;
use super::namespace::{FolderChange, Node, is_root};
use super::state::State;
use crate::disk::{DirLock, Disk, Entry, File, LockError, OpenHow};

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk without faults and without bound.
    #[must_use]
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    fn from_state(state: State) -> SimDisk {
        SimDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// How many bytes all files together may have, in whole sectors; `None` for any number.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity_bytes = bytes;
    }

    /// The failures to come, in place of those set before.
    pub fn set_faults(&self, faults: Faults) {
        self.state.lock().faults = faults;
    }

    /// Changes and syncs so far.
    #[must_use]
    pub fn operation_count(&self) -> u64 {
        self.state.lock().operation_count
    }

    /// The paths of all files that were synced so far, one for each sync, failed ones among them.
    #[must_use]
    pub fn synced_paths(&self) -> Vec<PathBuf> {
        self.state.lock().synced_paths.clone()
    }

    /// What a power cut could lose now.
    #[must_use]
    pub fn pending(&self) -> Pending {
        self.state.lock().pending()
    }

    /// The disk that is found after a power cut now. This one goes on.
    #[must_use]
    pub fn crash(&self, arrived: &Arrived) -> SimDisk {
        SimDisk::from_state(self.state.lock().after_power_cut(arrived))
    }

    /// The disk that is found after the process died but the machine went on: what programs saw is still there, what
    /// was unsynced still is, and what a failed sync lost is still not on the platter. This one goes on.
    #[must_use]
    pub fn restart_process(&self) -> SimDisk {
        let mut state = self.state.lock().clone();
        state.locks.clear();
        state.open_files.clear();
        state.recording = None;
        state.faults = Faults::default();
        SimDisk::from_state(state)
    }

    /// From now on keeps the state after every change, for [`SimDisk::take_recording`].
    pub fn start_recording(&self) {
        self.state.lock().recording = Some(Vec::new());
    }

    /// The disk after each change since [`SimDisk::start_recording`], with its operation count.
    #[must_use]
    pub fn take_recording(&self) -> Vec<(u64, SimDisk)> {
        let recording = self.state.lock().recording.take().unwrap_or_default();
        recording.into_iter().map(|state| (state.operation_count, SimDisk::from_state(state))).collect()
    }

    /// Changes the bytes of a file behind everybody's back, durably.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.state.lock();
        let file = state.file_at(path)?;
        let content = state.content(file)?;
        change(Arc::make_mut(&mut content.live));
        content.pending.clear();
        content.durable = Arc::clone(&content.live);
        Ok(())
    }

    /// All files by path, as programs see them. For comparing two disks.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.state.lock();
        let files = state.names.iter().filter_map(|(path, node)| match node {
            Node::File(file) => Some((path.clone(), state.files.get(file)?.live.to_vec())),
            Node::Folder => None,
        });
        files.collect()
    }
}

impl Disk for SimDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.state.lock().change(|state| {
            let mut missing: Vec<&Path> = dir.ancestors().filter(|above| !is_root(above)).collect();
            missing.retain(|above| state.names.get(*above) != Some(&Node::Folder));
            for path in missing.into_iter().rev() {
                if state.names.contains_key(path) {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
                state.change_folder(FolderChange::Add { path: path.to_owned(), node: Node::Folder });
            }
            Ok(())
        })
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.state.lock().change(|state| match state.names.get(dir) {
            Some(Node::Folder) => {
                state.change_folder(FolderChange::Remove { path: dir.to_owned() });
                Ok(())
            }
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let state = self.state.lock();
        if !is_root(dir) && state.names.get(dir) != Some(&Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let below = state.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        Ok(below
            .filter_map(|(path, node)| {
                let name = path.file_name()?.to_str()?.to_owned();
                let bytes = match node {
                    Node::Folder => 0,
                    Node::File(file) => state.files.get(file)?.live.len() as u64,
                };
                Some(Entry { name, is_dir: *node == Node::Folder, bytes })
            })
            .collect())
    }

    fn exists(&self, path: &Path) -> bool {
        is_root(path) || self.state.lock().names.contains_key(path)
    }

    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Box<dyn File>> {
        let mut state = self.state.lock();
        let file = match how {
            OpenHow::Read | OpenHow::ReadWrite => state.file_at(path)?,
            OpenHow::CreateNew => state.change(|state| {
                let folder = path.parent().unwrap_or(Path::new(""));
                if state.names.contains_key(path) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                if !is_root(folder) && state.names.get(folder) != Some(&Node::Folder) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                Ok(state.add_file(path))
            })?,
        };
        *state.open_files.entry(file).or_default() += 1;
        let is_writable = how != OpenHow::Read;
        Ok(Box::new(SimFile { state: Arc::clone(&self.state), file, path: path.to_owned(), is_writable }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state.lock().change(|state| {
            if !state.names.contains_key(from) {
                return Err(io::ErrorKind::NotFound.into());
            }
            state.change_folder(FolderChange::Rename { from: from.to_owned(), to: to.to_owned() });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state.lock().change(|state| {
            state.file_at(path)?;
            state.change_folder(FolderChange::Remove { path: path.to_owned() });
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.state.lock().sync_folder(dir)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>, LockError> {
        if !self.state.lock().locks.insert(path.to_owned()) {
            return Err(LockError::Held);
        }
        Ok(Box::new(SimLock { state: Arc::clone(&self.state), path: path.to_owned() }))
    }

    fn available_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.state.lock().available_bytes())
    }

    fn background(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

#[derive(Debug)]
struct SimLock {
    state: Arc<Mutex<State>>,
    path: PathBuf,
}

impl DirLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.state.lock().locks.remove(&self.path);
    }
}

struct SimFile {
    state: Arc<Mutex<State>>,
    file: u64,
    /// The path it was opened by.
    path: PathBuf,
    is_writable: bool,
}

impl std::fmt::Debug for SimFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.state.lock().close_file(self.file);
    }
}

impl SimFile {
    fn change(&self, work: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        if !self.is_writable {
            return Err(rustix::io::Errno::BADF.into());
        }
        self.state.lock().change(work)
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state.lock();
        let live = &state.content(self.file)?.live;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(live.len());
        let read = buffer.len().min(live.len() - start);
        buffer[..read].copy_from_slice(&live[start..start + read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(|state| {
            let offset = offset as usize;
            let grown = state.content(self.file)?.live.len().max(offset + bytes.len());
            state.reserve(self.file, grown)?;
            state.content(self.file)?.write(bytes, offset);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.state.lock().sync_file(self.file, &self.path)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().content(self.file)?.live.len() as u64)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.change(|state| {
            state.reserve(self.file, bytes as usize)?;
            state.content(self.file)?.set_len(bytes as usize);
            Ok(())
        })
    }

    fn allocate_zeroed(&self, bytes: u64) -> io::Result<()> {
        self.change(|state| {
            state.reserve(self.file, bytes as usize)?;
            let content = state.content(self.file)?;
            content.set_len(0);
            content.set_len(bytes as usize);
            Ok(())
        })
    }
}
