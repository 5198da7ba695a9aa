use headwater_types::limits::{BODY_BYTES_MAX, DECOMPRESSION_FREE_BYTES, DECOMPRESSION_RATIO_MAX};

/// Why a compressed body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressionError {
    /// The bytes are not compressed as they should be.
    #[error("the compressed body is not valid: {reason}")]
    Invalid {
        /// What the decoder met.
        reason: String,
    },
    /// The stream ends before its end marker.
    #[error("the compressed body is cut short")]
    Truncated,
    /// Bytes follow the last member that are not a further member.
    #[error("{bytes} bytes follow the end of the compressed body")]
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

/// Bytes that a body of this length may become.
pub(crate) fn bytes_max(wire_bytes: usize) -> usize {
    BODY_BYTES_MAX.min(dense_max(wire_bytes))
}

/// Bytes that so many bytes may become by their ratio alone.
pub(crate) fn dense_max(wire_bytes: usize) -> usize {
    DECOMPRESSION_FREE_BYTES.saturating_add(wire_bytes.saturating_mul(DECOMPRESSION_RATIO_MAX))
}

/// The refusal of a body that became more than [`bytes_max`].
pub(crate) fn too_long(bytes_max: usize) -> DecompressionError {
    if bytes_max == BODY_BYTES_MAX {
        DecompressionError::TooLarge { max: BODY_BYTES_MAX }
    } else {
        DecompressionError::TooDense { ratio_max: DECOMPRESSION_RATIO_MAX }
    }
}
