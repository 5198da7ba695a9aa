//! The header of a segment: its first sector, written before the segment gets its name and never changed.

use crate::sector::{SECTOR_BYTES, Salt, array, crc64, is_zero};

const MAGIC: [u8; 8] = *b"HWLOGSEG";
const FORMAT: u32 = 1;
/// Where the fields end; from here to the checksum all is zero.
const FIELDS_END: usize = 88;
const CHECKSUM_START: usize = 504;

/// Who a segment is and who came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The log it belongs to.
    pub(crate) log_id: [u8; 16],
    /// 1, 2, 3 …; also its file name.
    pub(crate) number: u64,
    /// Enters the checksum of every sector.
    pub(crate) salt: Salt,
    /// Salt of the segment before it; zeros for the first.
    pub(crate) predecessor_salt: Salt,
    /// Length of the file in sectors, this one included.
    pub(crate) sectors: u64,
}

/// Why a header is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Its bytes have changed.
    Damaged,
    /// A later version of Headwater wrote it.
    UnknownFormat(u32),
}

impl SegmentHeader {
    /// The sector as it lies on disk.
    pub(crate) fn encode(&self) -> [u8; SECTOR_BYTES] {
        let mut sector = [0; SECTOR_BYTES];
        sector[..8].copy_from_slice(&MAGIC);
        sector[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        sector[12..16].copy_from_slice(&(SECTOR_BYTES as u32).to_le_bytes());
        sector[16..32].copy_from_slice(&self.log_id);
        sector[32..40].copy_from_slice(&self.number.to_le_bytes());
        sector[40..48].copy_from_slice(&self.sectors.to_le_bytes());
        sector[48..64].copy_from_slice(&self.salt);
        sector[64..72].copy_from_slice(&(self.number - 1).to_le_bytes());
        sector[72..88].copy_from_slice(&self.predecessor_salt);
        let checksum = crc64(&sector[..CHECKSUM_START]);
        sector[CHECKSUM_START..].copy_from_slice(&checksum.to_le_bytes());
        sector
    }

    /// Reads it back. The checksum is looked at first, so nothing is believed that has changed.
    pub(crate) fn decode(sector: &[u8]) -> Result<SegmentHeader, HeaderError> {
        assert_eq!(sector.len(), SECTOR_BYTES);
        let checksum = u64::from_le_bytes(array(&sector[CHECKSUM_START..]));
        if sector[..8] != MAGIC || checksum != crc64(&sector[..CHECKSUM_START]) {
            return Err(HeaderError::Damaged);
        }
        let format = u32::from_le_bytes(array(&sector[8..12]));
        if format != FORMAT {
            return Err(HeaderError::UnknownFormat(format));
        }
        let header = SegmentHeader {
            log_id: array(&sector[16..32]),
            number: u64::from_le_bytes(array(&sector[32..40])),
            sectors: u64::from_le_bytes(array(&sector[40..48])),
            salt: array(&sector[48..64]),
            predecessor_salt: array(&sector[72..88]),
        };
        let sector_bytes = u32::from_le_bytes(array(&sector[12..16]));
        let predecessor = u64::from_le_bytes(array(&sector[64..72]));
        let is_sound = sector_bytes == SECTOR_BYTES as u32
            && header.number.checked_sub(1) == Some(predecessor)
            && header.sectors > 1
            && is_zero(&sector[FIELDS_END..CHECKSUM_START]);
        if is_sound { Ok(header) } else { Err(HeaderError::Damaged) }
    }
}
