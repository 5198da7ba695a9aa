use std::io::Read;

use arrow::buffer::Buffer;
use arrow::ipc::CompressionType;
use headwater_types::limits::{DECODED_BYTES_MAX, ZSTD_WINDOW_LOG_MAX};

use crate::decompression::dense_max;
use crate::ipc::{IpcError, refused};

/// What a compressed buffer begins with: its length when decompressed, or −1 if it is not compressed after all.
const LENGTH_BYTES: usize = 8;

/// Bytes that the buffers of a body may still become by decompression.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// The budget of a body of this length.
    pub(super) fn new(body_bytes: usize) -> Budget {
        Budget { left: DECODED_BYTES_MAX.min(dense_max(body_bytes)) }
    }

    /// Takes so many bytes, or says that they are too many.
    pub(super) fn take(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }
}

/// A buffer as its values are.
pub(super) fn decompressed(
    buffer: Buffer,
    codec: Option<CompressionType>,
    budget: &mut Budget,
) -> Result<Buffer, IpcError> {
    let Some(codec) = codec else { return Ok(buffer) };
    if buffer.is_empty() {
        return Ok(buffer);
    }
    let (length, bytes) = buffer
        .as_slice()
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(|| refused("a compressed buffer is too short"))?;
    let length = i64::from_le_bytes(*length);
    if length == -1 {
        return Ok(buffer.slice(LENGTH_BYTES));
    }
    let length = usize::try_from(length).map_err(|_| refused("a compressed buffer has a negative length"))?;
    budget.take(length).ok_or_else(|| refused("its buffers grow too much when decompressed"))?;
    let mut values = Vec::new();
    match codec {
        CompressionType::ZSTD => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(refused)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(refused)?;
            decoder.take(length as u64 + 1).read_to_end(&mut values).map_err(refused)?;
        }
        _ => {
            return Err(refused(
                "its buffers are compressed by LZ4: have the writer compress with zstd, or not at all",
            ));
        }
    }
    if values.len() != length {
        return Err(refused("a compressed buffer has another length than it says"));
    }
    Ok(Buffer::from_vec(values))
}
