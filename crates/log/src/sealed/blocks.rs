use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_env::{Env, File, OpenHow};

use super::{
    BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, BlockPlace, FOOTER_BYTES, FOOTER_MARK, FORMAT, HEADER_BYTES, MAGIC,
    SealedError, block_checksum, padding_after,
};
use crate::sector::{array, crc64, is_zero};

/// A sealed file of which blocks are read one by one, in any order. Opening it checks its two ends; each block is
/// checked when it is read. What is never read is never checked: for that there is [`super::SealedReader`].
#[derive(Debug)]
pub struct SealedBlocks {
    path: PathBuf,
    file: Box<dyn File>,
    file_bytes: u64,
    block_count: u32,
}

impl SealedBlocks {
    /// Opens the file and checks header, footer and length.
    pub fn open(env: &Env, path: &Path, kind: u32) -> Result<SealedBlocks, SealedError> {
        let opened = env.disk.open(path, OpenHow::Read).and_then(|file| Ok((file.len()?, file)));
        let (file_bytes, file) = opened.map_err(|error| SealedError::Io { path: path.to_owned(), error })?;
        let mut blocks = SealedBlocks { path: path.to_owned(), file, file_bytes, block_count: 0 };
        let found = blocks.check_header()?;
        blocks.block_count = blocks.check_footer()?;
        if found == kind {
            Ok(blocks)
        } else {
            Err(SealedError::WrongKind { path: blocks.path, found, expected: kind })
        }
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The payload of the block that lies here.
    pub fn block(&self, place: BlockPlace) -> Result<Bytes, SealedError> {
        let header: [u8; BLOCK_HEADER_BYTES] = array(&self.read(place.offset, BLOCK_HEADER_BYTES)?);
        let payload_bytes = u32::from_le_bytes(array(&header[..4])) as usize;
        let number = u32::from_le_bytes(array(&header[4..8]));
        if payload_bytes > BLOCK_BYTES_MAX || number != place.number || number >= self.block_count {
            return Err(self.damaged(place.offset, "a block's header is wrong"));
        }
        let length = payload_bytes + padding_after(payload_bytes);
        let mut payload = self.read(place.offset + BLOCK_HEADER_BYTES as u64, length)?;
        let is_right = u64::from_le_bytes(array(&header[8..])) == block_checksum(&header[..8], &payload, &[]);
        if !is_right || !is_zero(&payload[payload_bytes..]) {
            return Err(self.damaged(place.offset, "a block's checksum is wrong"));
        }
        payload.truncate(payload_bytes);
        Ok(Bytes::from(payload))
    }

    /// The last block, of which the writer always makes the payload this long.
    pub fn last_block(&self, payload_bytes: usize) -> Result<Bytes, SealedError> {
        let length = BLOCK_HEADER_BYTES + payload_bytes + padding_after(payload_bytes);
        let offset = self.file_bytes.checked_sub((FOOTER_BYTES + length) as u64);
        match (offset, self.block_count.checked_sub(1)) {
            (Some(offset), Some(number)) => self.block(BlockPlace { offset, number }),
            _ => Err(self.damaged(0, "blocks are missing")),
        }
    }

    fn check_header(&self) -> Result<u32, SealedError> {
        let header: [u8; HEADER_BYTES] = array(&self.read(0, HEADER_BYTES)?);
        if header[..8] != MAGIC || u64::from_le_bytes(array(&header[24..])) != crc64(&header[..24]) {
            return Err(self.damaged(0, "the header's checksum is wrong"));
        }
        match u32::from_le_bytes(array(&header[8..12])) {
            FORMAT => Ok(u32::from_le_bytes(array(&header[12..16]))),
            found => Err(SealedError::UnknownFormat { path: self.path.clone(), found }),
        }
    }

    fn check_footer(&self) -> Result<u32, SealedError> {
        let offset = self.file_bytes.saturating_sub(FOOTER_BYTES as u64);
        let footer: [u8; FOOTER_BYTES] = array(&self.read(offset, FOOTER_BYTES)?);
        let is_right = u64::from_le_bytes(array(&footer[48..])) == crc64(&footer[..48])
            && u32::from_le_bytes(array(&footer[..4])) == FOOTER_MARK
            && u64::from_le_bytes(array(&footer[8..16])) == self.file_bytes;
        if is_right {
            Ok(u32::from_le_bytes(array(&footer[4..8])))
        } else {
            Err(self.damaged(offset, "the footer's checksum is wrong"))
        }
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, SealedError> {
        let is_inside = offset.checked_add(length as u64).is_some_and(|end| end <= self.file_bytes);
        if !is_inside {
            return Err(self.damaged(offset, "the file ends too early"));
        }
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(offset, "the file ends too early"))
            }
            Err(error) => Err(SealedError::Io { path: self.path.clone(), error }),
        }
    }

    fn damaged(&self, offset: u64, reason: &'static str) -> SealedError {
        SealedError::Damaged { path: self.path.clone(), offset, reason }
    }
}
