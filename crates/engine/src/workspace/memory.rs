//! What a workspace holds in memory, and what it may.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::push::PushError;
use crate::story::admit::Admitted;

/// Told by the story's thread, read by who admits requests and by the server's budget.
#[derive(Debug)]
pub(crate) struct Memory {
    held_bytes: AtomicU64,
    /// The workspace's own budget.
    bytes_max: AtomicU64,
    /// What the server's budget leaves to it.
    share_bytes: AtomicU64,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            held_bytes: AtomicU64::new(0),
            bytes_max: AtomicU64::new(u64::MAX),
            share_bytes: AtomicU64::new(u64::MAX),
        }
    }
}

impl Memory {
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max.load(Ordering::Relaxed)
    }

    pub(crate) fn tell_held(&self, bytes: u64) {
        self.held_bytes.store(bytes, Ordering::Relaxed);
    }

    /// What is left beside so many bytes.
    pub(crate) fn room(&self, bytes: u64) -> u64 {
        self.bytes_max().min(self.share_bytes.load(Ordering::Relaxed)).saturating_sub(bytes)
    }

    pub(crate) fn set_bytes_max(&self, bytes: u64) {
        self.bytes_max.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_share(&self, bytes: u64) {
        self.share_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Refuses a request that adds rows while what is held, with what waits, is at a bound. Deletions pass: they are the
    /// way out.
    pub(crate) fn check(
        &self,
        admitted: &Admitted,
        waiting_bytes: usize,
        workspace: &str,
    ) -> Result<(), PushError> {
        let held_bytes = self.held_bytes().saturating_add(waiting_bytes as u64);
        let (own, share) = (self.bytes_max(), self.share_bytes.load(Ordering::Relaxed));
        if held_bytes < own.min(share) || !admitted.adds_rows() {
            return Ok(());
        }
        let workspace = workspace.to_owned();
        Err(match own <= share {
            true => PushError::OverBudget { workspace, held_bytes, bytes_max: own },
            false => PushError::ServerOverBudget { workspace, held_bytes, share_bytes: share },
        })
    }
}
