use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use headwater_sql::Diagnostic;
use headwater_types::{Lsn, RecordError};
use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue::Condition;
use crate::http::request_id::RequestId;

/// Why a request has no answer. Its condition gives status and code; message and hint are for people.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    condition: &'static Condition,
    code: &'static str,
    message: String,
    hint: Option<String>,
    place: Option<Place>,
    lsn: Option<Lsn>,
    refused: Option<RefusedRecords>,
    closes_connection: bool,
}

/// The records for which a request was refused.
#[derive(Clone, Debug)]
pub struct RefusedRecords {
    /// Records in the request.
    pub received: u64,
    /// Bad records in all.
    pub rejected: u64,
    /// The first of them.
    pub errors: Vec<RecordError>,
}

impl ApiError {
    /// This condition, with its usual hint.
    pub fn new(condition: &'static Condition, message: impl Into<String>) -> ApiError {
        ApiError(Box::new(Parts {
            condition,
            code: condition.code,
            message: message.into(),
            hint: Some(condition.remedy.to_owned()),
            place: None,
            lsn: None,
            refused: None,
            closes_connection: false,
        }))
    }

    /// The same with a hint that knows more.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> ApiError {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with a better hint, if there is one.
    #[must_use]
    pub fn maybe_hint(self, hint: Option<impl Into<String>>) -> ApiError {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The same with a finer code of a family that the catalogue lists as one.
    #[must_use]
    pub fn finer_code(mut self, code: &'static str) -> ApiError {
        self.0.code = code;
        self
    }

    /// The same with the LSN that it is true at.
    #[must_use]
    pub fn at(mut self, lsn: Lsn) -> ApiError {
        self.0.lsn = Some(lsn);
        self
    }

    /// The same with the bad records.
    #[must_use]
    pub fn with_records(mut self, refused: RefusedRecords) -> ApiError {
        self.0.refused = Some(refused);
        self
    }

    /// The same; the connection cannot be used for another request, as part of this one was not read.
    #[must_use]
    pub fn closing_connection(mut self) -> ApiError {
        self.0.closes_connection = true;
        self
    }

    /// SQL text that was refused.
    #[must_use]
    pub fn from_diagnostic(condition: &'static Condition, diagnostic: &Diagnostic) -> ApiError {
        let mut error = ApiError::new(condition, diagnostic.message.clone()).finer_code(diagnostic.code);
        error.0.hint = diagnostic.hint.clone();
        error.0.place = Some(Place {
            line: diagnostic.line,
            column: diagnostic.column,
            snippet: diagnostic.snippet.clone(),
        });
        error
    }

    /// The code as it stands in the answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The condition that the catalogue lists.
    #[must_use]
    pub fn condition(&self) -> &'static Condition {
        self.0.condition
    }

    /// The message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, for people.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The answer. Its body carries the request's id, which only the door knows.
    #[must_use]
    pub fn render(&self, request_id: &RequestId) -> Response<Body> {
        let body = serde_json::to_vec(&self.document(request_id)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.0.condition.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.0.condition.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.closes_connection {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The answer as bytes, for a connection that is closed before any of it was read.
    #[must_use]
    pub fn render_raw(&self) -> Vec<u8> {
        let condition = self.0.condition;
        let mut raw = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\nconnection: close\r\n",
            condition.status
        );
        if let Some(seconds) = condition.retry_after_s {
            raw.push_str(&format!("retry-after: {seconds}\r\n"));
        }
        raw.push_str("\r\n");
        let document = self.document(&RequestId::fresh());
        [raw.into_bytes(), serde_json::to_vec(&document).unwrap_or_default()].concat()
    }

    fn document(&self, request_id: &RequestId) -> ErrorAnswer {
        let parts = &self.0;
        let refused = parts.refused.as_ref();
        ErrorAnswer {
            error: ErrorBody {
                code: parts.code.to_owned(),
                message: parts.message.clone(),
                hint: parts.hint.clone(),
                place: parts.place.clone(),
                request_id: request_id.to_string(),
            },
            lsn: parts.lsn.map(|lsn| lsn.0),
            received: refused.map(|refused| refused.received),
            rejected: refused.map(|refused| refused.rejected),
            errors: refused.map(|refused| refused.errors.iter().map(RecordErrorAnswer::from).collect()),
        }
    }
}

/// Leaves the error in the answer's extensions: the door renders it, as it alone knows the request's id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.condition.status;
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to a request that failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorBody,
    /// The LSN that the error is true at, when what is not there was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lsn: Option<u64>,
    /// Records in the request, when records were at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// Bad records in all, when records were at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<u64>,
    /// The first 1,000 bad records, when records were at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<RecordErrorAnswer>>,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// The reason for machines. It does not change.
    #[schema(example = "unknown_table")]
    pub code: String,
    /// The reason for people. It may change.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where in SQL text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The request's id, as in the header `x-request-id` and in the server's log.
    pub request_id: String,
}

/// A place in SQL text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Place {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The line and a caret under the place.
    pub snippet: String,
}

/// One bad record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordErrorAnswer {
    /// The record's place in the request, counted from zero.
    pub index: u32,
    /// The reason for machines.
    #[schema(example = "type_mismatch")]
    pub code: &'static str,
    /// The column or field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The reason for people.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&RecordError> for RecordErrorAnswer {
    fn from(error: &RecordError) -> RecordErrorAnswer {
        RecordErrorAnswer {
            index: error.index,
            code: error.code.as_str(),
            column: error.column.clone(),
            message: error.message.clone(),
            hint: error.hint.clone(),
        }
    }
}
