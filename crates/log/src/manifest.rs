//! The log's manifest: where the log starts, what its full segments must be, and how far it was known to be durable.

use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_types::Lsn;

use crate::chain::{ChainPoint, Digest};
use crate::names;
use crate::sealed::{SealedError, SealedReader, SealedWriter};
use crate::sector::{Salt, array};

/// `kind` of the sealed file.
pub(crate) const KIND: u32 = u32::from_le_bytes(*b"LOGM");

const HEAD_BYTES: usize = 112;
const SEALED_SEGMENT_BYTES: usize = 96;
const POINT_BYTES: usize = 32;

/// The manifest as it is held in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The log that the segments belong to.
    pub(crate) log_id: [u8; 16],
    /// Number of the oldest segment; those below it have been cut.
    pub(crate) first_segment: u64,
    /// Salt of the segment before it.
    pub(crate) first_predecessor_salt: Salt,
    /// Where the chain stands at its beginning.
    pub(crate) first: ChainPoint,
    /// Up to here everything was durable when the manifest was written: less than this is damage, never a tear.
    pub(crate) durable: ChainPoint,
    /// Full segments, oldest first, without a gap from `first_segment` on.
    pub(crate) sealed: Vec<SealedSegment>,
}

/// A full segment. Its content is what this says, not what its successor says: so a segment can be rewritten, with a
/// new salt and a new digest, while its successor goes on naming the old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedSegment {
    /// Its number.
    pub(crate) number: u64,
    /// The salt in its header.
    pub(crate) salt: Salt,
    /// Sectors in use, the header included; all behind them are zeros.
    pub(crate) sectors_used: u64,
    /// Where the chain stands at its end. The digest in it is the hash of the segment.
    pub(crate) end: ChainPoint,
    /// The salt that its successor names.
    pub(crate) link_salt: Salt,
    /// The digest that its successor's first group names.
    pub(crate) link_digest: Digest,
}

impl Manifest {
    /// Writes it in place of the one before.
    pub(crate) fn write(&self, env: &Env, dir: &Path) -> io::Result<()> {
        let mut writer = SealedWriter::create(env, &dir.join(names::MANIFEST), KIND)?;
        writer.block(&self.encode_head())?;
        for segment in &self.sealed {
            writer.block(&segment.encode())?;
        }
        writer.finish()?;
        Ok(())
    }

    /// Reads and verifies it.
    pub(crate) fn read(env: &Env, dir: &Path) -> Result<Manifest, SealedError> {
        let path = dir.join(names::MANIFEST);
        let inconsistent =
            || SealedError::Damaged { path: path.clone(), offset: 0, reason: "its fields make no sense" };
        let mut blocks = SealedReader::open(env, &path, KIND)?;
        let head = blocks.next().ok_or_else(inconsistent)??;
        let (mut manifest, sealed_count) = Manifest::decode_head(&head).ok_or_else(inconsistent)?;
        for block in blocks {
            let segment = SealedSegment::decode(&block?).ok_or_else(inconsistent)?;
            if segment.number != manifest.first_segment + manifest.sealed.len() as u64 {
                return Err(inconsistent());
            }
            manifest.sealed.push(segment);
        }
        if manifest.sealed.len() as u64 == sealed_count { Ok(manifest) } else { Err(inconsistent()) }
    }

    fn encode_head(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..16].copy_from_slice(&self.log_id);
        bytes[16..24].copy_from_slice(&self.first_segment.to_le_bytes());
        bytes[24..32].copy_from_slice(&(self.sealed.len() as u64).to_le_bytes());
        bytes[32..48].copy_from_slice(&self.first_predecessor_salt);
        bytes[48..80].copy_from_slice(&encode_point(&self.first));
        bytes[80..112].copy_from_slice(&encode_point(&self.durable));
        bytes
    }

    fn decode_head(bytes: &[u8]) -> Option<(Manifest, u64)> {
        if bytes.len() != HEAD_BYTES {
            return None;
        }
        let manifest = Manifest {
            log_id: array(&bytes[..16]),
            first_segment: u64::from_le_bytes(array(&bytes[16..24])),
            first_predecessor_salt: array(&bytes[32..48]),
            first: decode_point(&bytes[48..80]),
            durable: decode_point(&bytes[80..112]),
            sealed: Vec::new(),
        };
        (manifest.first_segment > 0).then_some((manifest, u64::from_le_bytes(array(&bytes[24..32]))))
    }
}

impl SealedSegment {
    fn encode(&self) -> [u8; SEALED_SEGMENT_BYTES] {
        let mut bytes = [0; SEALED_SEGMENT_BYTES];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sectors_used.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.salt);
        bytes[32..64].copy_from_slice(&encode_point(&self.end));
        bytes[64..80].copy_from_slice(&self.link_salt);
        bytes[80..96].copy_from_slice(&self.link_digest);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<SealedSegment> {
        (bytes.len() == SEALED_SEGMENT_BYTES).then(|| SealedSegment {
            number: u64::from_le_bytes(array(&bytes[..8])),
            sectors_used: u64::from_le_bytes(array(&bytes[8..16])),
            salt: array(&bytes[16..32]),
            end: decode_point(&bytes[32..64]),
            link_salt: array(&bytes[64..80]),
            link_digest: array(&bytes[80..96]),
        })
    }
}

fn encode_point(point: &ChainPoint) -> [u8; POINT_BYTES] {
    let mut bytes = [0; POINT_BYTES];
    bytes[..8].copy_from_slice(&point.group.to_le_bytes());
    bytes[8..16].copy_from_slice(&point.lsn.0.to_le_bytes());
    bytes[16..].copy_from_slice(&point.digest);
    bytes
}

fn decode_point(bytes: &[u8]) -> ChainPoint {
    ChainPoint {
        group: u64::from_le_bytes(array(&bytes[..8])),
        lsn: Lsn(u64::from_le_bytes(array(&bytes[8..16]))),
        digest: array(&bytes[16..POINT_BYTES]),
    }
}
