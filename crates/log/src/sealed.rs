//! A sealed file is written once, from front to back, and gets its name only when it is whole and durable. Reading
//! checks every byte: each block has a checksum, the footer has a hash of the file and its length.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_env::{Env, File, OpenHow, kill_point};

use crate::sector::{array, crc64, is_zero};
use crate::window::Window;

/// Reading single blocks, in any order.
mod blocks;

pub use blocks::SealedBlocks;

/// What a sealed file is called until it is whole. Files with such names are left by crashes, and nothing needs them.
pub const TEMPORARY_SUFFIX: &str = ".tmp";
/// Bytes of one block.
pub const BLOCK_BYTES_MAX: usize = 1 << 30;

const MAGIC: [u8; 8] = *b"HWSEALED";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 32;
const BLOCK_HEADER_BYTES: usize = 16;
const FOOTER_BYTES: usize = 56;
const FOOTER_MARK: u32 = u32::MAX;
const ALIGNMENT: usize = 8;
/// Blocks are collected up to this size before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Why a sealed file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// Its bytes are not those that were written.
    #[error("{} is damaged at byte {offset}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// It is whole, but holds something else.
    #[error("{} holds kind {found:#x} instead of {expected:#x}; it belongs elsewhere", path.display())]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it says it holds.
        found: u32,
        /// What was asked for.
        expected: u32,
    },
    /// A later version of Headwater wrote it.
    #[error("{} has format {found}, newer than this version of Headwater reads; use the version that wrote it", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The disk failed.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        #[source]
        error: io::Error,
    },
}

/// Where a block lies in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockPlace {
    /// The byte at which its header begins.
    pub offset: u64,
    /// How many blocks come before it.
    pub number: u32,
}

/// Writes a sealed file. Dropped before [`SealedWriter::finish`] it leaves nothing behind.
#[derive(Debug)]
pub struct SealedWriter {
    env: Env,
    path: PathBuf,
    temporary: PathBuf,
    file: Box<dyn File>,
    buffer: Vec<u8>,
    written: u64,
    hasher: blake3::Hasher,
    block_count: u32,
    is_finished: bool,
}

impl SealedWriter {
    /// Begins the file that will be called `path`. A file that has the name stays until the new one is whole.
    pub fn create(env: &Env, path: &Path, kind: u32) -> io::Result<SealedWriter> {
        let temporary = temporary_path(path);
        if env.disk.exists(&temporary) {
            env.disk.remove(&temporary)?;
        }
        let file = env.disk.open(&temporary, OpenHow::CreateNew)?;
        let mut writer = SealedWriter {
            env: env.clone(),
            path: path.to_owned(),
            temporary,
            file,
            buffer: Vec::with_capacity(HEADER_BYTES),
            written: 0,
            hasher: blake3::Hasher::new(),
            block_count: 0,
            is_finished: false,
        };
        writer.buffer.extend_from_slice(&encode_header(kind));
        Ok(writer)
    }

    /// Where the next block will lie.
    #[must_use]
    pub fn place(&self) -> BlockPlace {
        BlockPlace { offset: self.written + self.buffer.len() as u64, number: self.block_count }
    }

    /// Adds a block.
    pub fn block(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > BLOCK_BYTES_MAX || self.block_count == FOOTER_MARK {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a block is larger than 1 GiB; split it",
            ));
        }
        let mut head = [0; 8];
        head[..4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        head[4..].copy_from_slice(&self.block_count.to_le_bytes());
        let padding = [0; ALIGNMENT];
        let padding = &padding[..padding_after(bytes.len())];
        self.buffer.extend_from_slice(&head);
        self.buffer.extend_from_slice(&block_checksum(&head, bytes, padding).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
        self.buffer.extend_from_slice(padding);
        self.block_count += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.write_buffer() } else { Ok(()) }
    }

    /// Makes the file durable and gives it its name. Returns its length in bytes.
    pub fn finish(mut self) -> io::Result<u64> {
        let mut footer = [0; FOOTER_BYTES];
        let file_bytes = self.written + self.buffer.len() as u64 + FOOTER_BYTES as u64;
        footer[..4].copy_from_slice(&FOOTER_MARK.to_le_bytes());
        footer[4..8].copy_from_slice(&self.block_count.to_le_bytes());
        footer[8..16].copy_from_slice(&file_bytes.to_le_bytes());
        self.buffer.extend_from_slice(&footer[..16]);
        self.write_buffer()?;
        footer[16..48].copy_from_slice(self.hasher.finalize().as_bytes());
        let checksum = crc64(&footer[..48]);
        footer[48..].copy_from_slice(&checksum.to_le_bytes());
        self.file.write_at(&footer[16..], self.written)?;
        self.file.sync()?;
        kill_point::reach("sealed.written");
        self.env.disk.rename(&self.temporary, &self.path)?;
        self.is_finished = true;
        kill_point::reach("sealed.renamed");
        self.env.disk.sync_dir(folder_of(&self.path))?;
        Ok(file_bytes)
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for SealedWriter {
    fn drop(&mut self) {
        if !self.is_finished && self.env.disk.remove(&self.temporary).is_err() {
            tracing::warn!(file = %self.temporary.display(), "cannot remove an unfinished file; it may be deleted");
        }
    }
}

/// Reads a sealed file: an iterator over its blocks.
#[derive(Debug)]
pub struct SealedReader {
    path: PathBuf,
    window: Window,
    block_count: u32,
    next_block: u32,
    offset: u64,
}

impl SealedReader {
    /// Opens the file and verifies all of it before anything is given out.
    pub fn open(env: &Env, path: &Path, kind: u32) -> Result<SealedReader, SealedError> {
        let opened = env.disk.open(path, OpenHow::Read).and_then(|file| Ok((file.len()?, file)));
        let (file_bytes, file) = opened.map_err(|error| SealedError::Io { path: path.to_owned(), error })?;
        let mut reader = SealedReader {
            path: path.to_owned(),
            window: Window::new(file, file_bytes),
            block_count: 0,
            next_block: 0,
            offset: HEADER_BYTES as u64,
        };
        reader.verify(kind)?;
        Ok(reader)
    }

    /// How many blocks there are.
    #[must_use]
    pub fn block_count(&self) -> u32 {
        self.block_count
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.window.file_bytes()
    }

    fn verify(&mut self, kind: u32) -> Result<(), SealedError> {
        let header: [u8; HEADER_BYTES] = array(self.bytes(0, HEADER_BYTES)?);
        let found_kind = self.check_header(&header)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        let mut offset = HEADER_BYTES as u64;
        let mut block_count = 0;
        while let Some(length) = self.block_at(offset, block_count)? {
            let block = self.bytes(offset, length)?;
            hasher.update(block);
            offset += length as u64;
            block_count += 1;
        }
        self.check_footer(offset, block_count, hasher)?;
        self.block_count = block_count;
        if found_kind == kind {
            Ok(())
        } else {
            Err(SealedError::WrongKind { path: self.path.clone(), found: found_kind, expected: kind })
        }
    }

    fn check_header(&self, header: &[u8; HEADER_BYTES]) -> Result<u32, SealedError> {
        if header[..8] != MAGIC || u64::from_le_bytes(array(&header[24..])) != crc64(&header[..24]) {
            return Err(self.damaged(0, "the header's checksum is wrong"));
        }
        match u32::from_le_bytes(array(&header[8..12])) {
            FORMAT if is_zero(&header[16..24]) => Ok(u32::from_le_bytes(array(&header[12..16]))),
            FORMAT => Err(self.damaged(16, "the header has fields of another format")),
            found => Err(SealedError::UnknownFormat { path: self.path.clone(), found }),
        }
    }

    /// Checks the block that begins here and returns its length on disk; `None` at the footer.
    fn block_at(&mut self, offset: u64, number: u32) -> Result<Option<usize>, SealedError> {
        let header: [u8; BLOCK_HEADER_BYTES] = array(self.bytes(offset, BLOCK_HEADER_BYTES)?);
        let payload_bytes = u32::from_le_bytes(array(&header[..4]));
        if payload_bytes == FOOTER_MARK {
            return Ok(None);
        }
        let payload_bytes = payload_bytes as usize;
        if payload_bytes > BLOCK_BYTES_MAX || u32::from_le_bytes(array(&header[4..8])) != number {
            return Err(self.damaged(offset, "a block's header is wrong"));
        }
        let length = BLOCK_HEADER_BYTES + payload_bytes + padding_after(payload_bytes);
        let payload = &self.bytes(offset, length)?[BLOCK_HEADER_BYTES..];
        let is_right = u64::from_le_bytes(array(&header[8..])) == block_checksum(&header[..8], payload, &[]);
        if !is_right || !is_zero(&payload[payload_bytes..]) {
            return Err(self.damaged(offset, "a block's checksum is wrong"));
        }
        Ok(Some(length))
    }

    fn check_footer(
        &mut self,
        offset: u64,
        blocks: u32,
        mut hasher: blake3::Hasher,
    ) -> Result<(), SealedError> {
        let file_bytes = self.window.file_bytes();
        let footer: [u8; FOOTER_BYTES] = array(self.bytes(offset, FOOTER_BYTES)?);
        hasher.update(&footer[..16]);
        let reason = if u64::from_le_bytes(array(&footer[48..])) != crc64(&footer[..48]) {
            "the footer's checksum is wrong"
        } else if u32::from_le_bytes(array(&footer[4..8])) != blocks {
            "blocks are missing"
        } else if u64::from_le_bytes(array(&footer[8..16])) != file_bytes
            || offset + FOOTER_BYTES as u64 != file_bytes
        {
            "the file does not end where it should"
        } else if footer[16..48] != *hasher.finalize().as_bytes() {
            "the hash of the file is wrong"
        } else {
            return Ok(());
        };
        Err(self.damaged(offset, reason))
    }

    fn read_block(&mut self) -> Result<Bytes, SealedError> {
        let offset = self.offset;
        let number = self.next_block;
        let length = self.block_at(offset, number)?;
        let length = length.ok_or_else(|| self.damaged(offset, "blocks are missing"))?;
        let block = self.bytes(offset, length)?;
        let payload_bytes = u32::from_le_bytes(array(&block[..4])) as usize;
        let payload = Bytes::copy_from_slice(&block[BLOCK_HEADER_BYTES..BLOCK_HEADER_BYTES + payload_bytes]);
        self.offset += length as u64;
        self.next_block += 1;
        Ok(payload)
    }

    fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8], SealedError> {
        match self.window.bytes(offset, length) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let reason = "the file ends too early";
                Err(SealedError::Damaged { path: self.path.clone(), offset, reason })
            }
            Err(error) => Err(SealedError::Io { path: self.path.clone(), error }),
        }
    }

    fn damaged(&self, offset: u64, reason: &'static str) -> SealedError {
        SealedError::Damaged { path: self.path.clone(), offset, reason }
    }
}

impl Iterator for SealedReader {
    type Item = Result<Bytes, SealedError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next_block == self.block_count {
            return None;
        }
        let block = self.read_block();
        if block.is_err() {
            self.next_block = self.block_count;
        }
        Some(block)
    }
}

fn encode_header(kind: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header[12..16].copy_from_slice(&kind.to_le_bytes());
    let checksum = crc64(&header[..24]);
    header[24..].copy_from_slice(&checksum.to_le_bytes());
    header
}

fn block_checksum(head: &[u8], payload: &[u8], padding: &[u8]) -> u64 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    digest.update(head);
    digest.update(payload);
    digest.update(padding);
    digest.finalize()
}

fn padding_after(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT) - bytes
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMPORARY_SUFFIX);
    PathBuf::from(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
