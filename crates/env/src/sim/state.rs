//! All that a simulated disk holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::content::{Content, SECTOR_BYTES};
use super::faults::Faults;
use super::namespace::{FolderChange, Names, Node, drop_unreachable, is_root};

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<u64, Content>,
    pub(crate) names: Names,
    pub(crate) durable_names: Names,
    pub(crate) pending_names: Vec<FolderChange>,
    pub(crate) next_file: u64,
    /// How many handles each open file has. Such a file keeps its bytes when it loses its name.
    pub(crate) open_files: BTreeMap<u64, usize>,
    pub(crate) locks: BTreeSet<PathBuf>,
    pub(crate) capacity_bytes: Option<u64>,
    pub(crate) faults: Faults,
    /// Changes so far, of whatever kind.
    pub(crate) operation_count: u64,
    /// Syncs of files so far, with the path under which the file was opened.
    pub(crate) synced_paths: Vec<PathBuf>,
    /// The state after each change, if they are recorded.
    pub(crate) recording: Option<Vec<State>>,
}

impl State {
    /// Does one change, unless it is to fail.
    pub(crate) fn change<T>(&mut self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.operation_count += 1;
        self.faults.count(false)?;
        let result = work(self);
        self.record();
        result
    }

    pub(crate) fn sync_file(&mut self, file: u64, path: &Path) -> io::Result<()> {
        self.operation_count += 1;
        self.synced_paths.push(path.to_owned());
        let counted = self.faults.count(true);
        if let Some(content) = self.files.get_mut(&file).filter(|_| !self.faults.ignores_syncs) {
            match counted {
                Ok(()) => content.sync(),
                Err(_) => content.lose_pending(),
            }
        }
        self.record();
        counted
    }

    pub(crate) fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.operation_count += 1;
        self.faults.count(true)?;
        if self.faults.ignores_syncs {
            return Ok(());
        }
        if !is_root(folder) && self.names.get(folder) != Some(&Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        for change in std::mem::take(&mut self.pending_names) {
            if change.folder() == folder {
                change.apply(&mut self.durable_names);
            } else {
                self.pending_names.push(change);
            }
        }
        self.forget_lost_files();
        self.record();
        Ok(())
    }

    /// Changes a folder, as programs see it at once.
    pub(crate) fn change_folder(&mut self, change: FolderChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }

    pub(crate) fn add_file(&mut self, path: &Path) -> u64 {
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, Content::default());
        self.change_folder(FolderChange::Add { path: path.to_owned(), node: Node::File(file) });
        file
    }

    pub(crate) fn file_at(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn content(&mut self, file: u64) -> io::Result<&mut Content> {
        self.files.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Can a file grow to so many bytes?
    pub(crate) fn reserve(&mut self, file: u64, bytes: usize) -> io::Result<()> {
        let grown = on_disk(bytes).saturating_sub(on_disk(self.content(file)?.live.len()));
        if grown > self.available_bytes() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    pub(crate) fn available_bytes(&self) -> u64 {
        let used = self.names.values().filter_map(|node| match node {
            Node::File(file) => Some(on_disk(self.files.get(file)?.live.len())),
            Node::Folder => None,
        });
        self.capacity_bytes.map_or(u64::MAX, |capacity| capacity.saturating_sub(used.sum()))
    }

    /// A state with the same bytes and nothing else: no faults, no locks, nothing recorded.
    pub(crate) fn restarted(files: BTreeMap<u64, Content>, names: Names, from: &State) -> State {
        let mut state = State {
            files,
            durable_names: names,
            next_file: from.next_file,
            capacity_bytes: from.capacity_bytes,
            ..State::default()
        };
        drop_unreachable(&mut state.durable_names);
        state.names = state.durable_names.clone();
        state
    }

    fn record(&mut self) {
        if let Some(mut recording) = self.recording.take() {
            recording.push(self.clone());
            self.recording = Some(recording);
        }
    }

    pub(crate) fn close_file(&mut self, file: u64) {
        if let Some(handles) = self.open_files.get_mut(&file) {
            *handles -= 1;
            if *handles == 0 {
                self.open_files.remove(&file);
            }
        }
    }

    /// Drops the bytes of files that no name and no handle leads to, now or after a power cut.
    fn forget_lost_files(&mut self) {
        let names = self.names.values().chain(self.durable_names.values());
        let mut kept: BTreeSet<u64> = names.filter_map(file_of).collect();
        kept.extend(self.open_files.keys());
        kept.extend(self.pending_names.iter().filter_map(|change| match change {
            FolderChange::Add { node, .. } => file_of(node),
            FolderChange::Remove { .. } | FolderChange::Rename { .. } => None,
        }));
        self.files.retain(|file, _| kept.contains(file));
    }
}

fn file_of(node: &Node) -> Option<u64> {
    match node {
        Node::File(file) => Some(*file),
        Node::Folder => None,
    }
}

fn on_disk(bytes: usize) -> u64 {
    bytes.next_multiple_of(SECTOR_BYTES) as u64
}
