use std::io;

use bytes::Bytes;
use headwater_types::Lsn;

use crate::recover::Damage;

/// Bytes that one group may take, headers and checksums included. It is written by one call and held in memory twice.
pub const GROUP_BYTES_MAX: u64 = 1 << 30;

/// A record to be appended. Its LSN follows from its place.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// What the payload is; the log does not look at it.
    pub kind: u8,
    /// The payload, in pieces that are written one after the other.
    pub payload: &'a [&'a [u8]],
}

/// A record as it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub lsn: Lsn,
    /// What the payload is.
    pub kind: u8,
    /// The payload; starts at an address that is a multiple of 8.
    pub payload: Bytes,
}

/// Records in LSN order.
pub type RecordIterator = Box<dyn Iterator<Item = Result<Record, ReadError>> + Send>;

/// Where the log of a workspace is kept. Local files are the first such place.
pub trait LogStore: Send {
    /// Appends records as one group, the first with LSN `expected_first`. When it returns they are durable; on an error
    /// none of them is acknowledged. An empty group does nothing.
    fn append(&mut self, expected_first: Lsn, records: &[NewRecord<'_>]) -> Result<(), AppendError>;

    /// The records from `from` on that are durable now.
    fn read_from(&self, from: Lsn) -> Result<RecordIterator, ReadError>;

    /// Gives up records below `lsn`. Only whole segments go, so some of them may stay.
    fn cut_before(&mut self, lsn: Lsn) -> Result<(), CutError>;

    /// The oldest record still there, or [`LogStore::next_lsn`] if there is none.
    fn first_lsn(&self) -> Lsn;

    /// The LSN that the next record gets.
    fn next_lsn(&self) -> Lsn;

    /// Bytes of log from `lsn` on. Never less than there are, and at most 64 KiB more.
    fn bytes_since(&self, lsn: Lsn) -> u64;

    /// Can a record of so many bytes be appended? If not, nothing should be taken on. Looks at the disk at most every
    /// 200 ms, and becomes true by itself when space returns.
    fn has_room(&self, payload_bytes: usize) -> bool;

    /// Writes down how far the log is durable, at an orderly end: the next start takes anything less for damage.
    fn mark_durable(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Gives the space that the log keeps back to whoever makes room for it: snapshots, after which it can be cut. Until
    /// [`LogStore::retake_reserve`] the log does not grow. A store that keeps nothing back does nothing.
    fn release_reserve(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Ends [`LogStore::release_reserve`]: takes the space back, or, if there is none now, as soon as there is.
    fn retake_reserve(&mut self) {}
}

/// Why a group was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The caller is not at the end of the log. Nothing was written.
    #[error("append at LSN {expected} to a log whose next LSN is {next}; another writer has been here")]
    WrongLsn {
        /// What the caller expected.
        expected: Lsn,
        /// What comes next.
        next: Lsn,
    },
    /// No segment can be prepared. Nothing was written.
    #[error("no space for the log; free disk space and writes resume by themselves")]
    NoSpace,
    /// The group is larger than a group may be. Nothing was written.
    #[error(
        "a group of {bytes} bytes is larger than the {} bytes that one group may take; send less at once",
        GROUP_BYTES_MAX
    )]
    TooLarge {
        /// Bytes of the group.
        bytes: u64,
    },
    /// Writing or syncing failed, and the log is closed for good. Whether the group is durable is unknown until the
    /// log is opened again.
    #[error("the disk failed to make the log durable; restart to recover: {0}")]
    SyncFailed(#[source] io::Error),
    /// An earlier sync failed. Nothing was written.
    #[error("the log was closed by an earlier disk failure; restart to recover")]
    Closed,
}

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The records asked for have been cut.
    #[error("LSN {from} has been cut; the log starts at {first}")]
    Cut {
        /// What was asked for.
        from: Lsn,
        /// The oldest record there is.
        first: Lsn,
    },
    /// Bytes that were good have changed.
    #[error("{0}")]
    Damaged(#[from] Damage),
    /// The disk failed.
    #[error("cannot read the log: {0}")]
    Io(#[from] io::Error),
}

/// Why nothing was cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// There is no space for the new manifest, not even in the reserve. The log goes on.
    #[error("no space to record what was cut; free disk space")]
    NoSpace,
    /// The disk failed, and the log is closed for good.
    #[error("the disk failed while the log was cut; restart to recover: {0}")]
    Io(#[source] io::Error),
    /// An earlier sync failed.
    #[error("the log was closed by an earlier disk failure; restart to recover")]
    Closed,
}
