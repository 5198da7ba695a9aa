use super::request::RequestRecord;

/// The moment of a record: every kind carries one.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Stamp {
    /// System time in microseconds since 1970, never going back within a workspace.
    #[prost(sint64, tag = "1")]
    pub ingest_time: i64,
    /// The workspace clock, in microseconds since 1970.
    #[prost(sint64, tag = "2")]
    pub workspace_clock: i64,
    /// The program under which the record's rows are read.
    #[prost(uint64, tag = "3")]
    pub program_version: u64,
    /// The newest LSN known to be on disk when this was written.
    #[prost(uint64, tag = "4")]
    pub durable_lsn: u64,
    /// The newest LSN that readers had been shown when this was written.
    #[prost(uint64, tag = "5")]
    pub published_lsn: u64,
}

/// What happened at one endpoint since the record before, as counts of records.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CountsRecord {
    /// The endpoint.
    #[prost(string, tag = "1")]
    pub endpoint: String,
    /// received = applied + rejected + duplicate + pending
    #[prost(uint64, tag = "2")]
    pub received: u64,
    /// Records whose change was made.
    #[prost(uint64, tag = "3")]
    pub applied: u64,
    /// Records put into quarantine.
    #[prost(uint64, tag = "4")]
    pub rejected: u64,
    /// Records of requests that had been taken before.
    #[prost(uint64, tag = "5")]
    pub duplicate: u64,
    /// Change of the records that wait: queued while paused, or in an open transaction.
    #[prost(sint64, tag = "6")]
    pub pending: i64,
}

/// One step: an atomic group of requests.
///
/// Tags 4 (transaction), 5 (resume positions of sources) and 6 (measured values) are kept for later use.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StepRecord {
    /// When, and under which program.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// The requests, in the order in which they take effect.
    #[prost(message, repeated, tag = "2")]
    pub requests: Vec<RequestRecord>,
    /// Counts per endpoint; those of the requests above, and of duplicates answered since the step before.
    #[prost(message, repeated, tag = "3")]
    pub counts: Vec<CountsRecord>,
}
