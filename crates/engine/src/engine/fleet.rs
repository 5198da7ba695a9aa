//! The listed workspaces: opened when somebody asks for one, parked when nobody does.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use headwater_types::{TimestampMicros, limits};
use parking_lot::{Mutex, RwLock};

use super::budget::share;
use super::entry::{End, Enter, Entry, Seen};
use super::error::{OpenError, UnknownWorkspace, WorkspaceError};
use super::open_workspace::open_workspace;
use super::{EngineOptions, workspace_dir};
use crate::workspace::{Workspace, WorkspaceStatus};

/// All workspaces of a data folder but `_system`.
pub(super) struct Fleet {
    pub(super) options: EngineOptions,
    entries: RwLock<BTreeMap<String, Arc<Entry>>>,
    openings: Mutex<Openings>,
}

/// Workspaces that are to be opened. Each is in here at most once, so they are no more than there are workspaces.
#[derive(Default)]
struct Openings {
    waiting: VecDeque<Arc<Entry>>,
    threads: usize,
}

impl Fleet {
    pub(super) fn new(options: EngineOptions, entries: Vec<Entry>) -> Arc<Fleet> {
        let entries = entries.into_iter().map(|entry| (entry.name.to_string(), Arc::new(entry)));
        let entries = RwLock::new(entries.collect());
        Arc::new(Fleet { options, entries, openings: Mutex::default() })
    }

    pub(super) fn now(&self) -> TimestampMicros {
        self.options.env.clock.now()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.read().len()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.entries.read().contains_key(name)
    }

    pub(super) fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        self.entries.write().insert(entry.name.to_string(), Arc::clone(&entry));
        entry
    }

    pub(super) fn remove(&self, name: &str) {
        self.entries.write().remove(name);
    }

    pub(super) fn entry(&self, name: &str) -> Result<Arc<Entry>, UnknownWorkspace> {
        let entries = self.entries.read();
        entries.get(name).cloned().ok_or_else(|| UnknownWorkspace {
            name: name.to_owned(),
            known: entries.keys().cloned().collect(),
        })
    }

    /// All entries, by name.
    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.read().values().cloned().collect()
    }

    pub(super) fn statuses(&self) -> Vec<WorkspaceStatus> {
        self.entries().iter().map(|entry| entry.status()).collect()
    }

    /// The workspace of an entry, opened if it is not. Whoever comes while it is being opened waits for the same opening.
    pub(super) async fn open(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<Arc<Workspace>, WorkspaceError> {
        let name = || entry.name.to_string();
        let mut turns = entry.turns();
        loop {
            match entry.enter(self.now()) {
                Enter::Open(workspace) => return Ok(workspace),
                Enter::Damaged(reason) => return Err(WorkspaceError::Damaged { name: name(), reason }),
                Enter::Ended => return Err(WorkspaceError::Closing { name: name() }),
                Enter::Begin => self.begin_opening(entry),
                Enter::Wait => {}
            }
            if turns.changed().await.is_err() {
                return Err(WorkspaceError::Closing { name: name() });
            }
            if let Some(reason) = turns.borrow_and_update().as_deref() {
                return Err(WorkspaceError::NotOpened { name: name(), reason: reason.to_owned() });
            }
        }
    }

    /// Opening reads files and computes views: it has threads of its own, few at a time.
    fn begin_opening(self: &Arc<Self>, entry: &Arc<Entry>) {
        let mut openings = self.openings.lock();
        openings.waiting.push_back(Arc::clone(entry));
        if openings.threads >= limits::OPENINGS_MAX {
            return;
        }
        let fleet = Arc::clone(self);
        let thread = std::thread::Builder::new().name("open".to_owned()).spawn(move || fleet.run_openings());
        match thread {
            Ok(_) => openings.threads += 1,
            Err(_) if openings.threads > 0 => {}
            Err(error) => {
                let all = std::mem::take(&mut openings.waiting);
                drop(openings);
                for entry in all {
                    entry.opened(Err(OpenError::NoRoom { reason: format!("no thread: {error}") }));
                }
            }
        }
    }

    fn run_openings(&self) {
        loop {
            let mut openings = self.openings.lock();
            let Some(entry) = openings.waiting.pop_front() else {
                openings.threads -= 1;
                return;
            };
            drop(openings);
            let opened = catch_unwind(AssertUnwindSafe(|| self.open_now(&entry)));
            entry.opened(opened.unwrap_or_else(|_| {
                Err(OpenError::NoRoom { reason: "opening it panicked; the log says where".to_owned() })
            }));
        }
    }

    fn open_now(&self, entry: &Entry) -> Result<Workspace, OpenError> {
        self.make_room_for(entry)?;
        let folder = workspace_dir(&self.options.data_dir, entry.id);
        let workspace = open_workspace(&self.options, &folder, entry.name.clone(), entry.id)?;
        self.tell_budget(entry, &workspace);
        Ok(workspace)
    }

    /// Tells a workspace how much it may hold.
    pub(super) fn tell_budget(&self, entry: &Entry, workspace: &Workspace) {
        let own = entry.memory_bytes_max.load(Ordering::Relaxed);
        workspace.set_memory_bytes_max(self.options.budget.of_workspace(own));
    }

    /// Parks idle workspaces until one more fits; refuses if that is not enough.
    fn make_room_for(&self, entry: &Entry) -> Result<(), OpenError> {
        let budget = &self.options.budget;
        let needed = entry.memory_bytes();
        let fits = |open: &[(Arc<Entry>, Seen)]| {
            let held: u64 = open.iter().map(|(_, seen)| seen.memory_bytes).sum();
            open.is_empty()
                || (open.len() < limits::OPEN_WORKSPACES_MAX
                    && held.saturating_add(needed) <= budget.memory_bytes)
        };
        let mut open = self.open_entries();
        while !fits(&open) {
            let Some(oldest) = open.iter().position(|(_, seen)| seen.is_idle) else {
                // Who needs no more than an equal share is let in: those that hold more are held back already.
                let share = budget.memory_bytes / (open.len() as u64 + 1);
                if open.len() < limits::OPEN_WORKSPACES_MAX && needed <= share {
                    return Ok(());
                }
                let reason = format!(
                    "{} workspaces are open and in use, there is no memory or no thread for one more",
                    open.len()
                );
                return Err(OpenError::NoRoom { reason });
            };
            // Whether it was parked or is in use again meanwhile: it is not a candidate any more.
            let (oldest, mut seen) = open.remove(oldest);
            if !oldest.park() {
                seen.is_idle = false;
                open.push((oldest, seen));
            }
        }
        Ok(())
    }

    /// The open workspaces, the one that was not used for longest first.
    fn open_entries(&self) -> Vec<(Arc<Entry>, Seen)> {
        let now = self.now();
        let look = |entry: Arc<Entry>| entry.look(now).map(|seen| (entry, seen));
        let mut open: Vec<_> = self.entries().into_iter().filter_map(look).collect();
        open.sort_by_key(|(_, seen)| seen.used_at);
        open
    }

    /// Parks what nobody uses, sooner when there is too little memory or there are too many threads, and tells the others
    /// how much they may hold.
    pub(super) fn tidy(&self) {
        let budget = &self.options.budget;
        let now = self.now();
        let mut open = self.open_entries();
        let mut held: u64 = open.iter().map(|(_, seen)| seen.memory_bytes).sum();
        let mut count = open.len();
        open.retain(|(entry, seen)| {
            let unused_micros = now.0.saturating_sub(seen.used_at.0);
            let is_pressed = held > budget.memory_bytes || count > budget.open_workspaces;
            let patience = if is_pressed { limits::PRESSED_PARK_MICROS } else { budget.idle_micros };
            let is_parked = seen.is_idle && unused_micros >= patience.min(budget.idle_micros) && entry.park();
            if is_parked {
                held -= seen.memory_bytes;
                count -= 1;
                tracing::debug!(workspace = %entry.name, "parked");
            }
            !is_parked
        });
        let held: Vec<u64> = open.iter().map(|(_, seen)| seen.memory_bytes).collect();
        let share = share(budget.memory_bytes, &held);
        for workspace in open.iter().filter_map(|(entry, _)| entry.if_open()) {
            workspace.set_memory_share(share);
        }
    }

    /// Ends an entry. Waits for whoever opens or parks it.
    pub(super) async fn end(&self, entry: &Entry) -> Option<Arc<Workspace>> {
        let mut turns = entry.turns();
        loop {
            match entry.end() {
                End::Ended(workspace) => return workspace,
                End::Busy => {
                    // The sender lives in the entry, so waiting cannot fail.
                    let _ = turns.changed().await;
                }
            }
        }
    }
}
