use headwater_types::limits::{BODY_BYTES_MAX, DECODED_BYTES_MAX, RECORDS_PER_REQUEST_MAX};

/// Why a body was refused as a whole, before any of its records counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is nothing in the body.
    #[error("the body is empty")]
    Empty,
    /// The body is longer than `limits::BODY_BYTES_MAX`.
    #[error("the body has {bytes} bytes, at most {BODY_BYTES_MAX} are taken in one request")]
    TooLarge {
        /// Length of the body.
        bytes: usize,
    },
    /// The rows would take more memory than `limits::DECODED_BYTES_MAX`.
    #[error("the rows of the body take more than {DECODED_BYTES_MAX} bytes of memory")]
    DecodedTooLarge,
    /// The body has more records than `limits::RECORDS_PER_REQUEST_MAX`.
    #[error("the body has more than {RECORDS_PER_REQUEST_MAX} records")]
    TooManyRecords,
    /// A JSON document is not UTF-8.
    #[error("the body is not UTF-8: bad byte at offset {offset}")]
    NotUtf8 {
        /// Bytes before the bad one.
        offset: usize,
    },
    /// The header row of a CSV body cannot be used.
    #[error("{message}")]
    CsvHeader {
        /// The machine-readable reason, as in `RecordErrorCode::as_str`.
        code: &'static str,
        /// The field at fault.
        column: Option<String>,
        /// Why, for people.
        message: String,
        /// What to do, where it can be said.
        hint: Option<String>,
    },
    /// The table cannot take the operation.
    #[error("{message}")]
    Operation {
        /// Why, for people.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl BodyError {
    /// The machine-readable reason. Its text is API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BodyError::Empty => "empty_body",
            BodyError::TooLarge { .. } | BodyError::DecodedTooLarge => "body_too_large",
            BodyError::TooManyRecords => "too_many_records",
            BodyError::NotUtf8 { .. } => "not_utf8",
            BodyError::CsvHeader { code, .. } => code,
            BodyError::Operation { .. } => "bad_operation",
        }
    }

    /// What the sender can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            BodyError::Empty => Some("send at least one record".to_owned()),
            BodyError::TooLarge { .. } | BodyError::DecodedTooLarge | BodyError::TooManyRecords => {
                Some("split the records over several requests".to_owned())
            }
            BodyError::NotUtf8 { .. } => Some("encode the body as UTF-8".to_owned()),
            BodyError::CsvHeader { hint, .. } => hint.clone(),
            BodyError::Operation { hint, .. } => Some(hint.clone()),
        }
    }
}
