use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use headwater_env::Env;
use headwater_types::{Delta, Lsn, Scan, TimestampMicros, limits};
use parking_lot::{Condvar, Mutex};

use crate::canonical::Order;
use crate::catalog::Catalog;
use crate::commit::{Commit, Keep, RelationId, StreamDefinition};
use crate::cursor::{Identity, Position};
use crate::file::FileMeta;
use crate::manifest::{self, Manifest};
use crate::reader::{Gone, Reader, Selection};
use crate::tail::Tail;

/// Time between a flush that failed and the next one.
const RETRY_MICROS: i64 = 1_000_000;

/// How a change log is opened.
#[derive(Clone, Debug)]
pub struct ChangeLogOptions {
    /// Disk, clock and randomness.
    pub env: Env,
    /// Its folder; made when it is needed.
    pub dir: PathBuf,
    /// Whose it is, for log lines.
    pub workspace: String,
    /// Memory of changes from which on they are written to a file.
    pub flush_bytes: usize,
    /// Bytes of all files.
    pub bytes_max: u64,
}

/// A relation of the program as it is from some LSN on.
#[derive(Clone, Debug)]
pub struct LiveStream {
    /// What it is.
    pub definition: StreamDefinition,
    /// How much of its changes is kept.
    pub keep: Keep,
}

/// The change log of one workspace. Written by the story's thread, read by followers, flushed in the background.
pub struct ChangeLog {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) workspace: String,
    flush_bytes: usize,
    pub(crate) bytes_max: u64,
    pub(crate) state: Mutex<State>,
    /// Notified when a flush has ended.
    pub(crate) flushed: Condvar,
    /// Held by whoever writes files.
    pub(crate) flushing: Mutex<()>,
    /// Called when what followers wait for has been written.
    on_flushed: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) identity: Identity,
    /// What changed up to here is in files, so it is not taken again.
    pub(crate) durable: Lsn,
    /// The newest LSN that was handed over.
    pub(crate) newest: Lsn,
    pub(crate) newest_time: TimestampMicros,
    pub(crate) files: Vec<Arc<FileMeta>>,
    pub(crate) catalog: Catalog,
    pub(crate) tail: Tail,
    /// A flush was started and has not ended.
    pub(crate) is_flushing: bool,
    /// After a failed flush the next is not tried before this time.
    pub(crate) retry_at: TimestampMicros,
}

impl ChangeLog {
    /// Opens the change log of a workspace whose log ends at `log_end`, for a replay from `replayed_from` on: the program
    /// had these relations there.
    ///
    /// What cannot be read is told in the server's log and is gone for followers; nothing is refused.
    pub fn open(
        options: ChangeLogOptions,
        log_end: Lsn,
        replayed_from: Lsn,
        live: Vec<LiveStream>,
    ) -> std::io::Result<Arc<ChangeLog>> {
        let ChangeLogOptions { env, dir, workspace, flush_bytes, bytes_max } = options;
        let read = Manifest::read(&env, &dir).unwrap_or_else(|error| {
            tracing::warn!(workspace, %error, "the change log's manifest cannot be read: followers start over");
            None
        });
        let fits = |manifest: &Manifest| {
            let knows = |stream: &LiveStream| {
                let definition = &stream.definition;
                let is_forgotten = definition.incarnation <= manifest.catalog.known_from();
                is_forgotten || manifest.catalog.find(definition.relation, definition.incarnation).is_some()
            };
            manifest.durable <= log_end && manifest.durable >= replayed_from && live.iter().all(knows)
        };
        let had_one = read.is_some();
        let (mut manifest, is_new) = match read.filter(fits) {
            Some(manifest) => (manifest, false),
            None => (Manifest::beginning(Identity(env.rng.next_u64())), true),
        };
        if is_new {
            if had_one {
                tracing::warn!(workspace, "the change log is not of this history: followers start over");
            }
            begin(&mut manifest, replayed_from, live);
            env.disk.create_dir_all(&dir)?;
            if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
                env.disk.sync_dir(above)?;
            }
            manifest.write(&env, &dir)?;
        }
        drop_missing(&env, &dir, &workspace, &mut manifest);
        remove_leftovers(&env, &dir, &manifest);
        let state = State {
            identity: manifest.identity,
            durable: manifest.durable,
            newest: manifest.durable,
            newest_time: TimestampMicros(i64::MIN),
            files: manifest.files,
            catalog: manifest.catalog,
            tail: Tail::default(),
            is_flushing: false,
            retry_at: TimestampMicros(i64::MIN),
        };
        Ok(Arc::new(ChangeLog {
            env,
            dir,
            workspace,
            flush_bytes,
            bytes_max,
            state: Mutex::new(state),
            flushed: Condvar::new(),
            flushing: Mutex::new(()),
            on_flushed: OnceLock::new(),
        }))
    }

    /// From now on this is called when what followers wait for has been written. Only the first call counts.
    pub fn on_flushed(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let _ = self.on_flushed.set(wake);
    }

    /// Takes what a step changed. Steps come in the order of their LSNs; those that are in files already are passed over.
    pub fn append(
        &self,
        lsn: Lsn,
        ingest_time: TimestampMicros,
        deltas: impl IntoIterator<Item = (RelationId, Delta, Order)>,
    ) {
        let mut state = self.state.lock();
        if lsn <= state.durable {
            return;
        }
        let mut commit = Commit::new(lsn, ingest_time);
        for (relation, delta, order) in deltas {
            // Relations whose changes are not kept are not in the catalog.
            if let Some(stream) = state.catalog.live(relation) {
                commit.add_delta(Arc::clone(stream), delta, order);
            }
        }
        commit.sort();
        state.take(commit);
    }

    /// Takes a change of the program: from this LSN on it has these relations. Those that are new or have other columns
    /// begin with the rows that `rows_of` gives; others may change besides.
    pub fn change_streams(
        &self,
        lsn: Lsn,
        ingest_time: TimestampMicros,
        live: Vec<LiveStream>,
        rows_of: impl Fn(RelationId) -> Option<Arc<dyn Scan>>,
        deltas: impl IntoIterator<Item = (RelationId, Delta, Order)>,
    ) {
        let mut state = self.state.lock();
        if lsn <= state.durable {
            return;
        }
        let mut commit = Commit::new(lsn, ingest_time);
        let before: Vec<Arc<StreamDefinition>> =
            state.catalog.selected(&Selection::Everything).cloned().collect();
        let is_live = |old: &StreamDefinition| {
            let same = |new: &LiveStream| new.definition.is_same(old);
            live.iter().any(same)
        };
        for old in before.iter().filter(|old| !is_live(old)) {
            state.catalog.end(old.relation, lsn);
            let goes_on = live.iter().any(|new| new.definition.name == old.name);
            if !goes_on {
                commit.add_end(Arc::clone(old));
            }
        }
        for LiveStream { definition, keep } in live {
            if before.iter().any(|old| old.is_same(&definition)) {
                state.catalog.set_keep(definition.relation, keep);
                continue;
            }
            let replaces = before.iter().any(|old| old.name == definition.name);
            if state.catalog.find(definition.relation, definition.incarnation).is_some() {
                // Its changes were switched off for a while.
                state.catalog.raise_floor(definition.relation, Lsn(lsn.0.saturating_sub(1)));
            }
            let definition = Arc::new(definition);
            state.catalog.add(Arc::clone(&definition), keep);
            let rows = rows_of(definition.relation);
            commit.add_reset(definition, replaces, rows);
        }
        for (relation, delta, order) in deltas {
            if let Some(stream) = state.catalog.live(relation) {
                commit.add_delta(Arc::clone(stream), delta, order);
            }
        }
        commit.sort();
        state.take(commit);
    }

    /// Starts a flush if there is enough to write, and waits for it if there is far too much. The story's thread calls it
    /// between steps.
    pub fn tend(self: &Arc<ChangeLog>) {
        let mut state = self.state.lock();
        let is_due = state.tail.bytes() >= self.flush_bytes || state.tail.holds_up();
        if is_due && !state.is_flushing && self.env.clock.now() >= state.retry_at {
            state.is_flushing = true;
            drop(state);
            let log = Arc::clone(self);
            self.env.disk.background(Box::new(move || log.flush_in_background()));
            state = self.state.lock();
        }
        while state.is_flushing && state.tail.bytes() > limits::CHANGES_TAIL_BYTES_MAX {
            self.flushed.wait(&mut state);
        }
    }

    fn flush_in_background(&self) {
        let result = self.flush();
        let mut state = self.state.lock();
        state.is_flushing = false;
        match result {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(workspace = self.workspace, %error, "changes cannot be written to the change log");
                state.retry_at = self.env.clock.now().plus_micros(RETRY_MICROS);
                self.give_up_oldest(&mut state);
            }
        }
        drop(state);
        self.flushed.notify_all();
        if let Some(wake) = self.on_flushed.get() {
            wake();
        }
    }

    /// Nothing can be written and memory is full: the oldest changes go, which followers are told.
    fn give_up_oldest(&self, state: &mut State) {
        if state.tail.bytes() <= limits::CHANGES_TAIL_BYTES_MAX {
            return;
        }
        let dropped = state.tail.drop_to(limits::CHANGES_TAIL_BYTES_MAX / 2);
        let Some(last) = dropped.last().map(|commit| commit.lsn) else { return };
        for entry in dropped.iter().flat_map(|commit| &commit.entries) {
            state.catalog.raise_floor(entry.stream.relation, last);
        }
        tracing::warn!(
            workspace = self.workspace,
            lsn = last.0,
            "changes up to this LSN are gone for followers"
        );
    }

    /// Makes sure that what changed up to an LSN is in files. Blocks.
    pub fn flush_through(&self, lsn: Lsn) -> std::io::Result<()> {
        if self.state.lock().durable < lsn { self.flush() } else { Ok(()) }
    }

    /// What changed up to here is in files.
    #[must_use]
    pub fn durable_lsn(&self) -> Lsn {
        self.state.lock().durable
    }

    /// Bytes of all files.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.state.lock().files.iter().map(|file| file.bytes).sum()
    }

    /// Memory of what is in no file yet, about.
    #[must_use]
    pub fn tail_bytes(&self) -> usize {
        self.state.lock().tail.bytes()
    }

    /// Whose history this is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.state.lock().identity
    }

    /// Whether changes of the relation of this name are kept.
    #[must_use]
    pub fn is_kept(&self, name: &str) -> bool {
        let state = self.state.lock();
        state.catalog.selected(&Selection::Everything).any(|definition| definition.name.as_str() == name)
    }

    /// Whether the relation of this name has changes from an LSN on, even if it was dropped since.
    #[must_use]
    pub fn is_known(&self, name: &str, from: Lsn) -> bool {
        let state = self.state.lock();
        let mut streams = state.catalog.streams().iter();
        streams.any(|s| s.definition.name.as_str() == name && s.ended_at.is_none_or(|ended| ended >= from))
    }

    /// Those of these relations that are there, by number.
    #[must_use]
    pub fn live_streams(&self, selection: &Selection) -> Vec<Arc<StreamDefinition>> {
        let mut streams: Vec<_> = self.state.lock().catalog.selected(selection).cloned().collect();
        streams.sort_by_key(|stream| stream.relation);
        streams
    }

    /// Whether one of these relations is there.
    #[must_use]
    pub fn any_live(&self, selection: &Selection) -> bool {
        *selection == Selection::All || self.state.lock().catalog.selected(selection).next().is_some()
    }

    /// A reader of these relations' lines behind a position.
    pub fn reader(self: &Arc<ChangeLog>, selection: Selection, position: Position) -> Result<Reader, Gone> {
        self.state.lock().catalog.check(&selection, position)?;
        Ok(Reader::at(Arc::clone(self), selection, position))
    }
}

impl State {
    fn take(&mut self, commit: Commit) {
        self.newest = self.newest.max(commit.lsn);
        self.newest_time = self.newest_time.max(commit.ingest_time);
        if !commit.entries.is_empty() {
            self.tail.push(commit);
        }
    }
}

impl std::fmt::Debug for ChangeLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeLog").field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

/// Nothing is known of what changed up to an LSN, at which the program has these relations.
fn begin(manifest: &mut Manifest, lsn: Lsn, live: Vec<LiveStream>) {
    manifest.durable = lsn;
    manifest.catalog = Catalog::new(Vec::new(), std::collections::BTreeMap::new(), lsn);
    for LiveStream { definition, keep } in live {
        manifest.catalog.raise_floor(definition.relation, lsn);
        manifest.catalog.add(Arc::new(definition), keep);
    }
}

/// Files that are not there, or are not as long as they were, raise the floors of what they held.
fn drop_missing(env: &Env, dir: &Path, workspace: &str, manifest: &mut Manifest) {
    let Manifest { files, catalog, .. } = manifest;
    let found = env.disk.list(dir).unwrap_or_default();
    files.retain(|file| {
        let is_there = found.iter().any(|entry| entry.name == file.name && entry.bytes == file.bytes);
        if !is_there {
            tracing::warn!(workspace, file = file.name, "a file of the change log is missing or cut");
            for relation in file.relations.keys() {
                catalog.raise_floor(*relation, file.last);
            }
        }
        is_there
    });
}

fn remove_leftovers(env: &Env, dir: &Path, manifest: &Manifest) {
    let is_named = |name: &str| name == manifest::FILE || manifest.files.iter().any(|file| file.name == name);
    for entry in env.disk.list(dir).unwrap_or_default().iter().filter(|entry| !is_named(&entry.name)) {
        if let Err(error) = env.disk.remove(&dir.join(&entry.name)) {
            tracing::warn!(file = entry.name, %error, "a needless file of the change log stays until the next start");
        }
    }
}
