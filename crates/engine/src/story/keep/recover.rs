//! Opening a workspace: its newest snapshots, then its log, through the same code that took it in.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::sealed::SealedError;
use headwater_log::{LogStore, ReadError};
use headwater_relation::Relation;
use headwater_sql::CompileOptions;

use headwater_types::{Decoded, Delta, Lsn, ProgramVersion, TimestampMicros};

use super::manifest::{Manifest, read_manifest};
use super::rows_file::read_rows;
use super::snapshot_dir;
use super::state_file::{StateRead, read_state};
use crate::clock::{ClockMode, Clocks};
use crate::program::{ERROR_VIEW, QUARANTINE, RelationId, RestoreProgramError, RunningProgram};
use crate::record::{LogRecord, ProgramChangeRecord, RecordReadError, RequestRecord, kind};
use crate::state::{FillError, State, filled_circuit, table_relation, view_relation};
use crate::story::apply::{Applied, ApplyError, apply, error_rows};
use crate::story::control::{cut_changes, operations_of};
use crate::story::order::{NetChange, NetChanges, TableChange};
use crate::story::program_change;
use crate::story::reply::settle;

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A snapshot or the manifest is damaged.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A record of the log cannot be read.
    #[error("log record {lsn}: {source}")]
    Record {
        /// Its number.
        lsn: Lsn,
        /// What is wrong.
        source: RecordReadError,
    },
    /// The log does not begin where the snapshots end.
    #[error(
        "the log begins at LSN {first} but the snapshots end at LSN {snapshots}; restore the missing files from a backup"
    )]
    Gap {
        /// The first LSN of the log.
        first: Lsn,
        /// The oldest LSN of the snapshots.
        snapshots: Lsn,
    },
    /// The log ends before the snapshots.
    #[error(
        "the log ends before LSN {next} but the snapshots hold LSN {snapshots}; restore the missing files from a backup"
    )]
    LogTooShort {
        /// The next LSN of the log.
        next: Lsn,
        /// The newest LSN of the snapshots.
        snapshots: Lsn,
    },
    /// A stored relation has no snapshot although it is older than the snapshots.
    #[error("relation {relation} has no snapshot in the manifest; restore the manifest from a backup")]
    NoRows {
        /// Its number.
        relation: u32,
    },
    /// The logged program cannot be run.
    #[error("LSN {lsn}: {reason}")]
    Program {
        /// Where.
        lsn: Lsn,
        /// Why.
        reason: String,
    },
    /// A step that had been published cannot be applied again.
    #[error(
        "step {lsn} was published but cannot be applied again: {reason}; if its records may be lost, run `headwater doctor skip {lsn}`"
    )]
    Step {
        /// Which.
        lsn: Lsn,
        /// Why.
        reason: String,
    },
}

impl RecoverError {
    fn restore(lsn: Lsn, error: &RestoreProgramError) -> RecoverError {
        RecoverError::Program { lsn, reason: error.to_string() }
    }

    fn fill(lsn: Lsn, error: &FillError) -> RecoverError {
        RecoverError::Program { lsn, reason: error.to_string() }
    }
}

/// A workspace as its files say.
pub(crate) struct Recovered {
    pub state: State,
    pub manifest: Manifest,
    /// The newest step, if applying it panicked before anybody could have seen it: it is to be skipped.
    pub panicked: Option<(Lsn, LogRecord, String)>,
}

/// Brings a workspace to the end of its log.
pub(crate) fn recover(
    env: &Env,
    workspace: &Path,
    log: &dyn LogStore,
    options: &CompileOptions,
) -> Result<Recovered, RecoverError> {
    let manifest = read_manifest(env, workspace)?;
    check_ends(&manifest, log)?;
    let from = manifest.oldest_lsn().next();
    let replay =
        Replay { voided: voided(log, from)?, options, newest: Lsn(log.next_lsn().0.saturating_sub(1)) };
    let mut state = if manifest.state_file.is_empty() {
        State::new()
    } else {
        restore_state(env, workspace, &manifest, options)?
    };
    let lagging: HashMap<u32, Lsn> = manifest
        .rows
        .iter()
        .filter(|entry| Lsn(entry.lsn) < manifest.state_lsn)
        .map(|entry| (entry.relation, Lsn(entry.lsn)))
        .collect();
    let mut panicked = None;
    let mut is_filled = false;
    for record in log.read_from(from.max(log.first_lsn()))? {
        let record = record?;
        let lsn = record.lsn;
        let is_void = replay.voided.contains(&lsn);
        let decode = || {
            LogRecord::decode(record.kind, record.payload.clone())
                .map_err(|source| RecoverError::Record { lsn, source })
        };
        if lsn <= manifest.state_lsn {
            if !is_void && !lagging.is_empty() {
                bring_forward(&mut state, &lagging, lsn, &decode()?)?;
            }
            continue;
        }
        if !is_filled {
            fill(&mut state)?;
            is_filled = true;
        }
        if is_void {
            state.lsn = lsn;
            continue;
        }
        panicked = replay.step(&mut state, lsn, decode()?)?;
    }
    if !is_filled {
        fill(&mut state)?;
    }
    remove_leftovers(env, workspace, &manifest);
    Ok(Recovered { state, manifest, panicked })
}

/// Removes what the manifest does not name: files of a round that a crash cut short, and of rounds before the last one.
fn remove_leftovers(env: &Env, workspace: &Path, manifest: &Manifest) {
    let dir = snapshot_dir(workspace);
    // There is no folder before the first round.
    let Ok(entries) = env.disk.list(&dir) else { return };
    for entry in entries.iter().filter(|entry| !manifest.files().contains(&entry.name.as_str())) {
        if let Err(error) = env.disk.remove(&dir.join(&entry.name)) {
            tracing::warn!(file = entry.name, %error, "a needless snapshot stays until the next start");
        }
    }
}

fn check_ends(manifest: &Manifest, log: &dyn LogStore) -> Result<(), RecoverError> {
    let (first, next) = (log.first_lsn(), log.next_lsn());
    if first > manifest.oldest_lsn().next() {
        return Err(RecoverError::Gap { first, snapshots: manifest.oldest_lsn() });
    }
    if next <= manifest.state_lsn {
        return Err(RecoverError::LogTooShort { next, snapshots: manifest.state_lsn });
    }
    Ok(())
}

/// The steps that skip records void.
fn voided(log: &dyn LogStore, from: Lsn) -> Result<HashSet<Lsn>, RecoverError> {
    let mut voided = HashSet::new();
    for record in log.read_from(from.max(log.first_lsn()))? {
        let record = record?;
        if record.kind == kind::SKIP {
            let lsn = record.lsn;
            let decoded = LogRecord::decode(record.kind, record.payload)
                .map_err(|source| RecoverError::Record { lsn, source })?;
            if let LogRecord::Skip(skip) = decoded {
                voided.insert(Lsn(skip.skipped_lsn));
            }
        }
    }
    Ok(voided)
}

fn restore_state(
    env: &Env,
    workspace: &Path,
    manifest: &Manifest,
    options: &CompileOptions,
) -> Result<State, RecoverError> {
    let dir = snapshot_dir(workspace);
    let read: StateRead = read_state(env, &dir.join(&manifest.state_file))?;
    let mut program = RunningProgram::restore(read.version, &read.modules, &read.relations, options)
        .map_err(|error| RecoverError::restore(read.lsn, &error))?;
    program.next_relation = program.next_relation.max(read.next_relation);
    let mut state = State::new();
    let load = |id: RelationId, rows: Relation, keyed: bool| load_rows(env, &dir, manifest, id, rows, keyed);
    for table in &program.tables {
        let keyed = table.definition.has_primary_key();
        state.tables.push(table_relation(table).map(|rows| load(table.id, rows, keyed)).transpose()?);
    }
    for view in &program.views {
        let rows = view_relation(view);
        state.views.push(if view.from_unkept { load(view.id, rows, false)? } else { rows });
    }
    let quarantine = Relation::new(Arc::clone(state.quarantine.rows().schema()), Vec::new());
    state.quarantine.restore(load(QUARANTINE, quarantine, false)?);
    let error_view = Relation::new(Arc::clone(state.error_view.rows().schema()), Vec::new());
    state.error_view.restore(load(ERROR_VIEW, error_view, false)?);
    state.lsn = read.lsn;
    state.clocks = read.clocks;
    state.program = Arc::new(program);
    state.counters.add(&read.counts);
    state.paused = read.paused;
    state.queue(&read.queued);
    for entry in read.keys {
        state.idempotency.remember(entry);
    }
    Ok(state)
}

fn load_rows(
    env: &Env,
    dir: &Path,
    manifest: &Manifest,
    id: RelationId,
    mut rows: Relation,
    keyed: bool,
) -> Result<Relation, RecoverError> {
    let entry = manifest.entry(id.0).ok_or(RecoverError::NoRows { relation: id.0 })?;
    let schema = Arc::clone(rows.schema());
    let path = dir.join(&entry.file);
    let mut refused = None;
    read_rows(env, &path, id.0, &schema, |batch| {
        let change = if keyed {
            Ok(rows.prepare_keyed(Vec::new(), batch))
        } else {
            rows.prepare_multiset(&Delta::inserted(batch))
        };
        match change {
            Ok(change) => rows.publish(change),
            Err(error) => refused = Some(error.to_string()),
        }
    })?;
    match refused {
        None => Ok(rows),
        Some(reason) => Err(RecoverError::Program { lsn: manifest.state_lsn, reason }),
    }
}

/// Builds the circuit over the tables as they are; views that follow from kept rows get theirs from it.
fn fill(state: &mut State) -> Result<(), RecoverError> {
    let lsn = state.lsn;
    let program = Arc::clone(&state.program);
    let tables: Vec<Option<&Relation>> = state.tables.iter().map(Option::as_ref).collect();
    let views = &mut state.views;
    let filled = filled_circuit(
        &program,
        &tables,
        |_| false,
        |name, delta| {
            let view = program.views.iter().position(|view| view.definition.name == *name);
            let Some(view) = view.filter(|view| !program.views[*view].from_unkept) else { return Ok(()) };
            let inconsistent = |reason: String| FillError::Inconsistent { view: name.clone(), reason };
            let change =
                views[view].prepare_multiset(&delta).map_err(|error| inconsistent(error.to_string()))?;
            views[view].publish(change);
            Ok(())
        },
    );
    state.circuit = filled.map_err(|error| RecoverError::fill(lsn, &error))?.circuit;
    Ok(())
}

/// Applies a record that is older than the state file to the tables whose snapshots are older still.
fn bring_forward(
    state: &mut State,
    lagging: &HashMap<u32, Lsn>,
    lsn: Lsn,
    record: &LogRecord,
) -> Result<(), RecoverError> {
    let lags = |relation: u32| lagging.get(&relation).is_some_and(|snapshot| *snapshot < lsn);
    let mut changes = match record {
        LogRecord::ClockTick(tick) => {
            let cuts: Vec<_> = tick.cuts.iter().filter(|cut| lags(cut.relation)).cloned().collect();
            cut_changes(&state.program, &state.tables, &cuts)
        }
        other => net_changes(state, other.requests(), lsn, lags)?,
    };
    for (table, change) in std::mem::take(&mut changes.tables) {
        state.changed_at.insert(state.program.tables[table].id, lsn);
        let Some(rows) = &mut state.tables[table] else { continue };
        let prepared = match change {
            TableChange::Keyed { removed, inserted, .. } => rows.prepare_keyed(removed, inserted),
            TableChange::Multiset(delta) => rows
                .prepare_multiset(&delta)
                .map_err(|error| RecoverError::Step { lsn, reason: error.to_string() })?,
        };
        rows.publish(prepared);
    }
    Ok(())
}

/// What logged requests do to tables, by the code that ordered them.
fn net_changes(
    state: &State,
    requests: &[RequestRecord],
    lsn: Lsn,
    wanted: impl Fn(u32) -> bool,
) -> Result<NetChanges, RecoverError> {
    let mut decoded = Decoded::default();
    for request in requests {
        let operations =
            operations_of(request, &state.program).map_err(|source| RecoverError::Record { lsn, source })?;
        decoded.operations.extend(operations);
    }
    decoded.operations.retain(|operation| wanted(state.program.tables[operation.table].id.0));
    let mut net = NetChange::new(&state.program, &state.tables, std::iter::once(&decoded));
    let mut operations = decoded.operations.clone();
    let absent = net.add(&mut operations, false);
    match absent.first() {
        None => Ok(net.finish()),
        Some(error) => Err(RecoverError::Step { lsn, reason: error.message.clone() }),
    }
}

struct Replay<'a> {
    voided: HashSet<Lsn>,
    options: &'a CompileOptions,
    newest: Lsn,
}

impl Replay<'_> {
    /// Takes one record again. Returns the newest step if it panics: nobody has seen it yet.
    fn step(
        &self,
        state: &mut State,
        lsn: Lsn,
        record: LogRecord,
    ) -> Result<Option<(Lsn, LogRecord, String)>, RecoverError> {
        let clocks = clocks_of(state, &record);
        let changes = match &record {
            LogRecord::ProgramChange(change) => {
                self.change_program(state, lsn, change, clocks, &record)?;
                return Ok(None);
            }
            LogRecord::ClockTick(tick) => cut_changes(&state.program, &state.tables, &tick.cuts),
            other => net_changes(state, other.requests(), lsn, |_| true)?,
        };
        match apply(state, changes, lsn, clocks.ingest_time) {
            Ok(applied) => {
                settle(state, lsn, clocks, &record, applied);
                Ok(None)
            }
            Err(ApplyError::Panicked(reason)) if lsn == self.newest => Ok(Some((lsn, record, reason))),
            Err(error) => Err(RecoverError::Step { lsn, reason: error.to_string() }),
        }
    }

    fn change_program(
        &self,
        state: &mut State,
        lsn: Lsn,
        change: &ProgramChangeRecord,
        clocks: Clocks,
        record: &LogRecord,
    ) -> Result<(), RecoverError> {
        let version = ProgramVersion(change.version);
        let mut program = RunningProgram::restore(version, &change.modules, &change.relations, self.options)
            .map_err(|error| RecoverError::restore(lsn, &error))?;
        program.next_relation = program.next_relation.max(state.program.next_relation);
        let transition =
            program_change::prepare(state, program).map_err(|error| RecoverError::fill(lsn, &error))?;
        let errors = program_change::logged_errors(change);
        let error_view = error_rows(&errors, 0, lsn, clocks.ingest_time);
        transition.settle(state);
        settle(state, lsn, clocks, record, Applied { error_view, ..Applied::default() });
        Ok(())
    }
}

fn clocks_of(state: &State, record: &LogRecord) -> Clocks {
    let stamp = record.stamp();
    let mode = match record {
        LogRecord::ClockTick(tick) => ClockMode::from_code(tick.mode).unwrap_or(state.clocks.mode),
        _ => state.clocks.mode,
    };
    Clocks {
        mode,
        ingest_time: TimestampMicros(stamp.ingest_time),
        workspace: TimestampMicros(stamp.workspace_clock),
    }
}
