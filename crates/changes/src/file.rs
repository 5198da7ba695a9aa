use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::sealed::{BlockPlace, SealedBlocks, SealedError, SealedWriter};
use headwater_types::{Lsn, TimestampMicros};
use prost::Message;

use crate::block::Block;
use crate::commit::RelationId;

/// The kind of sealed file that holds changes.
pub(crate) const KIND: u32 = 0x21;
/// The last block: offset and number of the index.
const TRAILER_BYTES: usize = 16;

/// A file as the manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileMeta {
    /// Its name in the folder of the change log.
    pub(crate) name: String,
    /// Length in bytes.
    pub(crate) bytes: u64,
    /// It holds what these LSNs changed, but for relations that were left out because they were kept long enough.
    pub(crate) first: Lsn,
    pub(crate) last: Lsn,
    /// The ingest time of its newest change.
    pub(crate) newest: TimestampMicros,
    /// Bytes of each relation in it.
    pub(crate) relations: BTreeMap<RelationId, u64>,
}

/// Where the blocks of one relation lie.
#[derive(Clone, PartialEq, Message)]
struct IndexRecord {
    #[prost(message, repeated, tag = "1")]
    blocks: Vec<BlockEntry>,
}

/// Where one block lies and what is in it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct BlockEntry {
    #[prost(uint32, tag = "1")]
    pub(crate) relation: u32,
    #[prost(uint64, tag = "2")]
    pub(crate) incarnation: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) first_lsn: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) first_line: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) last_lsn: u64,
    #[prost(uint64, tag = "6")]
    pub(crate) offset: u64,
    #[prost(uint32, tag = "7")]
    pub(crate) number: u32,
    #[prost(uint64, tag = "8")]
    pub(crate) bytes: u64,
}

impl BlockEntry {
    pub(crate) fn place(&self) -> BlockPlace {
        BlockPlace { offset: self.offset, number: self.number }
    }
}

/// Writes one file, block by block; those of one relation follow each other, oldest first.
#[derive(Debug)]
pub(crate) struct FileWriter {
    writer: SealedWriter,
    index: IndexRecord,
    relations: BTreeMap<RelationId, u64>,
}

impl FileWriter {
    pub(crate) fn create(env: &Env, path: &Path) -> std::io::Result<FileWriter> {
        let writer = SealedWriter::create(env, path, KIND)?;
        Ok(FileWriter { writer, index: IndexRecord::default(), relations: BTreeMap::new() })
    }

    pub(crate) fn block(&mut self, block: &Block) -> std::io::Result<()> {
        let entry = BlockEntry {
            relation: block.relation.0,
            incarnation: block.incarnation.0,
            first_lsn: block.first_lsn.0,
            first_line: block.first_line,
            last_lsn: block.last_lsn.0,
            ..BlockEntry::default()
        };
        self.copy(entry, &block.payload)
    }

    /// Adds a block as it lies in another file.
    pub(crate) fn copy(&mut self, entry: BlockEntry, payload: &[u8]) -> std::io::Result<()> {
        let BlockPlace { offset, number } = self.writer.place();
        let bytes = payload.len() as u64;
        self.writer.block(payload)?;
        self.index.blocks.push(BlockEntry { offset, number, bytes, ..entry });
        *self.relations.entry(RelationId(entry.relation)).or_default() += bytes;
        Ok(())
    }

    /// Makes the file durable. Returns its length and the bytes of each relation.
    pub(crate) fn finish(mut self) -> std::io::Result<(u64, BTreeMap<RelationId, u64>)> {
        let place = self.writer.place();
        self.writer.block(&self.index.encode_to_vec())?;
        let mut trailer = [0; TRAILER_BYTES];
        trailer[..8].copy_from_slice(&place.offset.to_le_bytes());
        trailer[8..12].copy_from_slice(&place.number.to_le_bytes());
        self.writer.block(&trailer)?;
        Ok((self.writer.finish()?, self.relations))
    }
}

/// A file that is open for reading. It can be read on when it has lost its name.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) meta: Arc<FileMeta>,
    blocks: SealedBlocks,
    index: Vec<BlockEntry>,
}

impl OpenFile {
    pub(crate) fn open(env: &Env, dir: &Path, meta: Arc<FileMeta>) -> Result<OpenFile, SealedError> {
        let path = dir.join(&meta.name);
        let damaged = |reason| SealedError::Damaged { path: path.clone(), offset: 0, reason };
        let blocks = SealedBlocks::open(env, &path, KIND)?;
        if blocks.file_bytes() != meta.bytes {
            return Err(damaged("its length is not what the manifest says"));
        }
        let trailer = blocks.last_block(TRAILER_BYTES)?;
        let field = |range: std::ops::Range<usize>| {
            trailer[range].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let place = BlockPlace { offset: field(0..8), number: field(8..12) as u32 };
        let index = blocks.block(place)?;
        let index = IndexRecord::decode(index).map_err(|_| damaged("its index cannot be decoded"))?;
        Ok(OpenFile { meta, blocks, index: index.blocks })
    }

    /// All blocks, those of one relation after each other and oldest first.
    pub(crate) fn index(&self) -> &[BlockEntry] {
        &self.index
    }

    pub(crate) fn payload(&self, entry: &BlockEntry) -> Result<bytes::Bytes, SealedError> {
        self.blocks.block(entry.place())
    }
}
