use std::collections::VecDeque;
use std::sync::Arc;

use headwater_types::Lsn;

use crate::commit::Commit;

/// Changes that are in no file yet, oldest first. LSNs that changed nothing have no commit.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
    /// Whether one of them is read from a file only.
    holds_up: bool,
}

impl Tail {
    pub(crate) fn push(&mut self, commit: Commit) {
        self.bytes += commit.bytes;
        self.holds_up |= commit.entries.iter().any(|entry| entry.what.is_read_from_file_only());
        self.commits.push_back(Arc::new(commit));
    }

    /// Memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether followers wait for it to be written.
    pub(crate) fn holds_up(&self) -> bool {
        self.holds_up
    }

    pub(crate) fn all(&self) -> Vec<Arc<Commit>> {
        self.commits.iter().cloned().collect()
    }

    /// The commits from an LSN on, one by one.
    pub(crate) fn from(&self, lsn: Lsn) -> impl Iterator<Item = &Arc<Commit>> {
        let start = self.commits.partition_point(|commit| commit.lsn < lsn);
        self.commits.range(start..)
    }

    /// Drops the commits up to an LSN.
    pub(crate) fn drop_through(&mut self, lsn: Lsn) -> Vec<Arc<Commit>> {
        let end = self.commits.partition_point(|commit| commit.lsn <= lsn);
        let dropped: Vec<_> = self.commits.drain(..end).collect();
        self.bytes -= dropped.iter().map(|commit| commit.bytes).sum::<usize>();
        self.holds_up = self
            .commits
            .iter()
            .any(|commit| commit.entries.iter().any(|entry| entry.what.is_read_from_file_only()));
        dropped
    }

    /// Drops the oldest commits until no more than this is held.
    pub(crate) fn drop_to(&mut self, bytes: usize) -> Vec<Arc<Commit>> {
        let mut kept = self.bytes;
        let through = self.commits.iter().take_while(|commit| {
            let goes = kept > bytes;
            kept = kept.saturating_sub(commit.bytes);
            goes
        });
        match through.last().map(|commit| commit.lsn) {
            Some(lsn) => self.drop_through(lsn),
            None => Vec::new(),
        }
    }
}
