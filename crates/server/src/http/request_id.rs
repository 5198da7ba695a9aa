use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue};

/// Bytes of a request id that a client may choose.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// The header that carries a request's id, both ways.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Differs from start to start, so that ids in old log lines stay unique.
static PROCESS_PREFIX: LazyLock<u32> =
    LazyLock::new(|| (RandomState::new().hash_one(std::process::id()) >> 32) as u32);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// What answers and log lines call one request: the client's `x-request-id` if it is fit for a log line, else our own.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of a request with these headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> RequestId {
        match headers.get(REQUEST_ID_HEADER) {
            Some(value) if is_fit(value.as_bytes()) => RequestId(value.clone()),
            _ => RequestId::fresh(),
        }
    }

    /// An id that no request had before.
    #[must_use]
    pub fn fresh() -> RequestId {
        let text = format!("{:08x}-{:x}", *PROCESS_PREFIX, NEXT.fetch_add(1, Ordering::Relaxed));
        RequestId(HeaderValue::try_from(text).expect("hexadecimal digits are valid in a header"))
    }

    /// The id as a header.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

fn is_fit(id: &[u8]) -> bool {
    let fit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= CLIENT_ID_BYTES_MAX && id.iter().all(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(client: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static(client));
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_fit_id_of_the_client_is_kept() {
        assert_eq!(id_for("trace-17.a_B"), "trace-17.a_B");
    }

    #[test]
    fn an_unfit_id_is_replaced() {
        assert_ne!(id_for("two words"), "two words");
        assert_ne!(id_for(""), "");
    }

    #[test]
    fn own_ids_differ() {
        let headers = HeaderMap::new();
        assert_ne!(RequestId::of(&headers).to_string(), RequestId::of(&headers).to_string());
    }
}
