use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::errors::ApiError;
use crate::errors::catalogue::INTERNAL;

/// What a handler gives back.
pub type Answer = Result<Response<Body>, ApiError>;

/// An answer of status 200 in JSON.
pub fn json(value: &impl Serialize) -> Answer {
    json_with(StatusCode::OK, value)
}

/// An answer in JSON.
pub fn json_with(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => Ok(bytes(status, "application/json", body)),
        Err(error) => Err(ApiError::new(&INTERNAL, format!("the answer cannot be written as JSON: {error}"))),
    }
}

/// An answer of some content type.
pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
