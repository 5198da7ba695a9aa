use bytes::Bytes;
use headwater_codec::{BodyError, BodyFormat, DecodeOptions};
use headwater_types::{Lsn, RecordError};

/// Where a request's records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushTarget {
    /// All to this table.
    Table(String),
    /// Each record names its table.
    Mixed,
}

/// What becomes of a request that holds bad records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The request is refused as a whole; nothing is taken.
    #[default]
    RejectRequest,
    /// Good records are taken in one step, bad ones go to quarantine. Refused only if no record is good.
    Skip,
}

/// What a paused workspace does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfPaused {
    /// The request is refused.
    #[default]
    Refuse,
    /// The request is logged and takes effect at the resume; its answer says `applied_now: false`.
    Queue,
}

/// Records on their way in.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// The body, decompressed.
    pub body: Bytes,
    /// How the body is written.
    pub format: BodyFormat,
    /// Where its records go.
    pub target: PushTarget,
    /// What is done with them, unless they say so themselves.
    pub options: DecodeOptions,
    /// What becomes of the request if a record is bad.
    pub on_error: OnError,
    /// What becomes of the request while the workspace is paused.
    pub if_paused: IfPaused,
    /// Makes retries safe: within 24 h of ingest time a second request with this key is answered, not taken.
    pub idempotency_key: Option<String>,
    /// The door's name, for counters and quarantine.
    pub endpoint: String,
    /// The id of the API key that sent it; idempotency keys of different API keys never meet.
    pub key_id: String,
}

/// What was done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushAnswer {
    /// The step that holds it.
    pub lsn: Lsn,
    /// Records in the request.
    pub received: u64,
    /// Records applied (or, while paused, queued).
    pub applied: u64,
    /// Records put into quarantine.
    pub rejected: u64,
    /// Why, for the first `limits::ERRORS_PER_ANSWER_MAX` of them.
    pub errors: Vec<RecordError>,
    /// False if the request waits for the resume.
    pub applied_now: bool,
    /// True if this request had been taken before: this is the answer it got then.
    pub duplicate: bool,
}

/// Why a push was not taken. Unless said otherwise nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No such table.
    #[error("table {name:?} does not exist in workspace {workspace:?}")]
    UnknownTable {
        /// The table asked for.
        name: String,
        /// Where it was looked for.
        workspace: String,
        /// The tables there are.
        known: Vec<String>,
    },
    /// The body as a whole cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Records were bad, and the request asked for all or nothing, or none was good.
    #[error("{total} of {received} records are bad, nothing was taken")]
    RecordsRefused {
        /// The first `limits::ERRORS_PER_ANSWER_MAX` bad records.
        errors: Vec<RecordError>,
        /// Bad records in all.
        total: u64,
        /// Records in the request.
        received: u64,
    },
    /// The workspace is paused.
    #[error("workspace {workspace:?} is paused")]
    Paused {
        /// Its name.
        workspace: String,
    },
    /// The paused workspace's queue is full.
    #[error("the paused workspace has {queued_bytes} bytes queued, its limit")]
    PausedQueueFull {
        /// Bytes in the queue.
        queued_bytes: usize,
    },
    /// Too many requests wait.
    #[error("too many requests wait for workspace {workspace:?}")]
    QueueFull {
        /// Its name.
        workspace: String,
    },
    /// The program is being changed, and its new views are too far behind to take more.
    #[error("the program of workspace {workspace:?} is being changed")]
    ProgramChanging {
        /// Its name.
        workspace: String,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was taken")]
    NoSpace,
    /// The workspace holds as much memory as it may, and the request adds to it.
    #[error("workspace {workspace:?} holds {held_bytes} bytes in memory, its budget is {bytes_max}")]
    OverBudget {
        /// Its name.
        workspace: String,
        /// What it holds.
        held_bytes: u64,
        /// What it may hold.
        bytes_max: u64,
    },
    /// All workspaces together hold more memory than they may, and this one more than an equal share.
    #[error(
        "the server's memory is used up; workspace {workspace:?} holds {held_bytes} bytes, an equal share is {share_bytes}"
    )]
    ServerOverBudget {
        /// Its name.
        workspace: String,
        /// What it holds.
        held_bytes: u64,
        /// What each open workspace may hold now.
        share_bytes: u64,
    },
    /// The log failed while the request was being written: it may be there after a restart, or not.
    #[error("the log failed while this request was written, its outcome is unknown")]
    OutcomeUnknown,
    /// Applying this request alone made a view's computation panic; the request is void and in quarantine.
    #[error("a view's computation panicked on this request: {reason}")]
    StepSkipped {
        /// The void step.
        lsn: Lsn,
        /// What the panic said.
        reason: String,
    },
    /// The idempotency key was used with another body, target or option.
    #[error("idempotency key {key:?} was used for a different request")]
    IdempotencyMismatch {
        /// The key.
        key: String,
    },
    /// Too many idempotency keys are remembered.
    #[error("{keys} idempotency keys are remembered, the limit")]
    IdempotencyFull {
        /// How many.
        keys: usize,
    },
    /// The key is longer than `limits::IDEMPOTENCY_KEY_BYTES_MAX`, or empty.
    #[error("an idempotency key has 1 to {max} bytes, this one has {bytes}")]
    IdempotencyKeyLength {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The workspace takes no writes.
    #[error("workspace {workspace:?} takes no writes: {reason}")]
    ReadOnly {
        /// Its name.
        workspace: String,
        /// Why.
        reason: String,
    },
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {workspace:?} is closing")]
    ShuttingDown {
        /// Its name.
        workspace: String,
    },
}
