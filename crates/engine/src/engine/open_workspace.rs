use std::path::Path;
use std::sync::Arc;

use headwater_log::{FileLog, LogOptions, LogStore, Recovery};
use headwater_sql::CompileOptions;
use headwater_types::{Name, TimestampMicros};

use super::{EngineOptions, OpenError, folder};
use crate::push::PushAnswer;
use crate::record::LogRecord;
use crate::story::keep::{Keeper, RecoverError, Recovered, log_dir, recover};
use crate::story::order::Taken;
use crate::story::{commit::Committer, reply, skip};
use crate::workspace::core::Core;
use crate::workspace::program_turns::ProgramTurns;
use crate::workspace::{Shared, Workspace};

/// Bytes of log after which snapshots are written, unless the options say otherwise or the volume is small.
const SNAPSHOT_LOG_BYTES: u64 = 64 << 20;
/// The same in segments, whose size follows the volume's: an eighth of it at most is log that snapshots make needless.
const SNAPSHOT_LOG_SEGMENTS: u64 = 8;

/// Opens one workspace: its log, its snapshots, its thread.
pub(super) fn open_workspace(
    options: &EngineOptions,
    dir: &Path,
    name: Name,
    id: u64,
) -> Result<Workspace, OpenError> {
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
    shared.memory.tell_held(core.state.memory_bytes());
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
