use super::step::Stamp;

/// The workspace clock moved, and old rows went with it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ClockTickRecord {
    /// When; its workspace clock is the new one.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// How the clock goes from here on: 0 unchanged, 1 system time, 2 by hand, 3 newest event.
    #[prost(uint32, tag = "2")]
    pub mode: u32,
    /// What retention removes. Said in full, so that replay needs no program.
    #[prost(message, repeated, tag = "3")]
    pub cuts: Vec<RetentionCut>,
}

/// Rows of one table whose time lies before a moment are deleted.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RetentionCut {
    /// The table's number.
    #[prost(uint32, tag = "1")]
    pub relation: u32,
    /// Index of its time column.
    #[prost(uint32, tag = "2")]
    pub column: u32,
    /// Rows with a time before this go; microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub before: i64,
}
