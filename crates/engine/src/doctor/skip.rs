use std::path::{Path, PathBuf};

use headwater_env::{Env, LockError};
use headwater_log::{AppendError, FileLog, LogOptions, LogStore, NewRecord, ReadError};
use headwater_types::{Lsn, TimestampMicros};

use crate::engine::{Budget, EngineOptions, OpenError, listed_workspaces};
use crate::record::{LogRecord, RecordReadError, SkipRecord, Stamp};
use crate::story::keep::log_dir;
use crate::story::publish::changes_dir;

/// Why no step was voided. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// A server holds the data folder.
    #[error("data folder {} is in use by another process", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The list of workspaces cannot be read.
    #[error(transparent)]
    System(#[from] OpenError),
    /// There is no workspace of this name.
    #[error("workspace {name:?} does not exist; there are: {}", known.join(", "))]
    UnknownWorkspace {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] headwater_log::OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordReadError),
    /// The log holds no such step.
    #[error("LSN {lsn} is not a step in the log, which reaches from {first} to before {next}")]
    NoStep {
        /// The LSN asked for.
        lsn: Lsn,
        /// The log's first.
        first: Lsn,
        /// The LSN after its last.
        next: Lsn,
    },
    /// The step is void already.
    #[error("step {lsn} is void already")]
    AlreadySkipped {
        /// The step.
        lsn: Lsn,
    },
    /// The skip record could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The disk failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Voids one step of a workspace that cannot be opened because of it: its records, counts, answers and idempotency keys
/// are as if they had never come. Returns how many records that were. The step itself stays in the log.
pub fn skip(env: &Env, data_dir: &Path, workspace: &str, lsn: Lsn) -> Result<u64, SkipError> {
    let _lock = env.disk.lock(&data_dir.join("LOCK")).map_err(|error| match error {
        LockError::Held => SkipError::Locked { dir: data_dir.to_owned() },
        LockError::Io(error) => SkipError::Io(error),
    })?;
    let options = EngineOptions {
        data_dir: data_dir.to_owned(),
        env: env.clone(),
        test_hooks: false,
        log: None,
        snapshot_log_bytes: None,
        budget: Budget { housekeeping: false, ..Budget::default() },
    };
    let listed = listed_workspaces(&options)?;
    let found = listed.iter().find(|(_, name)| name == workspace);
    let (id, _) = found.ok_or_else(|| SkipError::UnknownWorkspace {
        name: workspace.to_owned(),
        known: listed.iter().map(|(_, name)| name.clone()).collect(),
    })?;
    let dir = data_dir.join("workspaces").join(id.to_string());
    let log_options = LogOptions::for_volume(env.disk.available_bytes(&dir)?);
    let (mut log, _) = FileLog::open(env, &log_dir(&dir), log_options)?;
    let step = find_step(&log, lsn)?;
    let records = step.requests().iter().map(|request| request.received).sum();
    let record = LogRecord::Skip(SkipRecord {
        stamp: Some(later(step.stamp(), env.clock.now())),
        skipped_lsn: lsn.0,
        ..SkipRecord::default()
    });
    // Followers may have been told what the step changed: they start over.
    let changes = changes_dir(&dir);
    if env.disk.exists(&changes) {
        env.disk.remove_dir_all(&changes)?;
        env.disk.sync_dir(&dir)?;
    }
    let next = log.next_lsn();
    log.append(next, &[NewRecord { kind: record.kind(), payload: &[&record.encode()] }])?;
    Ok(records)
}

/// Clocks of a record never go back, so the skip record's are at least those of the newest record before it.
fn later(newest: Stamp, now: TimestampMicros) -> Stamp {
    Stamp { ingest_time: newest.ingest_time.max(now.0), ..newest }
}

fn find_step(log: &FileLog, lsn: Lsn) -> Result<LogRecord, SkipError> {
    let mut step = None;
    let mut newest = Stamp::default();
    for record in log.read_from(log.first_lsn())? {
        let record = record?;
        let at = record.lsn;
        let decoded = LogRecord::decode(record.kind, record.payload)?;
        newest = decoded.stamp();
        match decoded {
            LogRecord::Skip(skip) if skip.skipped_lsn == lsn.0 => {
                return Err(SkipError::AlreadySkipped { lsn });
            }
            LogRecord::Step(found) if at == lsn => step = Some(found),
            _ => {}
        }
    }
    let (first, next) = (log.first_lsn(), log.next_lsn());
    let mut step = step.ok_or(SkipError::NoStep { lsn, first, next })?;
    // The caller writes the next record: its clocks follow the newest, not the step's.
    step.stamp = Some(newest);
    Ok(LogRecord::Step(step))
}
