use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::sealed::{SealedError, SealedReader, SealedWriter};
use headwater_types::{Lsn, ProgramVersion, RecordError, TimestampMicros};
use prost::Message;

use crate::clock::{ClockMode, Clocks};
use crate::idempotency::Remembered;
use crate::push::PushAnswer;
use crate::record::{CountsRecord, ModuleRecord, RejectedRecord, RelationRecord, RequestRecord};
use crate::state::State;

/// The kind of sealed file that holds a workspace's state beside its rows.
pub(super) const KIND: u32 = 0x11;
/// Idempotency entries of one block.
const BLOCK_ENTRIES: usize = 1_024;

/// The first block: everything but the idempotency keys.
#[derive(Clone, PartialEq, Message)]
struct StateRecord {
    #[prost(uint64, tag = "1")]
    lsn: u64,
    #[prost(sint64, tag = "2")]
    ingest_time: i64,
    #[prost(sint64, tag = "3")]
    workspace_clock: i64,
    #[prost(uint32, tag = "4")]
    clock_mode: u32,
    #[prost(uint64, tag = "5")]
    program_version: u64,
    #[prost(message, repeated, tag = "6")]
    modules: Vec<ModuleRecord>,
    #[prost(message, repeated, tag = "7")]
    relations: Vec<RelationRecord>,
    #[prost(uint32, tag = "8")]
    next_relation: u32,
    #[prost(message, repeated, tag = "9")]
    counts: Vec<CountsRecord>,
    #[prost(bool, tag = "10")]
    paused: bool,
    #[prost(message, repeated, tag = "11")]
    queued: Vec<RequestRecord>,
}

/// Each further block: idempotency keys, oldest first.
#[derive(Clone, PartialEq, Message)]
struct KeysRecord {
    #[prost(message, repeated, tag = "1")]
    keys: Vec<KeyRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyRecord {
    #[prost(string, tag = "1")]
    key_id: String,
    #[prost(string, tag = "2")]
    key: String,
    #[prost(bytes = "bytes", tag = "3")]
    body_hash: bytes::Bytes,
    #[prost(sint64, tag = "4")]
    ingest_time: i64,
    #[prost(uint64, tag = "5")]
    lsn: u64,
    #[prost(uint64, tag = "6")]
    received: u64,
    #[prost(uint64, tag = "7")]
    applied: u64,
    #[prost(uint64, tag = "8")]
    rejected: u64,
    #[prost(message, repeated, tag = "9")]
    errors: Vec<RejectedRecord>,
    #[prost(bool, tag = "10")]
    applied_now: bool,
}

/// What a workspace knows beside its rows, taken at one LSN: cheap to take, written elsewhere.
pub(crate) struct StateSnapshot {
    record: StateRecord,
    keys: Vec<Arc<Vec<Arc<Remembered>>>>,
}

/// The same, read back.
pub(crate) struct StateRead {
    pub lsn: Lsn,
    pub clocks: Clocks,
    pub version: ProgramVersion,
    pub modules: Vec<ModuleRecord>,
    pub relations: Vec<RelationRecord>,
    pub next_relation: u32,
    pub counts: Vec<CountsRecord>,
    pub paused: bool,
    pub queued: Vec<RequestRecord>,
    pub keys: Vec<Remembered>,
}

impl StateSnapshot {
    pub(crate) fn of(state: &State) -> StateSnapshot {
        let record = StateRecord {
            lsn: state.lsn.0,
            ingest_time: state.clocks.ingest_time.0,
            workspace_clock: state.clocks.workspace.0,
            clock_mode: state.clocks.mode.code(),
            program_version: state.program.version.0,
            modules: state.program.module_records(),
            relations: state.program.relation_records(),
            next_relation: state.program.next_relation,
            counts: state.counters.to_records(),
            paused: state.paused,
            queued: state.queued.clone(),
        };
        StateSnapshot { record, keys: state.idempotency.entries() }
    }

    pub(crate) fn write(&self, env: &Env, path: &Path) -> std::io::Result<u64> {
        let mut writer = SealedWriter::create(env, path, KIND)?;
        writer.block(&self.record.encode_to_vec())?;
        for bucket in &self.keys {
            for entries in bucket.chunks(BLOCK_ENTRIES) {
                let keys = entries.iter().map(|entry| key_record(entry)).collect();
                writer.block(&KeysRecord { keys }.encode_to_vec())?;
            }
        }
        writer.finish()
    }
}

/// Reads a state file.
pub(crate) fn read_state(env: &Env, path: &Path) -> Result<StateRead, SealedError> {
    let damaged = |reason| SealedError::Damaged { path: path.to_owned(), offset: 0, reason };
    let mut reader = SealedReader::open(env, path, KIND)?;
    let mut state = first_block(&mut reader, path)?;
    for block in reader {
        let block = KeysRecord::decode(block?).map_err(|_| damaged("its keys cannot be decoded"))?;
        state.keys.extend(block.keys.into_iter().map(remembered));
    }
    Ok(state)
}

/// Reads a state file without its idempotency keys, which are most of it.
pub(crate) fn read_head(env: &Env, path: &Path) -> Result<StateRead, SealedError> {
    first_block(&mut SealedReader::open(env, path, KIND)?, path)
}

fn first_block(reader: &mut SealedReader, path: &Path) -> Result<StateRead, SealedError> {
    let damaged = |reason| SealedError::Damaged { path: path.to_owned(), offset: 0, reason };
    let block = reader.next().ok_or_else(|| damaged("it holds no state"))??;
    let record = StateRecord::decode(block).map_err(|_| damaged("its state cannot be decoded"))?;
    let mode = ClockMode::from_code(record.clock_mode).ok_or_else(|| damaged("its clock mode is unknown"))?;
    Ok(StateRead {
        lsn: Lsn(record.lsn),
        clocks: Clocks {
            mode,
            ingest_time: TimestampMicros(record.ingest_time),
            workspace: TimestampMicros(record.workspace_clock),
        },
        version: ProgramVersion(record.program_version),
        modules: record.modules,
        relations: record.relations,
        next_relation: record.next_relation,
        counts: record.counts,
        paused: record.paused,
        queued: record.queued,
        keys: Vec::new(),
    })
}

fn key_record(entry: &Remembered) -> KeyRecord {
    KeyRecord {
        key_id: entry.key_id.clone(),
        key: entry.key.clone(),
        body_hash: entry.body_hash.to_vec().into(),
        ingest_time: entry.ingest_time.0,
        lsn: entry.answer.lsn.0,
        received: entry.answer.received,
        applied: entry.answer.applied,
        rejected: entry.answer.rejected,
        errors: entry.answer.errors.iter().map(RejectedRecord::of).collect(),
        applied_now: entry.answer.applied_now,
    }
}

fn remembered(record: KeyRecord) -> Remembered {
    let errors: Vec<RecordError> = record.errors.iter().filter_map(RejectedRecord::to_error).collect();
    Remembered {
        key_id: record.key_id,
        key: record.key,
        body_hash: record.body_hash.as_ref().try_into().unwrap_or_default(),
        ingest_time: TimestampMicros(record.ingest_time),
        answer: PushAnswer {
            lsn: Lsn(record.lsn),
            received: record.received,
            applied: record.applied,
            rejected: record.rejected,
            errors,
            applied_now: record.applied_now,
            duplicate: false,
        },
    }
}
