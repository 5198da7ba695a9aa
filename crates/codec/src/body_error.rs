use headwater_types::limits::{BODY_BYTES_MAX, DECODED_BYTES_MAX, RECORDS_PER_REQUEST_MAX};

use crate::problem::Problem;

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
    /// The columns of a CSV or Arrow body do not fit the table.
    #[error("{message}")]
    Columns {
        /// The machine-readable reason, as in `RecordErrorCode::as_str`.
        code: &'static str,
        /// The column at fault.
        column: Option<String>,
        /// Why, for people.
        message: String,
        /// What to do, where it can be said.
        hint: Option<String>,
    },
    /// The body is not an Arrow IPC stream, or one of a kind that is not taken.
    #[error("the body is not an Arrow IPC stream: {reason}")]
    Arrow {
        /// What was found.
        reason: String,
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
    /// The refusal of columns that do not fit the table.
    pub(crate) fn columns(problem: Problem) -> BodyError {
        let Problem { code, column, message, hint } = problem;
        BodyError::Columns { code: code.as_str(), column, message, hint }
    }

    /// The machine-readable reason. Its text is API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BodyError::Empty => "empty_body",
            BodyError::TooLarge { .. } | BodyError::DecodedTooLarge => "body_too_large",
            BodyError::TooManyRecords => "too_many_records",
            BodyError::NotUtf8 { .. } => "not_utf8",
            BodyError::Columns { code, .. } => code,
            BodyError::Arrow { .. } => "bad_arrow",
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
            BodyError::Columns { hint, .. } => hint.clone(),
            BodyError::Arrow { .. } => Some("send the stream whole, as its writer closed it".to_owned()),
            BodyError::Operation { hint, .. } => Some(hint.clone()),
        }
    }
}
