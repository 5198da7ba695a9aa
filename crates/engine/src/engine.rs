use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_env::{DirLock, Env, LockError};
use headwater_log::{FileLog, LogOptions, LogStore, Recovery};
use headwater_sql::CompileOptions;
use headwater_types::{Name, NameError, TimestampMicros, limits};
use parking_lot::{Mutex, RwLock};

use crate::program::SetProgramError;
use crate::push::{PushAnswer, PushError};
use crate::record::LogRecord;
use crate::story::keep::{Keeper, RecoverError, Recovered, log_dir, recover};
use crate::story::order::Taken;
use crate::story::{commit::Committer, reply, skip};
use crate::workspace::core::Core;
use crate::workspace::program_turns::ProgramTurns;
use crate::workspace::{Shared, Workspace};

/// Folders that a power cut does not take away.
mod folder;
/// The list of workspaces, kept as a table of a workspace.
mod system;

use system::System;

/// Bytes of log after which snapshots are written, unless the options say otherwise or the volume is small.
const SNAPSHOT_LOG_BYTES: u64 = 64 << 20;
/// The same in segments, whose size follows the volume's: an eighth of it at most is log that snapshots make needless.
const SNAPSHOT_LOG_SEGMENTS: u64 = 8;

/// How an engine is opened.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The folder that holds everything.
    pub data_dir: PathBuf,
    /// Disk, clock and randomness.
    pub env: Env,
    /// Whether functions that exist for tests may be called.
    pub test_hooks: bool,
    /// Sizes of logs; by the size of the volume if `None`.
    pub log: Option<LogOptions>,
    /// Bytes of log after which a workspace writes snapshots; if `None` 64 MiB, less on a small volume.
    pub snapshot_log_bytes: Option<u64>,
}

/// All workspaces of one data folder.
pub struct Engine {
    options: EngineOptions,
    system: System,
    workspaces: RwLock<BTreeMap<String, Arc<Workspace>>>,
    /// Held while the list of workspaces changes.
    changing: Mutex<()>,
    _lock: Box<dyn DirLock>,
}

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("data folder {} is in use by another process", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk failed.
    #[error("data folder {}: {source}", dir.display())]
    Io {
        /// The folder.
        dir: PathBuf,
        /// What the disk said.
        source: std::io::Error,
    },
    /// A workspace's log cannot be opened.
    #[error("workspace {workspace:?}: {source}")]
    Log {
        /// The workspace.
        workspace: String,
        /// Why.
        source: headwater_log::OpenError,
    },
    /// A workspace's files cannot be read back.
    #[error("workspace {workspace:?}: {source}")]
    Recover {
        /// The workspace.
        workspace: String,
        /// Why.
        source: Box<RecoverError>,
    },
    /// The list of workspaces cannot be set up.
    #[error("the list of workspaces cannot be set up: {0}")]
    SystemProgram(#[from] SetProgramError),
    /// A row of the list of workspaces makes no sense.
    #[error("the list of workspaces holds a bad name: {0}")]
    SystemName(#[from] NameError),
}

/// Why a workspace was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateWorkspaceError {
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is one of this name.
    #[error("workspace {name:?} exists already")]
    Exists {
        /// The name.
        name: String,
    },
    /// There are too many.
    #[error("there are {max} workspaces, the limit")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// It could not be written into the list of workspaces.
    #[error("the list of workspaces could not be changed: {0}")]
    System(#[from] PushError),
    /// Its folder could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a workspace was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteWorkspaceError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownWorkspace),
    /// It could not be taken out of the list of workspaces.
    #[error("the list of workspaces could not be changed: {0}")]
    System(#[from] PushError),
}

/// There is no workspace of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workspace {name:?} does not exist")]
pub struct UnknownWorkspace {
    /// The name asked for.
    pub name: String,
    /// The names there are.
    pub known: Vec<String>,
}

impl Engine {
    /// Opens a data folder, and in it every workspace.
    pub fn open(options: EngineOptions) -> Result<Arc<Engine>, OpenError> {
        let dir = options.data_dir.clone();
        let io = |source| OpenError::Io { dir: dir.clone(), source };
        let disk = &options.env.disk;
        folder::create_durable(&**disk, &workspaces_dir(&dir), &dir).map_err(io)?;
        let lock = disk.lock(&dir.join("LOCK")).map_err(|error| match error {
            LockError::Held => OpenError::Locked { dir: dir.clone() },
            LockError::Io(source) => io(source),
        })?;
        let name = Name::system(system::NAME)?;
        let system = System::start(open_workspace(&options, &dir.join("system"), name, 0)?)?;
        remove_orphans(&options.env, &dir, &system).map_err(io)?;
        let mut workspaces = BTreeMap::new();
        for (id, name) in system.workspaces() {
            let folder = workspace_dir(&dir, id);
            let workspace = open_workspace(&options, &folder, Name::new(&name)?, id)?;
            workspaces.insert(name, Arc::new(workspace));
        }
        let workspaces = RwLock::new(workspaces);
        Ok(Arc::new(Engine { options, system, workspaces, changing: Mutex::new(()), _lock: lock }))
    }

    /// Makes an empty workspace. It is in the list before its folder is there: a folder without entry is removed at
    /// the next start, an entry without folder is an empty workspace.
    pub fn create_workspace(&self, name: &Name) -> Result<Arc<Workspace>, CreateWorkspaceError> {
        let name = Name::new(name.as_str())?;
        let _changing = self.changing.lock();
        if self.workspaces.read().contains_key(name.as_str()) {
            return Err(CreateWorkspaceError::Exists { name: name.to_string() });
        }
        if self.workspaces.read().len() >= limits::WORKSPACES_MAX {
            return Err(CreateWorkspaceError::TooMany { max: limits::WORKSPACES_MAX });
        }
        let created = self.options.env.clock.now();
        let id = self.system.add(name.as_str(), created)?;
        headwater_env::kill_point::reach("workspace.listed");
        let folder = workspace_dir(&self.options.data_dir, id);
        let workspace = match open_workspace(&self.options, &folder, name.clone(), id) {
            Ok(workspace) => Arc::new(workspace),
            Err(error) => {
                // What remains of the folder is removed at the next start, as it is not listed.
                self.system.remove(id)?;
                let _ = self.options.env.disk.remove_dir_all(&folder);
                return Err(error.into());
            }
        };
        self.workspaces.write().insert(name.to_string(), Arc::clone(&workspace));
        Ok(workspace)
    }

    /// Deletes a workspace with all it holds.
    pub fn delete_workspace(&self, name: &str) -> Result<(), DeleteWorkspaceError> {
        let _changing = self.changing.lock();
        let workspace = self.workspace(name)?;
        let id = workspace.status().id;
        self.system.remove(id)?;
        self.workspaces.write().remove(name);
        workspace.close();
        let folder = workspace_dir(&self.options.data_dir, id);
        if let Err(error) = self.options.env.disk.remove_dir_all(&folder) {
            tracing::warn!(%error, folder = %folder.display(), "a deleted workspace's folder stays until the next start");
        }
        Ok(())
    }

    /// The workspace of this name.
    pub fn workspace(&self, name: &str) -> Result<Arc<Workspace>, UnknownWorkspace> {
        let workspaces = self.workspaces.read();
        workspaces.get(name).cloned().ok_or_else(|| UnknownWorkspace {
            name: name.to_owned(),
            known: workspaces.keys().cloned().collect(),
        })
    }

    /// All workspaces, by name.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        self.workspaces.read().values().cloned().collect()
    }

    /// What is told about the `_system` workspace.
    pub fn system_status(&self) -> crate::workspace::WorkspaceStatus {
        self.system.status()
    }

    /// Does what waits in every workspace, and ends their threads. Nothing is taken any more.
    pub fn shutdown(&self) {
        for workspace in self.workspaces() {
            workspace.close();
        }
        self.system.close();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("data_dir", &self.options.data_dir).finish_non_exhaustive()
    }
}

/// Numbers and names of the workspaces of a data folder whose lock the caller holds, without opening them.
pub(crate) fn listed_workspaces(options: &EngineOptions) -> Result<Vec<(u64, String)>, OpenError> {
    let name = Name::system(system::NAME)?;
    let system = System::start(open_workspace(options, &options.data_dir.join("system"), name, 0)?)?;
    Ok(system.workspaces())
}

fn workspaces_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("workspaces")
}

/// On disk a workspace is its number, whatever its name.
fn workspace_dir(data_dir: &Path, id: u64) -> PathBuf {
    workspaces_dir(data_dir).join(id.to_string())
}

/// Folders whose workspace is not in the list were left by a deletion that was cut short.
fn remove_orphans(env: &Env, data_dir: &Path, system: &System) -> std::io::Result<()> {
    let listed: Vec<String> = system.workspaces().into_iter().map(|(id, _)| id.to_string()).collect();
    for entry in env.disk.list(&workspaces_dir(data_dir))? {
        if entry.is_dir && !listed.contains(&entry.name) {
            env.disk.remove_dir_all(&workspaces_dir(data_dir).join(&entry.name))?;
        }
    }
    Ok(())
}

/// Opens one workspace: its log, its snapshots, its thread.
fn open_workspace(options: &EngineOptions, dir: &Path, name: Name, id: u64) -> Result<Workspace, OpenError> {
    let io = |source| OpenError::Io { dir: dir.to_owned(), source };
    let env = &options.env;
    folder::create_durable(&*env.disk, &log_dir(dir), &options.data_dir).map_err(io)?;
    let log_options = match options.log {
        Some(log_options) => log_options,
        None => LogOptions::for_volume(env.disk.available_bytes(dir).map_err(io)?),
    };
    let snapshot_log_bytes = options
        .snapshot_log_bytes
        .unwrap_or(SNAPSHOT_LOG_BYTES.min(SNAPSHOT_LOG_SEGMENTS * log_options.segment_bytes));
    let (log, recovery) = FileLog::open(env, &log_dir(dir), log_options)
        .map_err(|source| OpenError::Log { workspace: name.to_string(), source })?;
    if let Recovery::Torn { file, offset, lsn_cut } = &recovery {
        tracing::warn!(workspace = %name, file, offset, lsn = lsn_cut.0, "the log's last group was torn and is cut");
    }
    let compile = CompileOptions { test_hooks: options.test_hooks };
    let Recovered { state, manifest, panicked } = recover(env, dir, &log, &compile)
        .map_err(|source| OpenError::Recover { workspace: name.to_string(), source: Box::new(source) })?;
    let shared = Arc::new(Shared::new(name.clone(), id, compile, Arc::clone(&env.clock)));
    let log: Box<dyn LogStore> = Box::new(log);
    let mut core = Core {
        state,
        committer: Committer::start(log, name.as_str()).map_err(io)?,
        keeper: Keeper::new(env.clone(), dir.to_owned(), manifest, snapshot_log_bytes),
        shared: Arc::clone(&shared),
        env: env.clone(),
        program: ProgramTurns::default(),
        ticked_at: TimestampMicros::default(),
    };
    if let Some((lsn, record, reason)) = panicked {
        // Requests of a resume are still queued; those of a step are known to the log alone.
        let is_step = matches!(record, LogRecord::Step(_));
        let requests = record.requests().iter().filter(|_| is_step).cloned();
        let taken: Result<Vec<Taken>, _> =
            requests.map(|r| skip::ticket_of(r, &core.state).map(taken_of)).collect();
        let taken = taken.map_err(|source| OpenError::Recover {
            workspace: name.to_string(),
            source: Box::new(RecoverError::Record { lsn, source }),
        })?;
        core.skip(lsn, record, taken, &reason);
    }
    reply::publish(&core.state, &shared);
    core.keeper.tell(&core.state, &core.committer, &shared);
    Workspace::start(shared, core).map_err(io)
}

fn taken_of(ticket: crate::story::admit::Ticket) -> Taken {
    let answer = PushAnswer {
        lsn: headwater_types::Lsn::ZERO,
        received: 0,
        applied: 0,
        rejected: 0,
        errors: Vec::new(),
        applied_now: true,
        duplicate: false,
    };
    Taken { ticket, answer }
}
