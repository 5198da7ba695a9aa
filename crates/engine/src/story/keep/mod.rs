//! Snapshots make the log shorter; recovery reads both back. The truth is log plus snapshots.
//!
//! A round of snapshots writes, beside the running workspace, every stored relation that pays off and one state file,
//! then swaps the manifest in; only then is log given up. Relations may have snapshots of different LSNs: each is
//! brought forward from its own when the workspace is opened.

/// What the newest snapshots say without their rows.
mod facts;
/// Which files make up the newest snapshots.
mod manifest;
/// What is written when a workspace is parked.
mod park;
/// Reading it all back.
mod recover;
/// Rows of one relation in a file.
mod rows_file;
/// One round, off the story's thread.
mod snapshot;
/// What a workspace knows beside its rows.
mod state_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use headwater_env::Env;
use headwater_types::Lsn;

use crate::state::State;
use crate::story::commit::Committer;
use crate::workspace::Shared;
use crate::workspace::queue::Command;
use manifest::Manifest;
use snapshot::Round;

pub(crate) use facts::snapshot_facts;
pub(crate) use manifest::read_manifest;
pub use recover::RecoverError;
pub(crate) use recover::{Recovered, recover};

/// On a full disk a round pays off sooner: from this part of the usual bytes of log.
const ROOM_PARTS: u64 = 8;

/// Folder of a workspace's log.
pub(crate) fn log_dir(workspace: &Path) -> PathBuf {
    workspace.join("log")
}

/// Folder of a workspace's snapshots.
pub(crate) fn snapshot_dir(workspace: &Path) -> PathBuf {
    workspace.join("snapshots")
}

/// Decides when snapshots are written, and gives up the log that they make needless. One round at a time.
pub(crate) struct Keeper {
    env: Env,
    dir: PathBuf,
    manifest: Arc<Manifest>,
    /// Bytes of log after which a round pays off.
    round_bytes: u64,
    under_way: bool,
    /// Ends when the round that is under way has ended.
    round: Option<Receiver<()>>,
    /// Whether the round under way is written into the space of the log's reserve.
    uses_reserve: bool,
    /// After a failed round the next waits until the log has grown by another `round_bytes`.
    failed_at: Option<Lsn>,
}

/// How a round ended.
pub(crate) struct SnapshotDone {
    result: Result<Manifest, snapshot::RoundError>,
    lsn: Lsn,
}

impl Keeper {
    pub(crate) fn new(env: Env, dir: PathBuf, manifest: Manifest, round_bytes: u64) -> Keeper {
        Keeper {
            env,
            dir,
            manifest: Arc::new(manifest),
            round_bytes,
            under_way: false,
            round: None,
            uses_reserve: false,
            failed_at: None,
        }
    }

    /// Tells how much log a restart would read, and returns how much has come since the last round or try.
    pub(crate) fn tell(&self, state: &State, committer: &Committer, shared: &Shared) -> u64 {
        let bytes_since = |lsn: Lsn| if lsn > state.lsn { 0 } else { committer.bytes_since(lsn) };
        shared.tell_log(bytes_since(self.manifest.oldest_lsn().next()), self.manifest.state_lsn);
        bytes_since(self.failed_at.unwrap_or(self.manifest.state_lsn).next())
    }

    /// Starts a round if the log has grown enough.
    pub(crate) fn consider(&mut self, state: &State, committer: &Committer, shared: &Arc<Shared>) {
        let log_bytes = self.tell(state, committer, shared);
        if log_bytes >= self.round_bytes {
            self.begin(state, committer, shared);
        }
    }

    /// The disk is full: starts a round in the space of the log's reserve, if the log that it makes needless is worth it.
    pub(crate) fn make_room(&mut self, state: &State, committer: &Committer, shared: &Arc<Shared>) {
        let since = self.manifest.state_lsn.next();
        let worth_it = since <= state.lsn && committer.bytes_since(since) >= self.round_bytes / ROOM_PARTS;
        if self.under_way || !worth_it || self.failed_at == Some(state.lsn) {
            return;
        }
        match committer.release_reserve() {
            Ok(()) => {
                tracing::info!(workspace = %shared.name, "the disk is full; snapshots are written in place of the log's reserve");
                self.uses_reserve = true;
                self.begin(state, committer, shared);
            }
            Err(error) => {
                tracing::warn!(%error, "the log's reserve cannot be released");
                committer.retake_reserve();
            }
        }
    }

    fn begin(&mut self, state: &State, committer: &Committer, shared: &Arc<Shared>) {
        if self.under_way || state.lsn <= self.manifest.state_lsn {
            return;
        }
        self.under_way = true;
        let round = Round::of(state, &self.manifest, |lsn| committer.bytes_since(lsn));
        let (env, dir, shared) = (self.env.clone(), self.dir.clone(), Arc::clone(shared));
        let (ended, waiting) = channel::<()>();
        self.round = Some(waiting);
        self.env.disk.background(Box::new(move || {
            let _ended = ended;
            let lsn = round.lsn;
            let result = round.write(&env, &dir);
            // A workspace that is closed meanwhile finds the new manifest when it is opened again.
            let _ = shared.queue.add(Command::SnapshotDone(SnapshotDone { result, lsn }));
        }));
    }

    /// Waits for the round that is under way: nobody writes into the workspace's folder once its thread has ended.
    pub(crate) fn wait(&mut self) {
        if let Some(round) = self.round.take() {
            // Ends when the sender is dropped; nothing is ever sent.
            let _ = round.recv();
        }
    }

    /// Gives up what a finished round made needless.
    pub(crate) fn finish(&mut self, done: SnapshotDone, committer: &Committer) {
        self.under_way = false;
        match done.result {
            Ok(manifest) => {
                self.failed_at = None;
                let old = std::mem::replace(&mut self.manifest, Arc::new(manifest));
                let needless = old.files().into_iter().filter(|file| !self.manifest.files().contains(file));
                for file in needless {
                    // A file that stays is removed at the next start.
                    let _ = self.env.disk.remove(&snapshot_dir(&self.dir).join(file));
                }
                if let Err(error) = committer.cut_before(self.manifest.oldest_lsn().next()) {
                    tracing::warn!(%error, "the log stays longer than needed");
                }
            }
            Err(error) => {
                self.failed_at = Some(done.lsn);
                tracing::warn!(%error, "no snapshots were written; the log is kept");
            }
        }
        if std::mem::take(&mut self.uses_reserve) {
            committer.retake_reserve();
        }
    }
}
