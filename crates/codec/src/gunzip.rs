use std::io::Read;

use flate2::bufread::GzDecoder;

use crate::decompression::{DecompressionError, bytes_max, too_long};

/// Decompresses a gzip body of one or several members within the bounds of `limits`.
///
/// Zeros after the last member are padding and passed over, as gzip itself does.
pub fn gunzip(wire: &[u8]) -> Result<Vec<u8>, DecompressionError> {
    let bytes_max = bytes_max(wire.len());
    let mut body = Vec::new();
    let mut rest = wire;
    loop {
        rest = take_member(rest, &mut body, bytes_max)?;
        if body.len() > bytes_max {
            return Err(too_long(bytes_max));
        }
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(body);
        }
        if !rest.starts_with(&MAGIC) {
            return Err(DecompressionError::TrailingBytes { bytes: rest.len() });
        }
    }
}

/// How each member begins.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses the first member, up to one byte more than allowed, and returns what follows it.
fn take_member<'w>(
    wire: &'w [u8],
    body: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<&'w [u8], DecompressionError> {
    let mut decoder = GzDecoder::new(wire);
    let allowed = (bytes_max - body.len()) as u64 + 1;
    match decoder.by_ref().take(allowed).read_to_end(body) {
        Ok(_) => Ok(decoder.into_inner()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(DecompressionError::Truncated),
        Err(error) => Err(DecompressionError::Invalid { reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests;
