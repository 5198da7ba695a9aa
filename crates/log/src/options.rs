use headwater_types::Lsn;

use crate::sector::SECTOR_BYTES;

/// How large the parts of a log are. Every log reads every size: options may change from one start to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes of a segment once the log has grown. Large segments change rarely; small ones are given back sooner.
    pub segment_bytes: u64,
    /// Bytes of the first segment of a new log. Each following one is twice as large up to `segment_bytes`, and is made
    /// when the one before it is half full, so that a workspace that sees little takes little.
    pub first_segment_bytes: u64,
    /// Bytes kept back in a file of their own, so that snapshots still fit when the disk is full: at most so many, less
    /// while segments are small, none before the first is half full. 0 keeps none.
    pub reserve_bytes: u64,
    /// LSN of the first record of a new log.
    pub first_lsn: Lsn,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            segment_bytes: SEGMENT_BYTES_MAX,
            first_segment_bytes: FIRST_SEGMENT_BYTES,
            reserve_bytes: RESERVE_BYTES_MAX,
            first_lsn: Lsn(1),
        }
    }
}

const SEGMENT_BYTES_MAX: u64 = 64 << 20;
const SEGMENT_BYTES_MIN: u64 = 256 << 10;
/// What an untouched workspace takes of the disk: a server may hold hundreds of them.
const FIRST_SEGMENT_BYTES: u64 = 64 << 10;
/// The reserve is at most so many segments as large as the next one: what snapshots replace before they are written.
const RESERVE_SEGMENTS: u64 = 8;
const RESERVE_BYTES_MAX: u64 = 16 << 20;

impl LogOptions {
    /// Options for a volume with so much space left: a segment is at most 1/64 of it, the reserve at most 1/8.
    #[must_use]
    pub fn for_volume(available_bytes: u64) -> LogOptions {
        let segment_bytes = (available_bytes / 64).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        let segment_bytes = segment_bytes / SECTOR_BYTES as u64 * SECTOR_BYTES as u64;
        LogOptions {
            segment_bytes,
            first_segment_bytes: segment_bytes.min(FIRST_SEGMENT_BYTES),
            reserve_bytes: (available_bytes / 8).min(RESERVE_BYTES_MAX),
            first_lsn: Lsn(1),
        }
    }

    /// Bytes of the reserve while the segment with this number is appended to.
    pub(crate) fn reserve_bytes_at(&self, number: u64) -> u64 {
        self.reserve_bytes.min(self.bytes_of_segment(number).saturating_mul(RESERVE_SEGMENTS))
    }

    /// Bytes of the segment with this number, the first being 1.
    pub(crate) fn bytes_of_segment(&self, number: u64) -> u64 {
        let doublings = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.first_segment_bytes.saturating_mul(factor).min(self.segment_bytes)
    }
}
