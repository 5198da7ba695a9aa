use super::request::RejectedRecord;
use super::step::{CountsRecord, Stamp};

/// Voids the rows, counts, answers and idempotency keys of one earlier step, whose apply panicked.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SkipRecord {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// The step that is void.
    #[prost(uint64, tag = "2")]
    pub skipped_lsn: u64,
    /// The request that panicked when tried alone, for quarantine; none while several shared the step.
    #[prost(message, repeated, tag = "3")]
    pub rejected: Vec<RejectedRecord>,
    /// The endpoint of that request.
    #[prost(string, tag = "4")]
    pub endpoint: String,
    /// Counts per endpoint.
    #[prost(message, repeated, tag = "5")]
    pub counts: Vec<CountsRecord>,
    /// Queued requests that are given up, from the front of the queue: the one that panicked when resumed alone.
    #[prost(uint32, tag = "6")]
    pub unqueued: u32,
}
