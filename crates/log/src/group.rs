//! A group: the records of one append, laid into whole sectors.

use bytes::Bytes;
use headwater_types::Lsn;

use crate::chain::ChainPoint;
use crate::sector::{self, Mark, PAYLOAD_BYTES, PAYLOAD_START, SECTOR_BYTES, Salt, array, is_zero};
use crate::store::{NewRecord, Record};

/// Bytes of a group's header.
pub(crate) const HEADER_BYTES: usize = 56;
/// Bytes before each record's payload.
const FRAME_BYTES: usize = 8;
/// Payloads start at multiples of this, as Arrow wants its buffers.
const ALIGNMENT: usize = 8;

/// What the first sector of a group says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    /// Sectors it takes.
    pub(crate) sector_count: u32,
    /// Records in it.
    pub(crate) record_count: u32,
    /// Bytes after the header: frames, payloads, padding between them.
    pub(crate) body_bytes: u64,
    /// LSN of its first record.
    pub(crate) first_lsn: Lsn,
    /// The last LSN that was durable when it was written.
    pub(crate) durable_lsn: Lsn,
    /// Digest of the group before it.
    pub(crate) previous_digest: [u8; 16],
}

/// Why a group whose sectors are all valid is not one that this log wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inconsistent(pub(crate) &'static str);

impl GroupHeader {
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.sector_count.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.record_count.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_lsn.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable_lsn.0.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.previous_digest);
        bytes
    }

    /// The chain as the first sector of a group claims that it stood before it.
    pub(crate) fn claimed_point(first: &[u8], group: u64) -> ChainPoint {
        let bytes = &first[PAYLOAD_START..PAYLOAD_START + HEADER_BYTES];
        let lsn = Lsn(u64::from_le_bytes(array(&bytes[16..24])));
        ChainPoint { group, lsn, digest: array(&bytes[32..48]) }
    }

    /// Reads the header from a first sector that is valid, and holds it against the chain.
    pub(crate) fn decode(first: &[u8], at: &ChainPoint) -> Result<GroupHeader, Inconsistent> {
        let bytes = &first[PAYLOAD_START..PAYLOAD_START + HEADER_BYTES];
        let header = GroupHeader {
            sector_count: u32::from_le_bytes(array(&bytes[..4])),
            record_count: u32::from_le_bytes(array(&bytes[4..8])),
            body_bytes: u64::from_le_bytes(array(&bytes[8..16])),
            first_lsn: Lsn(u64::from_le_bytes(array(&bytes[16..24]))),
            durable_lsn: Lsn(u64::from_le_bytes(array(&bytes[24..32]))),
            previous_digest: array(&bytes[32..48]),
        };
        if header.previous_digest != at.digest {
            return Err(Inconsistent("the group follows another group than the one before it"));
        }
        if header.first_lsn != at.lsn || header.durable_lsn.0.checked_add(1) != Some(header.first_lsn.0) {
            return Err(Inconsistent("the group's LSN does not follow from the group before it"));
        }
        if !is_zero(&bytes[48..]) || header.record_count == 0 {
            return Err(Inconsistent("the group's header has fields of another format"));
        }
        if header.body_bytes.checked_add(HEADER_BYTES as u64).map(sectors_of)
            != Some(u64::from(header.sector_count))
        {
            return Err(Inconsistent("the group's length does not fit its sectors"));
        }
        Ok(header)
    }
}

/// Sectors that so many bytes of header and body take.
fn sectors_of(bytes: u64) -> u64 {
    bytes.div_ceil(PAYLOAD_BYTES as u64)
}

/// Sectors that a group of these records takes.
pub(crate) fn sectors_for(records: &[NewRecord<'_>]) -> u64 {
    sectors_of(HEADER_BYTES as u64 + body_bytes(records))
}

/// Sectors that a group of one record with so many bytes takes.
pub(crate) fn sectors_for_payload(payload_bytes: usize) -> u64 {
    sectors_of((HEADER_BYTES + FRAME_BYTES) as u64 + aligned(payload_bytes as u64))
}

fn body_bytes(records: &[NewRecord<'_>]) -> u64 {
    records.iter().map(|record| FRAME_BYTES as u64 + aligned(payload_bytes(record) as u64)).sum()
}

fn payload_bytes(record: &NewRecord<'_>) -> usize {
    record.payload.iter().map(|piece| piece.len()).sum()
}

fn aligned(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGNMENT as u64)
}

/// Lays records into `sectors`, ready to be written at `first_sector`.
pub(crate) fn encode(
    sectors: &mut Vec<u8>,
    records: &[NewRecord<'_>],
    at: &ChainPoint,
    salt: &Salt,
    first_sector: u64,
) {
    let sector_count = sectors_for(records);
    let header = GroupHeader {
        sector_count: u32::try_from(sector_count).expect("the caller holds groups below their bound"),
        record_count: u32::try_from(records.len()).expect("every record takes 8 bytes of a bounded group"),
        body_bytes: body_bytes(records),
        first_lsn: at.lsn,
        durable_lsn: Lsn(at.lsn.0 - 1),
        previous_digest: at.digest,
    };
    sectors.clear();
    sectors.resize(sector_count as usize * SECTOR_BYTES, 0);
    let mut layer = Layer { sectors, at: 0 };
    layer.put(&header.encode());
    for record in records {
        layer.put_record(record);
    }
    for (index, sector) in sectors.chunks_exact_mut(SECTOR_BYTES).enumerate() {
        let mark = if index == 0 { Mark::First } else { Mark::Continued };
        sector::seal(sector, mark, salt, first_sector + index as u64, at.group);
    }
}

/// Writes a run of bytes into the payloads of successive sectors.
struct Layer<'a> {
    sectors: &'a mut [u8],
    at: usize,
}

impl Layer<'_> {
    fn put_record(&mut self, record: &NewRecord<'_>) {
        let bytes = payload_bytes(record);
        let mut frame = [0; FRAME_BYTES];
        let length = u32::try_from(bytes).expect("the caller holds groups below their bound");
        frame[..4].copy_from_slice(&length.to_le_bytes());
        frame[4] = record.kind;
        self.put(&frame);
        for piece in record.payload {
            self.put(piece);
        }
        self.at += aligned(bytes as u64) as usize - bytes;
    }

    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = self.at % PAYLOAD_BYTES;
            let start = self.at / PAYLOAD_BYTES * SECTOR_BYTES + PAYLOAD_START + offset;
            let (now, later) = bytes.split_at(bytes.len().min(PAYLOAD_BYTES - offset));
            self.sectors[start..start + now.len()].copy_from_slice(now);
            self.at += now.len();
            bytes = later;
        }
    }
}

/// Takes the records out of the sectors of a group, all of them valid.
pub(crate) fn decode(sectors: &[u8], header: &GroupHeader) -> Result<Vec<Record>, Inconsistent> {
    let body = body(sectors, header)?;
    let mut records = Vec::with_capacity((header.record_count as usize).min(body.len() / FRAME_BYTES));
    let mut at = 0;
    for index in 0..u64::from(header.record_count) {
        let frame = body.get(at..at + FRAME_BYTES).ok_or(Inconsistent("a record lies outside its group"))?;
        let payload_bytes = u32::from_le_bytes(array(&frame[..4])) as usize;
        let start = at + FRAME_BYTES;
        let end = start + payload_bytes;
        at = start + aligned(payload_bytes as u64) as usize;
        if at > body.len() || !is_zero(&frame[5..]) || !is_zero(&body[end..at]) {
            return Err(Inconsistent("a record lies outside its group"));
        }
        let lsn = Lsn(header.first_lsn.0 + index);
        records.push(Record { lsn, kind: frame[4], payload: body.slice(start..end) });
    }
    if at != body.len() {
        return Err(Inconsistent("the group holds more than its records"));
    }
    Ok(records)
}

/// Joins the payloads of a group's sectors behind its header. What is left of the last sector must be zero.
fn body(sectors: &[u8], header: &GroupHeader) -> Result<Bytes, Inconsistent> {
    let mut body = Vec::with_capacity(sectors.len() / SECTOR_BYTES * PAYLOAD_BYTES - HEADER_BYTES);
    for (index, sector) in sectors.chunks_exact(SECTOR_BYTES).enumerate() {
        let skipped = if index == 0 { HEADER_BYTES } else { 0 };
        body.extend_from_slice(&sector[PAYLOAD_START + skipped..sector::CHECKSUM_START]);
    }
    let body_bytes = header.body_bytes as usize;
    if body_bytes > body.len() || !is_zero(&body[body_bytes..]) {
        return Err(Inconsistent("the group's last sector holds more than the group"));
    }
    body.truncate(body_bytes);
    Ok(Bytes::from(body))
}
