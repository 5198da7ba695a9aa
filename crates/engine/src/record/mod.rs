//! What the log's records hold. One kind, one file; the bytes are described in `docs/format.md`.
//!
//! A payload is one protobuf message: fields can be added later without a new format, and unknown fields are skipped.
//! An unknown *kind* is not skipped: recovery stops with a clear line.

mod clock_tick;
mod operation;
mod pause;
mod program_change;
mod request;
mod skip;
mod step;

pub(crate) use clock_tick::{ClockTickRecord, RetentionCut};
pub(crate) use operation::{OperationRecord, batch_schema};
pub(crate) use pause::{PauseRecord, QueuedRecord, ResumeRecord};
pub(crate) use program_change::{ErrorRecord, ModuleRecord, ProgramChangeRecord, RelationRecord};
pub(crate) use request::{RejectedRecord, RequestRecord};
pub(crate) use skip::SkipRecord;
pub(crate) use step::{CountsRecord, Stamp, StepRecord};

use bytes::Bytes;
use prost::Message;

/// Kinds of log records, as the log's frames carry them.
pub(crate) mod kind {
    pub(crate) const STEP: u8 = 1;
    pub(crate) const PROGRAM_CHANGE: u8 = 2;
    pub(crate) const CLOCK_TICK: u8 = 3;
    pub(crate) const PAUSE: u8 = 4;
    pub(crate) const RESUME: u8 = 5;
    pub(crate) const QUEUED: u8 = 6;
    pub(crate) const SKIP: u8 = 7;
    // 8 to 11 are kept for transactions: begin, part, commit, abort.
}

/// One record of the log, decoded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogRecord {
    Step(StepRecord),
    ProgramChange(ProgramChangeRecord),
    ClockTick(ClockTickRecord),
    Pause(PauseRecord),
    Resume(ResumeRecord),
    Queued(QueuedRecord),
    Skip(SkipRecord),
}

/// Why a log record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordReadError {
    /// The kind is not one this version knows.
    #[error("record kind {kind} is unknown to this version; start the newer version that wrote it")]
    UnknownKind {
        /// The kind's number.
        kind: u8,
    },
    /// The payload is not the message its kind says.
    #[error("record payload cannot be decoded: {reason}")]
    Undecodable {
        /// What the decoder said.
        reason: String,
    },
}

impl LogRecord {
    /// The kind's number in the log.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            LogRecord::Step(_) => kind::STEP,
            LogRecord::ProgramChange(_) => kind::PROGRAM_CHANGE,
            LogRecord::ClockTick(_) => kind::CLOCK_TICK,
            LogRecord::Pause(_) => kind::PAUSE,
            LogRecord::Resume(_) => kind::RESUME,
            LogRecord::Queued(_) => kind::QUEUED,
            LogRecord::Skip(_) => kind::SKIP,
        }
    }

    /// The payload's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            LogRecord::Step(record) => record.encode_to_vec(),
            LogRecord::ProgramChange(record) => record.encode_to_vec(),
            LogRecord::ClockTick(record) => record.encode_to_vec(),
            LogRecord::Pause(record) => record.encode_to_vec(),
            LogRecord::Resume(record) => record.encode_to_vec(),
            LogRecord::Queued(record) => record.encode_to_vec(),
            LogRecord::Skip(record) => record.encode_to_vec(),
        }
    }

    /// Reads a payload. Batches inside share `payload`'s memory.
    pub(crate) fn decode(kind: u8, payload: Bytes) -> Result<LogRecord, RecordReadError> {
        fn message<M: Message + Default>(payload: Bytes) -> Result<M, RecordReadError> {
            M::decode(payload).map_err(|error| RecordReadError::Undecodable { reason: error.to_string() })
        }
        Ok(match kind {
            kind::STEP => LogRecord::Step(message(payload)?),
            kind::PROGRAM_CHANGE => LogRecord::ProgramChange(message(payload)?),
            kind::CLOCK_TICK => LogRecord::ClockTick(message(payload)?),
            kind::PAUSE => LogRecord::Pause(message(payload)?),
            kind::RESUME => LogRecord::Resume(message(payload)?),
            kind::QUEUED => LogRecord::Queued(message(payload)?),
            kind::SKIP => LogRecord::Skip(message(payload)?),
            unknown => return Err(RecordReadError::UnknownKind { kind: unknown }),
        })
    }

    /// The requests that take effect with this record.
    pub(crate) fn requests(&self) -> &[RequestRecord] {
        match self {
            LogRecord::Step(record) => &record.requests,
            LogRecord::Resume(record) => &record.requests,
            LogRecord::Queued(_)
            | LogRecord::ProgramChange(_)
            | LogRecord::ClockTick(_)
            | LogRecord::Pause(_)
            | LogRecord::Skip(_) => &[],
        }
    }

    /// What the record adds to the counters.
    pub(crate) fn counts(&self) -> &[CountsRecord] {
        match self {
            LogRecord::Step(record) => &record.counts,
            LogRecord::Resume(record) => &record.counts,
            LogRecord::Queued(record) => &record.counts,
            LogRecord::Skip(record) => &record.counts,
            LogRecord::ProgramChange(_) | LogRecord::ClockTick(_) | LogRecord::Pause(_) => &[],
        }
    }

    /// Records refused with this record, and their endpoints: what it adds to quarantine.
    pub(crate) fn rejected(&self) -> Vec<(&str, &RejectedRecord)> {
        fn of(requests: &[RequestRecord]) -> Vec<(&str, &RejectedRecord)> {
            let of_request = |request| {
                let request: &RequestRecord = request;
                request.rejected.iter().map(|r| (request.endpoint.as_str(), r))
            };
            requests.iter().flat_map(of_request).collect()
        }
        match self {
            LogRecord::Step(record) => of(&record.requests),
            LogRecord::Resume(record) => of(&record.requests),
            LogRecord::Queued(record) => of(&record.requests),
            LogRecord::Skip(record) => {
                record.rejected.iter().map(|r| (record.endpoint.as_str(), r)).collect()
            }
            LogRecord::ProgramChange(_) | LogRecord::ClockTick(_) | LogRecord::Pause(_) => Vec::new(),
        }
    }

    /// What every record says about its moment.
    pub(crate) fn stamp(&self) -> Stamp {
        let stamp = match self {
            LogRecord::Step(record) => record.stamp,
            LogRecord::ProgramChange(record) => record.stamp,
            LogRecord::ClockTick(record) => record.stamp,
            LogRecord::Pause(record) => record.stamp,
            LogRecord::Resume(record) => record.stamp,
            LogRecord::Queued(record) => record.stamp,
            LogRecord::Skip(record) => record.stamp,
        };
        stamp.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
