/// The workspace's thread: it takes one step at a time.
pub(crate) mod core;
/// What it holds in memory, and what it may.
pub(crate) mod memory;
/// Program changes, in turns between pushes.
pub(crate) mod program_turns;
/// What waits for the workspace's thread.
pub(crate) mod queue;
/// What is told about a workspace.
mod status;
/// The versions that readers can still ask for.
mod versions;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use headwater_changes::ChangeLog;
use headwater_env::Clock;
use headwater_sql::CompileOptions;
use headwater_types::{Lsn, Name, TimestampMicros, limits};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use crate::clock::{ClockMode, Clocks};
use crate::counters::Counters;
use crate::idempotency::Known;
use crate::program::{Candidate, NewModule, Plan, ProgramAnswer, SetProgram, SetProgramError};
use crate::published::Published;
use crate::push::{PushAnswer, PushError, PushRequest};
use crate::state::State;
use crate::story::admit::{Reply, Ticket, admit, body_hash};
use memory::Memory;
use program_turns::{Asked, ChangePlace};
use queue::{Command, Queue, QueueError};
use versions::Versions;

pub use status::{Condition, WorkspaceStatus};

/// How often a request is decoded anew because the program changed meanwhile, before it is refused as overload.
const STALE_RETRIES_MAX: usize = 16;

/// Stands for "no LSN will come any more" where the newest LSN is told.
pub(crate) const CLOSING: Lsn = Lsn(u64::MAX);

/// The handle of one workspace. Everything that changes it goes through its thread; readers never wait for that.
pub struct Workspace {
    pub(crate) shared: Arc<Shared>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What the thread and the handle share.
pub(crate) struct Shared {
    pub(crate) name: Name,
    pub(crate) id: u64,
    pub(crate) queue: Queue,
    pub(crate) options: CompileOptions,
    clock: Arc<dyn Clock>,
    published: ArcSwap<Published>,
    /// Held for writing while relations and version change together.
    pub(crate) changing: RwLock<()>,
    pub(crate) newest: watch::Sender<Lsn>,
    /// What followers read; set when the workspace is open.
    pub(crate) changes: OnceLock<Arc<ChangeLog>>,
    /// Program changes that are under way or wait.
    program_changes: Arc<AtomicUsize>,
    facts: Mutex<Facts>,
    /// Versions that were the newest a while ago.
    versions: Mutex<Versions>,
    pub(crate) memory: Memory,
    /// Whether the thread ends because nobody uses the workspace.
    is_parking: AtomicBool,
}

/// What status tells beyond the published version. Written by the thread alone.
#[derive(Clone, Debug, Default)]
struct Facts {
    condition: Condition,
    counters: Counters,
    clocks: Clocks,
    queued_bytes: usize,
    idempotency_keys: usize,
    log_bytes: u64,
    snapshot_lsn: Lsn,
}

/// Why waiting for an LSN ended without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// It did not come in time.
    #[error("LSN {lsn} was not reached in time, the newest is {newest}")]
    Timeout {
        /// What was waited for.
        lsn: Lsn,
        /// The newest there is.
        newest: Lsn,
    },
    /// The workspace is closing.
    #[error("the workspace is closing")]
    Closing,
    /// It came and went: its version is not kept any more.
    #[error("LSN {lsn} is not kept any more, the oldest that is is {oldest}")]
    Gone {
        /// What was asked for.
        lsn: Lsn,
        /// The oldest that can be read.
        oldest: Lsn,
    },
}

/// Which version is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadAt {
    /// The newest.
    #[default]
    Newest,
    /// The newest, once it holds this LSN.
    AtLeast(Lsn),
    /// The one of this LSN, once it has come, while it is kept.
    Exactly(Lsn),
}

/// Why a pause, a resume or a clock was not set. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The clock would go back.
    #[error("the workspace clock stands at {now} and never goes back to {asked}")]
    ClockGoesBack {
        /// Where it stands.
        now: TimestampMicros,
        /// Where it was to be set.
        asked: TimestampMicros,
    },
    /// A time was given for a clock that is not set by hand.
    #[error("only the manual clock is set to a time")]
    TimeNotTaken,
    /// The disk is full.
    #[error("the disk is full: nothing was changed")]
    NoSpace,
    /// The log failed while the change was being written.
    #[error("the log failed while the change was written, its outcome is unknown")]
    OutcomeUnknown,
    /// The workspace takes no writes.
    #[error("workspace {workspace:?} takes no writes: {reason}")]
    ReadOnly {
        /// Its name.
        workspace: String,
        /// Why.
        reason: String,
    },
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {workspace:?} is closing")]
    ShuttingDown {
        /// Its name.
        workspace: String,
    },
}

impl Shared {
    pub(crate) fn new(name: Name, id: u64, options: CompileOptions, clock: Arc<dyn Clock>) -> Shared {
        let empty = Published {
            lsn: Lsn::ZERO,
            workspace_clock: TimestampMicros::default(),
            program: Arc::new(crate::program::RunningProgram::empty()),
            parts: Arc::new(Vec::new()),
        };
        Shared {
            name,
            id,
            queue: Queue::default(),
            options,
            clock,
            published: ArcSwap::from_pointee(empty),
            changing: RwLock::new(()),
            newest: watch::channel(Lsn::ZERO).0,
            program_changes: Arc::default(),
            changes: OnceLock::new(),
            facts: Mutex::default(),
            versions: Mutex::default(),
            memory: Memory::default(),
            is_parking: AtomicBool::new(false),
        }
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Swaps in a version and wakes who waits for it.
    pub(crate) fn show(&self, published: Arc<Published>, state: &State) {
        let lsn = published.lsn;
        // Locked over both, so that whoever finds a newer version finds the one before it as well.
        let mut versions = self.versions.lock();
        let old = self.published.swap(Arc::clone(&published));
        // Before the first version that is shown there is a stand-in, and a version may be shown twice.
        let is_version = *self.newest.borrow() > Lsn::ZERO && old.lsn < lsn;
        let gone = if is_version { versions.keep(old, &published, self.clock.now()) } else { Vec::new() };
        drop(versions);
        drop(gone);
        let mut facts = self.facts.lock();
        facts.counters.clone_from(&state.counters);
        facts.clocks = state.clocks;
        facts.queued_bytes = state.queued_bytes;
        facts.idempotency_keys = state.idempotency.len();
        if matches!(facts.condition, Condition::Running | Condition::Paused) {
            facts.condition = if state.paused { Condition::Paused } else { Condition::Running };
        }
        drop(facts);
        self.newest.send_replace(lsn);
    }

    /// Tells what the state holds in memory. Older versions give way: they take half of what is left at the most, or rows
    /// that were deleted to make room would be held by them.
    pub(crate) fn tell_memory(&self, state_bytes: u64) {
        let room = usize::try_from(self.memory.room(state_bytes) / 2).unwrap_or(usize::MAX);
        let versions_bytes = self.forget_versions(room.min(limits::VERSIONS_KEPT_BYTES_MAX));
        self.memory.tell_held(state_bytes + versions_bytes as u64);
    }

    /// Lets go of versions that are too old to be kept, or too large, and returns how many bytes the others hold.
    fn forget_versions(&self, bytes_max: usize) -> usize {
        let mut versions = self.versions.lock();
        let gone = versions.forget(self.clock.now(), bytes_max);
        let bytes = versions.bytes();
        drop(versions);
        drop(gone);
        bytes
    }

    /// Wakes who waits for an LSN that will not come.
    pub(crate) fn tell_closing(&self) {
        self.newest.send_replace(CLOSING);
    }

    pub(crate) fn tell_log(&self, log_bytes: u64, snapshot_lsn: Lsn) {
        let mut facts = self.facts.lock();
        facts.log_bytes = log_bytes;
        facts.snapshot_lsn = snapshot_lsn;
    }

    /// The workspace takes no more writes. The first reason stays.
    pub(crate) fn close_for_writes(&self, reason: &str) {
        let mut facts = self.facts.lock();
        if !matches!(facts.condition, Condition::ReadOnly { .. }) {
            facts.condition = Condition::ReadOnly { reason: reason.to_owned() };
        }
    }

    /// The workspace clock as a reader of this version sees it: system time goes on between steps.
    pub(crate) fn now(&self, published: &Published) -> TimestampMicros {
        match self.facts.lock().clocks.mode {
            ClockMode::System => published.workspace_clock.max(self.clock.now()),
            ClockMode::Manual | ClockMode::Event => published.workspace_clock,
        }
    }

    /// Why the workspace takes no writes, if so.
    pub(crate) fn read_only(&self) -> Option<String> {
        match &self.facts.lock().condition {
            Condition::ReadOnly { reason } => Some(reason.clone()),
            _ => None,
        }
    }

    /// Whether the thread ends because nobody uses the workspace.
    pub(crate) fn is_parking(&self) -> bool {
        self.is_parking.load(Ordering::Relaxed)
    }

    pub(crate) fn status(&self) -> WorkspaceStatus {
        let published = self.published();
        let facts = self.facts.lock().clone();
        WorkspaceStatus {
            name: self.name.clone(),
            id: self.id,
            condition: facts.condition,
            lsn: published.lsn,
            program_version: published.program.version,
            clock_mode: facts.clocks.mode,
            workspace_clock: facts.clocks.workspace,
            ingest_time: facts.clocks.ingest_time,
            counts: facts.counters.by_endpoint().clone(),
            queued_bytes: facts.queued_bytes,
            idempotency_keys: facts.idempotency_keys,
            log_bytes: facts.log_bytes,
            snapshot_lsn: facts.snapshot_lsn,
            memory_bytes: self.memory.held_bytes(),
            memory_bytes_max: self.memory.bytes_max(),
        }
    }
}

impl Workspace {
    pub(crate) fn start(shared: Arc<Shared>, core: core::Core) -> std::io::Result<Workspace> {
        if let Some(changes) = &core.state.changes {
            let _ = shared.changes.set(Arc::clone(changes));
            let followed = Arc::downgrade(&shared);
            changes.on_flushed(Box::new(move || {
                if let Some(shared) = followed.upgrade() {
                    shared.newest.send_modify(|_| {});
                }
            }));
        }
        let name = format!("story {}", shared.name);
        let thread = std::thread::Builder::new().name(name).spawn(move || core.run())?;
        Ok(Workspace { shared, thread: Mutex::new(Some(thread)) })
    }

    /// The workspace's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// What readers see now.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.shared.published()
    }

    /// Waits until a version that holds this LSN is published.
    pub async fn wait_for(&self, lsn: Lsn, timeout: Duration) -> Result<Arc<Published>, WaitError> {
        let mut newest = self.shared.newest.subscribe();
        match tokio::time::timeout(timeout, newest.wait_for(|newest| *newest >= lsn)).await {
            Ok(Ok(_)) if self.published().lsn >= lsn => Ok(self.published()),
            Ok(_) => Err(WaitError::Closing),
            Err(_) => Err(WaitError::Timeout { lsn, newest: self.published().lsn }),
        }
    }

    /// The version to be read.
    pub async fn version(&self, at: ReadAt) -> Result<Arc<Published>, WaitError> {
        let patience = Duration::from_millis(limits::MIN_LSN_WAIT_MS);
        let lsn = match at {
            ReadAt::Newest => return Ok(self.published()),
            ReadAt::AtLeast(lsn) => return self.wait_for(lsn, patience).await,
            ReadAt::Exactly(lsn) => lsn,
        };
        let newest = self.wait_for(lsn, patience).await?;
        if newest.lsn == lsn {
            return Ok(newest);
        }
        self.shared.versions.lock().at(lsn, &newest).map_err(|oldest| WaitError::Gone { lsn, oldest })
    }

    /// Takes records: they are durable, applied and readable when this returns.
    ///
    /// Decoding happens on the calling thread. Dropping the future does not take back a request that was queued.
    pub async fn push(&self, request: PushRequest) -> Result<PushAnswer, PushError> {
        let workspace = || self.shared.name.to_string();
        if let Some(reason) = self.shared.read_only() {
            return Err(PushError::ReadOnly { workspace: workspace(), reason });
        }
        for _ in 0..STALE_RETRIES_MAX {
            let published = self.published();
            let admitted = match admit(&request, &published.program, self.shared.name.as_str()) {
                Ok(admitted) => admitted,
                Err(refused) => return self.recall(&request).await.ok_or(refused),
            };
            let waiting_bytes = self.shared.queue.push_bytes();
            if let Err(refused) =
                self.shared.memory.check(&admitted, waiting_bytes, self.shared.name.as_str())
            {
                return self.recall(&request).await.ok_or(refused);
            }
            let (reply, answer) = oneshot::channel();
            self.shared.queue.add(Command::Push(Ticket { admitted, reply })).map_err(
                |error| match error {
                    QueueError::Full => PushError::QueueFull { workspace: workspace() },
                    QueueError::Closed => PushError::ShuttingDown { workspace: workspace() },
                },
            )?;
            match answer.await {
                Ok(Reply::Taken(answer)) => return Ok(answer),
                Ok(Reply::Refused(error)) => return Err(error),
                Ok(Reply::Stale) => {}
                Err(_) => return Err(PushError::OutcomeUnknown),
            }
        }
        Err(PushError::QueueFull { workspace: workspace() })
    }

    /// The answer that a request got when it was taken, if it was: under a later program it may be one to refuse.
    async fn recall(&self, request: &PushRequest) -> Option<PushAnswer> {
        let key = request.idempotency_key.clone()?;
        let (reply, known) = oneshot::channel();
        let (key_id, body_hash) = (request.key_id.clone(), body_hash(request));
        self.shared.queue.add(Command::Recall { key_id, key, body_hash, reply }).ok()?;
        match known.await.ok()? {
            Known::Same(answer) => Some(PushAnswer { duplicate: true, ..answer }),
            Known::New | Known::Other => None,
        }
    }

    /// Sets a module of the program. Pushes go on meanwhile; it is set when its views have all rows.
    ///
    /// Dropping the future does not take the change back.
    pub async fn set_program(&self, text: String, how: SetProgram) -> Result<ProgramAnswer, SetProgramError> {
        let workspace = || self.shared.name.to_string();
        let closing = || SetProgramError::ShuttingDown { workspace: workspace() };
        let place = ChangePlace::take(&self.shared.program_changes)
            .ok_or_else(|| SetProgramError::Changing { workspace: workspace() })?;
        let module = self.compile(text, how.module.clone()).await?;
        let (reply, answer) = oneshot::channel();
        let command = Command::SetProgram(Box::new(Asked { module, how, reply, place }));
        self.shared.queue.add(command).map_err(|_| closing())?;
        answer.await.unwrap_or_else(|_| Err(closing()))
    }

    /// Compiles a module on a thread of its own: it may take long, and nobody else has to wait for it.
    async fn compile(&self, text: String, module: String) -> Result<NewModule, SetProgramError> {
        let options = self.shared.options;
        let (done, compiled) = oneshot::channel();
        let compile = move || {
            // Who stopped waiting needs no answer.
            let _ = done.send(NewModule::compile(&module, &text, &options));
        };
        let no_thread = |reason: String| SetProgramError::Build { reason };
        std::thread::Builder::new()
            .name("compile".to_owned())
            .spawn(compile)
            .map_err(|error| no_thread(format!("no thread could be started: {error}")))?;
        compiled.await.unwrap_or_else(|_| Err(no_thread("the compiler's thread ended".to_owned())))
    }

    /// What setting a module would do.
    pub fn plan(&self, text: &str, module: &str) -> Result<Plan, SetProgramError> {
        let published = self.published();
        let has_rows = |name: &str| {
            published.relation(name).is_some_and(|r| headwater_types::Scan::num_rows(&r.rows) > 0)
        };
        let module = NewModule::compile(module, text, &self.shared.options)?;
        let candidate = Candidate::new(&published.program, &module, has_rows)?;
        Ok(Plan { entries: candidate.entries })
    }

    /// Refuses or queues pushes from here on.
    pub async fn pause(&self) -> Result<WorkspaceStatus, ControlError> {
        self.control(Command::Pause).await
    }

    /// Lets queued pushes take effect and takes pushes again.
    pub async fn resume(&self) -> Result<WorkspaceStatus, ControlError> {
        self.control(Command::Resume).await
    }

    /// Sets what moves the workspace clock; with `ClockMode::Manual` also where it stands.
    pub async fn set_clock(
        &self,
        mode: ClockMode,
        at: Option<TimestampMicros>,
    ) -> Result<WorkspaceStatus, ControlError> {
        self.control(|reply| Command::SetClock { mode, at, reply }).await
    }

    async fn control(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<WorkspaceStatus, ControlError>>) -> Command,
    ) -> Result<WorkspaceStatus, ControlError> {
        let closing = || ControlError::ShuttingDown { workspace: self.shared.name.to_string() };
        let (reply, answer) = oneshot::channel();
        self.shared.queue.add(command(reply)).map_err(|_| closing())?;
        answer.await.unwrap_or_else(|_| Err(closing()))
    }

    /// What is told about the workspace.
    #[must_use]
    pub fn status(&self) -> WorkspaceStatus {
        self.shared.status()
    }

    /// What it holds in memory, about.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.shared.memory.held_bytes()
    }

    /// Sets what it may hold in memory.
    pub(crate) fn set_memory_bytes_max(&self, bytes: u64) {
        self.shared.memory.set_bytes_max(bytes);
    }

    /// Sets what the server's budget leaves to it.
    pub(crate) fn set_memory_share(&self, bytes: u64) {
        self.shared.memory.set_share(bytes);
    }

    /// Whether its thread has nothing to do, and opening it again would bring it back as it is. What failed is kept for
    /// its operator to see.
    pub(crate) fn can_be_parked(&self) -> bool {
        self.shared.queue.is_idle()
            && self.shared.program_changes.load(Ordering::Relaxed) == 0
            && self.shared.read_only().is_none()
    }

    /// Ends its threads after a snapshot, if that makes the next opening quicker, and returns its last status. The caller
    /// holds the only handle.
    pub(crate) fn park(&self) -> WorkspaceStatus {
        self.shared.is_parking.store(true, Ordering::Relaxed);
        self.close();
        self.status()
    }

    /// Does what waits, then ends the workspace's thread.
    pub(crate) fn close(&self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
