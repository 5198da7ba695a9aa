use super::request::RequestRecord;
use super::step::{CountsRecord, Stamp};

/// Pushes are refused or queued from here on.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PauseRecord {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
}

/// Requests that asked a paused workspace to queue them. They take effect at the resume.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QueuedRecord {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// The requests, in order.
    #[prost(message, repeated, tag = "2")]
    pub requests: Vec<RequestRecord>,
    /// Counts per endpoint.
    #[prost(message, repeated, tag = "3")]
    pub counts: Vec<CountsRecord>,
}

/// The requests at the front of the queue take effect here, in order, like those of a step. What cannot be (a row to
/// delete that is not there) is rejected here, though its request has been acknowledged. When the queue is empty, pushes
/// are taken again.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ResumeRecord {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// The requests that were queued, without their idempotency keys: those were remembered when they were queued.
    #[prost(message, repeated, tag = "2")]
    pub requests: Vec<RequestRecord>,
    /// Counts per endpoint.
    #[prost(message, repeated, tag = "3")]
    pub counts: Vec<CountsRecord>,
}
