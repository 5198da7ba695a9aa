use std::io::Read;

use headwater_types::limits::ZSTD_WINDOW_LOG_MAX;

use crate::decompression::{DecompressionError, bytes_max, too_long};

/// Decompresses a zstd body of one or several frames within the bounds of `limits`.
pub fn unzstd(wire: &[u8]) -> Result<Vec<u8>, DecompressionError> {
    let bytes_max = bytes_max(wire.len());
    let invalid = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => DecompressionError::Truncated,
        _ => DecompressionError::Invalid { reason: error.to_string() },
    };
    let mut decoder = zstd::stream::read::Decoder::with_buffer(wire).map_err(invalid)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(invalid)?;
    let mut body = Vec::new();
    decoder.take(bytes_max as u64 + 1).read_to_end(&mut body).map_err(invalid)?;
    if body.len() > bytes_max {
        return Err(too_long(bytes_max));
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
