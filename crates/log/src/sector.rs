//! One sector: the unit that a disk writes whole or not at all, and the unit that a checksum covers.

/// Bytes of a sector.
pub(crate) const SECTOR_BYTES: usize = 512;
/// Where a sector's share of the group begins; before it lie the mark and the group's number.
pub(crate) const PAYLOAD_START: usize = 8;
/// Where its checksum begins.
pub(crate) const CHECKSUM_START: usize = 504;
/// Bytes of the group that one sector carries.
pub(crate) const PAYLOAD_BYTES: usize = CHECKSUM_START - PAYLOAD_START;
/// Group numbers take six bytes.
pub(crate) const GROUP_NUMBER_MAX: u64 = (1 << 48) - 1;

/// What makes the sectors of one segment differ from those of every other.
pub(crate) type Salt = [u8; 16];

/// Is a sector the first of its group? The mark is never zero, so no written sector is all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It carries the group's header.
    First,
    /// It goes on where the sector before it ended.
    Continued,
}

impl Mark {
    fn byte(self) -> u8 {
        match self {
            Mark::First => b'G',
            Mark::Continued => b'g',
        }
    }
}

/// What a sector turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sector {
    /// All zeros: never written.
    Unwritten,
    /// A sector of this group whose checksum is right for its place.
    Valid(Mark, u64),
    /// Neither: its bytes are not those that were written here.
    Damaged,
}

/// Fills in mark, group number and checksum around a payload that is in place.
pub(crate) fn seal(sector: &mut [u8], mark: Mark, salt: &Salt, sector_number: u64, group: u64) {
    assert_eq!(sector.len(), SECTOR_BYTES);
    assert!(group <= GROUP_NUMBER_MAX);
    let head = group << 16 | u64::from(mark.byte());
    sector[..PAYLOAD_START].copy_from_slice(&head.to_le_bytes());
    let checksum = checksum(&sector[..CHECKSUM_START], salt, sector_number, group);
    sector[CHECKSUM_START..].copy_from_slice(&checksum.to_le_bytes());
}

/// Tells what a sector is that was read at this place.
pub(crate) fn classify(sector: &[u8], salt: &Salt, sector_number: u64) -> Sector {
    assert_eq!(sector.len(), SECTOR_BYTES);
    let mark = match sector[0] {
        b'G' => Mark::First,
        b'g' => Mark::Continued,
        0 if is_zero(sector) => return Sector::Unwritten,
        _ => return Sector::Damaged,
    };
    let group = group_number(sector);
    let written = u64::from_le_bytes(array(&sector[CHECKSUM_START..]));
    if sector[1] != 0 || written != checksum(&sector[..CHECKSUM_START], salt, sector_number, group) {
        return Sector::Damaged;
    }
    Sector::Valid(mark, group)
}

/// The checksum that a sealed sector carries.
pub(crate) fn checksum_of(sector: &[u8]) -> &[u8] {
    &sector[CHECKSUM_START..SECTOR_BYTES]
}

/// Are all bytes zero?
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let words = bytes.chunks_exact(8);
    let rest_is_zero = words.remainder().iter().all(|byte| *byte == 0);
    rest_is_zero && words.fold(0, |all, word| all | u64::from_le_bytes(array(word))) == 0
}

/// CRC-64/NVME, which no single flipped bit and no burst of up to 64 bits escapes, xor a number that the place
/// determines, so that a right sector in a wrong place is as wrong as a flipped one.
fn checksum(bytes: &[u8], salt: &Salt, sector_number: u64, group: u64) -> u64 {
    crc64(bytes) ^ place(salt, sector_number, group)
}

/// CRC-64/NVME.
pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)
}

fn place(salt: &Salt, sector_number: u64, group: u64) -> u64 {
    let low = u64::from_le_bytes(array(&salt[..8]));
    let high = u64::from_le_bytes(array(&salt[8..]));
    mix(low ^ mix(high ^ mix(sector_number.wrapping_add(mix(group)))))
}

/// The finaliser of SplitMix64: a bijection in which every input bit moves every output bit.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn group_number(sector: &[u8]) -> u64 {
    u64::from_le_bytes(array(&sector[..8])) >> 16
}

/// The bytes of a slice whose length is known from the format.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the slice was cut to this length")
}
