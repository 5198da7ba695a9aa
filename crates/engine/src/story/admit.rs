//! Decoding happens on the threads of those who push, side by side, under the program they find published.

use std::sync::Arc;

use headwater_codec::{OperationName, decode_mixed, decode_table};
use headwater_types::{Decoded, IfAbsent, OperationKind, ProgramVersion, RecordError, limits};
use tokio::sync::oneshot;

use crate::program::RunningProgram;
use crate::push::{IfPaused, OnError, PushAnswer, PushError, PushRequest, PushTarget};
use crate::record::OperationRecord;

/// Bytes of an operation's record beside its rows, generously.
const RECORD_OVERHEAD_BYTES: usize = 64;
/// Bytes of a request's record beside its operations, generously.
const REQUEST_OVERHEAD_BYTES: usize = 1_024;

/// A request that may be ordered: decoded, validated, and encoded for the log.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The program it was decoded under. Under another one it must be decoded again.
    pub program_version: ProgramVersion,
    /// Its good records.
    pub decoded: Decoded,
    /// The same, as the log will hold them: one for each operation in `decoded`.
    pub records: Vec<OperationRecord>,
    /// BLAKE3 of target, options and body, if it has an idempotency key.
    pub body_hash: Option<[u8; 32]>,
    /// What the log will hold of it, in bytes.
    pub log_bytes: usize,
    /// What becomes of it if a record cannot be.
    pub on_error: OnError,
    /// What becomes of it while the workspace is paused.
    pub if_paused: IfPaused,
    /// The client's key.
    pub idempotency_key: Option<String>,
    /// The door it came through.
    pub endpoint: String,
    /// The API key's id.
    pub key_id: String,
    /// The beginning of its body, for quarantine should its step have to be skipped.
    pub body_head: String,
}

impl Admitted {
    /// Whether it may make the workspace larger. What only deletes does not.
    pub(crate) fn adds_rows(&self) -> bool {
        let deletes =
            |kind: &OperationKind| matches!(kind, OperationKind::DeleteRow | OperationKind::DeleteKey);
        !self.decoded.operations.iter().all(|operation| deletes(&operation.kind))
    }
}

/// An admitted request and the one who waits for its answer.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub admitted: Admitted,
    pub reply: oneshot::Sender<Reply>,
}

/// How a ticket ends.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It was taken, durably, and what it did can be read.
    Taken(PushAnswer),
    /// It was not taken.
    Refused(PushError),
    /// The program changed since it was decoded: decode it again.
    Stale,
}

/// Decodes and validates a request under this program.
pub(crate) fn admit(
    request: &PushRequest,
    program: &RunningProgram,
    workspace: &str,
) -> Result<Admitted, PushError> {
    passed!("admit");
    check_idempotency_key(request.idempotency_key.as_deref())?;
    let mut decoded = decode(request, program, workspace)?;
    let bad = decoded.errors.len() as u64;
    let refused = match request.on_error {
        OnError::RejectRequest => bad > 0,
        OnError::Skip => bad > 0 && bad == decoded.received,
    };
    if refused {
        return Err(records_refused(std::mem::take(&mut decoded.errors), decoded.received));
    }
    let relation = |table: usize| program.tables.get(table).map_or(0, |table| table.id.0);
    let records: Vec<OperationRecord> =
        decoded.operations.iter().map(|op| OperationRecord::of(op, relation(op.table))).collect();
    // What is refused is logged too, as far as quarantine keeps it; the rest is only counted.
    decoded.errors.truncate(limits::QUARANTINE_PER_REQUEST_MAX);
    let log_bytes = records.iter().map(|record| record.batch.len() + RECORD_OVERHEAD_BYTES).sum::<usize>()
        + decoded.errors.iter().map(error_bytes).sum::<usize>()
        + REQUEST_OVERHEAD_BYTES;
    Ok(Admitted {
        program_version: program.version,
        decoded,
        records,
        body_hash: request.idempotency_key.as_ref().map(|_| body_hash(request)),
        log_bytes,
        on_error: request.on_error,
        if_paused: request.if_paused,
        idempotency_key: request.idempotency_key.clone(),
        endpoint: request.endpoint.clone(),
        key_id: request.key_id.clone(),
        body_head: head(request),
    })
}

/// The refusal that lists these bad records.
pub(crate) fn records_refused(mut errors: Vec<RecordError>, received: u64) -> PushError {
    let total = errors.len() as u64;
    errors.truncate(limits::ERRORS_PER_ANSWER_MAX);
    PushError::RecordsRefused { errors, total, received }
}

fn check_idempotency_key(key: Option<&str>) -> Result<(), PushError> {
    let max = limits::IDEMPOTENCY_KEY_BYTES_MAX;
    match key {
        Some(key) if key.is_empty() || key.len() > max => {
            Err(PushError::IdempotencyKeyLength { bytes: key.len(), max })
        }
        _ => Ok(()),
    }
}

fn decode(request: &PushRequest, program: &RunningProgram, workspace: &str) -> Result<Decoded, PushError> {
    let definitions: Vec<Arc<_>> = program.table_definitions();
    match &request.target {
        PushTarget::Mixed => Ok(decode_mixed(&request.body, &definitions)?),
        PushTarget::Table(name) => {
            let table = program.table_index(name).ok_or_else(|| PushError::UnknownTable {
                name: name.clone(),
                workspace: workspace.to_owned(),
                known: definitions.iter().map(|definition| definition.name.to_string()).collect(),
            })?;
            Ok(decode_table(&request.body, request.format, &definitions, table, &request.options)?)
        }
    }
}

fn error_bytes(error: &RecordError) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    error.payload.len()
        + error.message.len()
        + optional(&error.hint)
        + optional(&error.column)
        + RECORD_OVERHEAD_BYTES
}

/// A key stands for one request: the same body for another table, or with other options, is another request.
pub(crate) fn body_hash(request: &PushRequest) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(options_text(request).as_bytes());
    hasher.update(&request.body);
    *hasher.finalize().as_bytes()
}

/// Target and options in words that never change: hashes of them are kept over upgrades.
fn options_text(request: &PushRequest) -> String {
    let (target, table) = match &request.target {
        PushTarget::Table(name) => ("table", name.as_str()),
        PushTarget::Mixed => ("mixed", ""),
    };
    let operation = match request.options.operation {
        OperationName::Insert => "insert",
        OperationName::Upsert => "upsert",
        OperationName::Delete => "delete",
        OperationName::Patch => "patch",
    };
    let if_absent = match request.options.if_absent {
        IfAbsent::Error => "error",
        IfAbsent::Ignore => "ignore",
        IfAbsent::Insert => "insert",
    };
    let on_error = match request.on_error {
        OnError::RejectRequest => "reject_request",
        OnError::Skip => "skip",
    };
    format!("{target} {} {table} {operation} {if_absent} {on_error}\n", table.len())
}

/// The beginning of a body that is text.
fn head(request: &PushRequest) -> String {
    let body = &request.body;
    if request.format.is_binary() {
        return format!("{} bytes of {:?}", body.len(), request.format);
    }
    let end = body.len().min(limits::QUARANTINE_PAYLOAD_BYTES_MAX);
    String::from_utf8_lossy(&body[..end]).into_owned()
}
