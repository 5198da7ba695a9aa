use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use headwater_codec::BodyFormat;

use crate::errors::ApiError;
use crate::errors::catalogue::{BAD_HEADER, UNSUPPORTED_ENCODING};

/// The header that makes a retry of a push safe.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that gives the LSN of an answer whose body is rows only.
pub const HEADWATER_LSN: HeaderName = HeaderName::from_static("x-headwater-lsn");

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// With gzip.
    Gzip,
    /// With zstd.
    Zstd,
}

/// How the body of a request with these headers is compressed.
pub fn content_encoding(headers: &HeaderMap) -> Result<ContentEncoding, ApiError> {
    match single(headers, &header::CONTENT_ENCODING)? {
        None => Ok(ContentEncoding::Identity),
        Some(name) if name.eq_ignore_ascii_case("identity") => Ok(ContentEncoding::Identity),
        Some(name) if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
            Ok(ContentEncoding::Gzip)
        }
        Some(name) if name.eq_ignore_ascii_case("zstd") => Ok(ContentEncoding::Zstd),
        Some(other) => {
            Err(ApiError::new(&UNSUPPORTED_ENCODING, format!("content encoding {other:?} is not supported")))
        }
    }
}

/// How the records of a push with these headers are laid out. Tools send JSON under many types (curl: as a form), so
/// whatever is not clearly something else is JSON, told by its first bytes.
pub fn body_format(headers: &HeaderMap) -> Result<BodyFormat, ApiError> {
    let content_type = single(headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Ok(match essence.as_str() {
        "text/csv" | "application/csv" => BodyFormat::Csv,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            BodyFormat::Ndjson
        }
        "application/vnd.apache.arrow.stream" | "application/vnd.apache.arrow.file" => BodyFormat::Arrow,
        _ => BodyFormat::Json,
    })
}

/// The value of a header that may stand once.
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::new(&BAD_HEADER, format!("header {name} is given twice")));
    }
    text(name, value).map(Some)
}

fn text<'a>(name: &HeaderName, value: &'a HeaderValue) -> Result<&'a str, ApiError> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(text.trim()),
        Err(_) => Err(ApiError::new(&BAD_HEADER, format!("header {name} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn what_curl_sends_by_default_is_told_by_its_first_bytes() {
        let headers = with(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        assert_eq!(body_format(&headers).unwrap(), BodyFormat::Json);
    }

    #[test]
    fn formats_are_taken_at_their_word() {
        let csv = with(header::CONTENT_TYPE, "Text/CSV; charset=utf-8");
        let ndjson = with(header::CONTENT_TYPE, "application/x-ndjson");
        let arrow = with(header::CONTENT_TYPE, "application/vnd.apache.arrow.stream");
        assert_eq!(body_format(&csv).unwrap(), BodyFormat::Csv);
        assert_eq!(body_format(&arrow).unwrap(), BodyFormat::Arrow);
        assert_eq!(body_format(&ndjson).unwrap(), BodyFormat::Ndjson);
    }

    #[test]
    fn an_unknown_encoding_is_refused() {
        let error = content_encoding(&with(header::CONTENT_ENCODING, "br")).unwrap_err();
        assert_eq!(error.code(), "unsupported_encoding");
    }

    #[test]
    fn a_header_given_twice_is_refused() {
        let mut headers = with(header::CONTENT_ENCODING, "gzip");
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(content_encoding(&headers).unwrap_err().code(), "bad_header");
    }
}
