//! The chain: where a log stands between two groups, and how one group follows from the one before it.

use headwater_types::Lsn;

use crate::sector::{SECTOR_BYTES, checksum_of};

/// Names all groups up to one: a hash over the checksums of its sectors and over the digest before it.
pub(crate) type Digest = [u8; 16];

/// What the next group must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainPoint {
    /// Its number.
    pub(crate) group: u64,
    /// The LSN of its first record.
    pub(crate) lsn: Lsn,
    /// The digest it names as its predecessor's.
    pub(crate) digest: Digest,
}

impl ChainPoint {
    /// The start of a new log.
    pub(crate) fn start(lsn: Lsn) -> ChainPoint {
        ChainPoint { group: 1, lsn, digest: [0; 16] }
    }

    /// The point after a group with these sectors and so many records.
    pub(crate) fn after(&self, sectors: &[u8], record_count: u64) -> ChainPoint {
        let lsn = self.lsn.0.checked_add(record_count).expect("a log does not hold 2^64 records");
        ChainPoint { group: self.group + 1, lsn: Lsn(lsn), digest: self.digest_after(sectors) }
    }

    fn digest_after(&self, sectors: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.digest);
        let mut checksums = [0; SECTOR_BYTES];
        for run in sectors.chunks(SECTOR_BYTES * (SECTOR_BYTES / 8)) {
            let mut filled = 0;
            for sector in run.chunks_exact(SECTOR_BYTES) {
                checksums[filled..filled + 8].copy_from_slice(checksum_of(sector));
                filled += 8;
            }
            hasher.update(&checksums[..filled]);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        digest
    }
}
