//! One listed workspace: whether it is open, and what is known of it while it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use headwater_types::{Name, TimestampMicros};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::error::OpenError;
use crate::workspace::{Condition, Workspace, WorkspaceStatus};

/// A workspace of the list.
pub(super) struct Entry {
    /// Its number.
    pub(super) id: u64,
    /// Its name.
    pub(super) name: Name,
    /// Bytes that it may hold in memory; 0 for as many as the server may.
    pub(super) memory_bytes_max: AtomicU64,
    inner: Mutex<Inner>,
    /// When somebody asked for it last, or was seen to hold it.
    used_at: AtomicI64,
    /// Tells when life has changed, and why the newest opening failed, if it did.
    turn: watch::Sender<Option<Arc<str>>>,
}

struct Inner {
    life: Life,
    /// Its status as it was known last; while it is open it knows better.
    known: WorkspaceStatus,
}

/// Changes only under the entry's lock. While it is opening or parking one thread is at it and nobody else.
enum Life {
    Parked,
    Opening,
    Open(Arc<Workspace>),
    Parking,
    /// It cannot be opened as its files are.
    Damaged(String),
    /// The workspace was deleted, or the server is stopping.
    Ended,
}

/// What whoever asks for a workspace does next.
pub(super) enum Enter {
    /// Here it is.
    Open(Arc<Workspace>),
    /// Opens it: nobody else will.
    Begin,
    /// Waits until its life changes.
    Wait,
    /// Gives up.
    Damaged(String),
    /// Gives up.
    Ended,
}

/// What came of ending an entry.
pub(super) enum End {
    /// Nothing: it is being opened or parked. Wait for its turn.
    Busy,
    /// Nobody gets it any more. The workspace, if it was open, is for the caller to close.
    Ended(Option<Arc<Workspace>>),
}

/// An open workspace as housekeeping sees it.
pub(super) struct Seen {
    /// When it was used last.
    pub(super) used_at: TimestampMicros,
    /// What it holds in memory, about.
    pub(super) memory_bytes: u64,
    /// Whether it can be parked now.
    pub(super) is_idle: bool,
}

impl Entry {
    /// A workspace that is not open.
    pub(super) fn parked(known: WorkspaceStatus, damage: Option<String>) -> Entry {
        let life = damage.map_or(Life::Parked, Life::Damaged);
        Entry {
            id: known.id,
            name: known.name.clone(),
            memory_bytes_max: AtomicU64::new(0),
            inner: Mutex::new(Inner { life, known }),
            used_at: AtomicI64::new(i64::MIN),
            turn: watch::channel(None).0,
        }
    }

    /// What is told about it. Wakes nobody.
    pub(super) fn status(&self) -> WorkspaceStatus {
        let inner = self.inner.lock();
        let condition = match &inner.life {
            Life::Open(workspace) => return workspace.status(),
            Life::Opening => Condition::Opening,
            Life::Parked | Life::Parking | Life::Ended => Condition::Parked,
            Life::Damaged(reason) => Condition::Damaged { reason: reason.clone() },
        };
        WorkspaceStatus { condition, ..inner.known.clone() }
    }

    /// Asks for the workspace.
    pub(super) fn enter(&self, now: TimestampMicros) -> Enter {
        let mut inner = self.inner.lock();
        self.used_at.store(now.0, Ordering::Relaxed);
        match &inner.life {
            Life::Open(workspace) => Enter::Open(Arc::clone(workspace)),
            Life::Opening | Life::Parking => Enter::Wait,
            Life::Damaged(reason) => Enter::Damaged(reason.clone()),
            Life::Ended => Enter::Ended,
            Life::Parked => {
                inner.life = Life::Opening;
                Enter::Begin
            }
        }
    }

    /// The workspace, if it is open.
    pub(super) fn if_open(&self) -> Option<Arc<Workspace>> {
        match &self.inner.lock().life {
            Life::Open(workspace) => Some(Arc::clone(workspace)),
            _ => None,
        }
    }

    /// Told from now on when life changes.
    pub(super) fn turns(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.turn.subscribe()
    }

    /// Ends what [`Enter::Begin`] began. What is damaged stays so; anything else may be tried again.
    pub(super) fn opened(&self, result: Result<Workspace, OpenError>) {
        let mut inner = self.inner.lock();
        let (life, failure) = match result {
            Ok(workspace) => (Life::Open(Arc::new(workspace)), None),
            Err(error) if error.is_damage() => (Life::Damaged(error.to_string()), None),
            Err(error) => (Life::Parked, Some(error.to_string().into())),
        };
        inner.life = life;
        drop(inner);
        self.turn.send_replace(failure);
    }

    /// Whether somebody asked for it since the start.
    pub(super) fn was_used(&self) -> bool {
        self.used_at.load(Ordering::Relaxed) != i64::MIN
    }

    /// How housekeeping sees it, if it is open. Whoever holds it uses it.
    pub(super) fn look(&self, now: TimestampMicros) -> Option<Seen> {
        let inner = self.inner.lock();
        let Life::Open(workspace) = &inner.life else { return None };
        let is_held = Arc::strong_count(workspace) > 1;
        if is_held {
            self.used_at.store(now.0, Ordering::Relaxed);
        }
        Some(Seen {
            used_at: TimestampMicros(self.used_at.load(Ordering::Relaxed)),
            memory_bytes: workspace.memory_bytes(),
            is_idle: !is_held && workspace.can_be_parked(),
        })
    }

    /// What it holds in memory, or held when it was open last.
    pub(super) fn memory_bytes(&self) -> u64 {
        let inner = self.inner.lock();
        match &inner.life {
            Life::Open(workspace) => workspace.memory_bytes(),
            _ => inner.known.memory_bytes,
        }
    }

    /// Parks the workspace if nobody holds it: ends its threads and frees its memory. Handles are given out under the
    /// lock alone, so nobody can take one of a workspace that is being parked. Returns whether it was parked.
    pub(super) fn park(&self) -> bool {
        let mut inner = self.inner.lock();
        let workspace = match std::mem::replace(&mut inner.life, Life::Parking) {
            Life::Open(workspace) if Arc::strong_count(&workspace) == 1 && workspace.can_be_parked() => {
                workspace
            }
            other => {
                inner.life = other;
                return false;
            }
        };
        drop(inner);
        let known = workspace.park();
        drop(workspace);
        let mut inner = self.inner.lock();
        inner.life = Life::Parked;
        inner.known = known;
        drop(inner);
        self.turn.send_replace(None);
        true
    }

    /// From now on nobody gets the workspace, unless it is being opened or parked.
    pub(super) fn end(&self) -> End {
        let mut inner = self.inner.lock();
        let ended = match std::mem::replace(&mut inner.life, Life::Ended) {
            Life::Open(workspace) => {
                inner.known = workspace.status();
                Some(workspace)
            }
            Life::Parked | Life::Damaged(_) | Life::Ended => None,
            busy @ (Life::Opening | Life::Parking) => {
                inner.life = busy;
                return End::Busy;
            }
        };
        drop(inner);
        self.turn.send_replace(None);
        End::Ended(ended)
    }
}
