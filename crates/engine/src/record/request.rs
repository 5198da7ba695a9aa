use headwater_types::{RecordError, RecordErrorCode};

use super::operation::OperationRecord;

/// One request of a step.
///
/// Tags 9 (byte offset, record offset and running hash of a part of an upload) and 10 (results of user Python by record
/// identity) are kept for later use.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RequestRecord {
    /// The door it came through.
    #[prost(string, tag = "1")]
    pub endpoint: String,
    /// The API key's id; empty before keys exist.
    #[prost(string, tag = "2")]
    pub key_id: String,
    /// The client's idempotency key; empty for none.
    #[prost(string, tag = "3")]
    pub idempotency_key: String,
    /// BLAKE3 of target, options and decoded body; only with an idempotency key.
    #[prost(bytes = "bytes", tag = "4")]
    pub body_hash: bytes::Bytes,
    /// Records in the request.
    #[prost(uint64, tag = "5")]
    pub received: u64,
    /// Records applied.
    #[prost(uint64, tag = "6")]
    pub applied: u64,
    /// What is done, in order.
    #[prost(message, repeated, tag = "7")]
    pub operations: Vec<OperationRecord>,
    /// What was refused, with `on_error=skip`.
    #[prost(message, repeated, tag = "8")]
    pub rejected: Vec<RejectedRecord>,
    /// Whether bad records are left out (`on_error=skip`); otherwise one voids the request.
    #[prost(bool, tag = "11")]
    pub skips_bad_records: bool,
}

/// One refused record, as it goes to quarantine.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RejectedRecord {
    /// The record's place in its request.
    #[prost(uint32, tag = "1")]
    pub index: u32,
    /// The machine-readable reason.
    #[prost(string, tag = "2")]
    pub code: String,
    /// The column at fault; empty for none.
    #[prost(string, tag = "3")]
    pub column: String,
    /// The reason in words.
    #[prost(string, tag = "4")]
    pub message: String,
    /// What to do; empty for none.
    #[prost(string, tag = "5")]
    pub hint: String,
    /// The record as it came.
    #[prost(string, tag = "6")]
    pub payload: String,
}

fn none_if_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl RejectedRecord {
    /// The record of an error.
    pub(crate) fn of(error: &RecordError) -> RejectedRecord {
        RejectedRecord {
            index: error.index,
            code: error.code.as_str().to_owned(),
            column: error.column.clone().unwrap_or_default(),
            message: error.message.clone(),
            hint: error.hint.clone().unwrap_or_default(),
            payload: error.payload.clone(),
        }
    }

    /// The error as answers list it; `None` if a newer version wrote a code that this one does not know.
    pub(crate) fn to_error(&self) -> Option<RecordError> {
        Some(RecordError {
            index: self.index,
            code: RecordErrorCode::parse(&self.code)?,
            column: none_if_empty(&self.column),
            message: self.message.clone(),
            hint: none_if_empty(&self.hint),
            payload: self.payload.clone(),
        })
    }
}
