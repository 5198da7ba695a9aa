use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headwater_env::{DirLock, Env, LockError};
use headwater_log::LogOptions;
use headwater_types::{Name, limits};
use parking_lot::Mutex;

use crate::workspace::{Workspace, WorkspaceStatus};

/// What all workspaces together may take of the machine, and what each of them may.
mod budget;
/// One listed workspace: open or not.
mod entry;
/// Why something about workspaces as a whole was not done.
mod error;
/// The listed workspaces: opened when somebody asks for one, parked when nobody does.
mod fleet;
/// Folders that a power cut does not take away.
mod folder;
/// The thread that parks what nobody uses.
mod housekeeping;
/// What is known of a workspace without opening it.
mod known;
/// From a folder to a running workspace.
mod open_workspace;
/// The list of workspaces, kept as a table of a workspace.
mod system;
/// Waiting on a thread that is not asynchronous.
mod wait;

pub use budget::Budget;
pub use error::{CreateWorkspaceError, DeleteWorkspaceError, OpenError, UnknownWorkspace, WorkspaceError};

use entry::Entry;
use fleet::Fleet;
use housekeeping::Housekeeping;
use open_workspace::open_workspace;
use system::{Listed, System};
use wait::wait;

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
    /// Memory, caches and threads.
    pub budget: Budget,
}

/// All workspaces of one data folder.
pub struct Engine {
    fleet: Arc<Fleet>,
    system: System,
    /// Held while the list of workspaces changes.
    changing: Mutex<()>,
    housekeeping: Mutex<Option<Housekeeping>>,
    _lock: Box<dyn DirLock>,
}

impl Engine {
    /// Opens a data folder. Of its workspaces only the list is opened; each other one is when somebody asks for it.
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
        let listed = system.workspaces();
        remove_orphans(&options.env, &dir, &listed).map_err(io)?;
        let entries = listed.into_iter().map(|listed| {
            let (known, damage) = known::known(&options.env, &dir, listed.id, Name::new(&listed.name)?);
            let entry = Entry::parked(known, damage);
            entry.memory_bytes_max.store(listed.memory_bytes_max.unwrap_or(0), Ordering::Relaxed);
            Ok(entry)
        });
        let entries = entries.collect::<Result<Vec<_>, OpenError>>()?;
        let has_housekeeping = options.budget.housekeeping;
        let fleet = Fleet::new(options, entries);
        let housekeeping = has_housekeeping.then(|| Housekeeping::start(&fleet)).transpose().map_err(io)?;
        Ok(Arc::new(Engine {
            fleet,
            system,
            changing: Mutex::new(()),
            housekeeping: Mutex::new(housekeeping),
            _lock: lock,
        }))
    }

    /// Makes an empty workspace. It is in the list before its folder is there: a folder without entry is removed at
    /// the next start, an entry without folder is an empty workspace.
    ///
    /// Waits on this thread for the disk.
    pub fn create_workspace(&self, name: &Name) -> Result<Arc<Workspace>, CreateWorkspaceError> {
        let name = Name::new(name.as_str())?;
        let _changing = self.changing.lock();
        if self.fleet.contains(name.as_str()) {
            return Err(CreateWorkspaceError::Exists { name: name.to_string() });
        }
        if self.fleet.len() >= limits::WORKSPACES_MAX {
            return Err(CreateWorkspaceError::TooMany { max: limits::WORKSPACES_MAX });
        }
        let id = self.system.add(name.as_str(), self.fleet.now())?;
        headwater_env::kill_point::reach("workspace.listed");
        let entry = self.fleet.add(Entry::parked(WorkspaceStatus::unopened(id, name.clone()), None));
        wait(self.fleet.open(&entry)).map_err(|error| {
            // What remains of the folder is removed at the next start, as it is not listed.
            self.fleet.remove(name.as_str());
            let _ = wait(self.fleet.end(&entry));
            if let Err(refused) = self.system.remove(id) {
                return refused.into();
            }
            let _ = self.disk().remove_dir_all(&workspace_dir(self.data_dir(), id));
            error.into()
        })
    }

    /// Deletes a workspace with all it holds, whether it is open, parked or damaged.
    ///
    /// Waits on this thread until what waits in it is done.
    pub fn delete_workspace(&self, name: &str) -> Result<(), DeleteWorkspaceError> {
        let _changing = self.changing.lock();
        let entry = self.fleet.entry(name)?;
        self.system.remove(entry.id)?;
        self.fleet.remove(name);
        if let Some(workspace) = wait(self.fleet.end(&entry)) {
            workspace.close();
        }
        let folder = workspace_dir(self.data_dir(), entry.id);
        if self.disk().exists(&folder)
            && let Err(error) = self.disk().remove_dir_all(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "a deleted workspace's folder stays until the next start");
        }
        Ok(())
    }

    /// Whether there is a workspace of this name.
    #[must_use]
    pub fn has_workspace(&self, name: &str) -> bool {
        self.fleet.contains(name)
    }

    /// The workspace of this name, opened if it is not. It stays open while somebody holds it. Never blocks the caller's
    /// thread; needs a Tokio runtime with time.
    pub async fn workspace(&self, name: &str) -> Result<Arc<Workspace>, WorkspaceError> {
        let entry = self.fleet.entry(name)?;
        let patience = Duration::from_millis(limits::OPENING_WAIT_MS);
        match tokio::time::timeout(patience, self.fleet.open(&entry)).await {
            Ok(opened) => opened,
            Err(_) => Err(WorkspaceError::Opening { name: name.to_owned() }),
        }
    }

    /// The same on a thread that may wait.
    pub fn workspace_blocking(&self, name: &str) -> Result<Arc<Workspace>, WorkspaceError> {
        let entry = self.fleet.entry(name)?;
        wait(self.fleet.open(&entry))
    }

    /// What is told about all workspaces, by name. Opens none of them.
    pub fn statuses(&self) -> Vec<WorkspaceStatus> {
        self.fleet.statuses()
    }

    /// What is told about a workspace. Does not open it.
    pub fn status(&self, name: &str) -> Result<WorkspaceStatus, UnknownWorkspace> {
        Ok(self.fleet.entry(name)?.status())
    }

    /// Whether a workspace was asked for since the start. If not, its status is what a few of its files say, which may be
    /// older than its log.
    pub fn was_used(&self, name: &str) -> Result<bool, UnknownWorkspace> {
        Ok(self.fleet.entry(name)?.was_used())
    }

    /// What is told about the `_system` workspace.
    pub fn system_status(&self) -> WorkspaceStatus {
        self.system.status()
    }

    /// Sets what a workspace may hold in memory; `None` for as much as the server's budget says. Does not open it.
    ///
    /// Waits on this thread for the disk.
    pub fn set_memory_bytes_max(&self, name: &str, bytes: Option<u64>) -> Result<(), DeleteWorkspaceError> {
        let _changing = self.changing.lock();
        let entry = self.fleet.entry(name)?;
        self.system.set_memory_bytes_max(entry.id, bytes)?;
        entry.memory_bytes_max.store(bytes.unwrap_or(0), Ordering::Relaxed);
        if let Some(workspace) = entry.if_open() {
            self.fleet.tell_budget(&entry, &workspace);
        }
        Ok(())
    }

    /// Parks what nobody uses, and tells the others how much memory they may hold. Housekeeping does this by itself.
    pub fn tidy(&self) {
        self.fleet.tidy();
    }

    /// Does what waits in every workspace, and ends their threads. Nothing is taken any more.
    pub fn shutdown(&self) {
        if let Some(housekeeping) = self.housekeeping.lock().take() {
            housekeeping.stop();
        }
        for entry in self.fleet.entries() {
            if let Some(workspace) = wait(self.fleet.end(&entry)) {
                workspace.close();
            }
        }
        self.system.close();
    }

    fn data_dir(&self) -> &Path {
        &self.fleet.options.data_dir
    }

    fn disk(&self) -> &dyn headwater_env::Disk {
        &*self.fleet.options.env.disk
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("data_dir", &self.fleet.options.data_dir).finish_non_exhaustive()
    }
}

/// Numbers and names of the workspaces of a data folder whose lock the caller holds, without opening them.
pub(crate) fn listed_workspaces(options: &EngineOptions) -> Result<Vec<(u64, String)>, OpenError> {
    let name = Name::system(system::NAME)?;
    let system = System::start(open_workspace(options, &options.data_dir.join("system"), name, 0)?)?;
    Ok(system.workspaces().into_iter().map(|listed| (listed.id, listed.name)).collect())
}

fn workspaces_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("workspaces")
}

/// On disk a workspace is its number, whatever its name.
fn workspace_dir(data_dir: &Path, id: u64) -> PathBuf {
    workspaces_dir(data_dir).join(id.to_string())
}

/// Folders whose workspace is not in the list were left by a deletion that was cut short.
fn remove_orphans(env: &Env, data_dir: &Path, listed: &[Listed]) -> std::io::Result<()> {
    let listed: Vec<String> = listed.iter().map(|listed| listed.id.to_string()).collect();
    for entry in env.disk.list(&workspaces_dir(data_dir))? {
        if entry.is_dir && !listed.contains(&entry.name) {
            env.disk.remove_dir_all(&workspaces_dir(data_dir).join(&entry.name))?;
        }
    }
    Ok(())
}
