use std::io::Read;

use flate2::bufread::GzDecoder;
use headwater_types::limits::{BODY_BYTES_MAX, DECOMPRESSION_FREE_BYTES, DECOMPRESSION_RATIO_MAX};

/// Why a compressed body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GunzipError {
    /// The bytes are not gzip.
    #[error("the body is not valid gzip: {reason}")]
    Invalid {
        /// What the decoder met.
        reason: String,
    },
    /// The stream ends before its end marker.
    #[error("the gzip body is cut short")]
    Truncated,
    /// Bytes follow the last member that are not a further member.
    #[error("{bytes} bytes follow the end of the gzip body")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// More than `limits::BODY_BYTES_MAX` come out.
    #[error("the body is larger than {max} bytes when decompressed")]
    TooLarge {
        /// The bound.
        max: usize,
    },
    /// The body grows more than `limits::DECOMPRESSION_RATIO_MAX` allows.
    #[error("the body grows more than {ratio_max} times when decompressed")]
    TooDense {
        /// The bound.
        ratio_max: usize,
    },
}

/// Decompresses a gzip body of one or several members within the bounds of `limits`.
///
/// Zeros after the last member are padding and passed over, as gzip itself does.
pub fn gunzip(wire: &[u8]) -> Result<Vec<u8>, GunzipError> {
    let dense_max =
        DECOMPRESSION_FREE_BYTES.saturating_add(wire.len().saturating_mul(DECOMPRESSION_RATIO_MAX));
    let bytes_max = BODY_BYTES_MAX.min(dense_max);
    let mut body = Vec::new();
    let mut rest = wire;
    loop {
        rest = take_member(rest, &mut body, bytes_max)?;
        if body.len() > bytes_max {
            return Err(if bytes_max == BODY_BYTES_MAX {
                GunzipError::TooLarge { max: BODY_BYTES_MAX }
            } else {
                GunzipError::TooDense { ratio_max: DECOMPRESSION_RATIO_MAX }
            });
        }
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(body);
        }
        if !rest.starts_with(&MAGIC) {
            return Err(GunzipError::TrailingBytes { bytes: rest.len() });
        }
    }
}

/// How each member begins.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses the first member, up to one byte more than allowed, and returns what follows it.
fn take_member<'w>(wire: &'w [u8], body: &mut Vec<u8>, bytes_max: usize) -> Result<&'w [u8], GunzipError> {
    let mut decoder = GzDecoder::new(wire);
    let allowed = (bytes_max - body.len()) as u64 + 1;
    match decoder.by_ref().take(allowed).read_to_end(body) {
        Ok(_) => Ok(decoder.into_inner()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(GunzipError::Truncated),
        Err(error) => Err(GunzipError::Invalid { reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests;
