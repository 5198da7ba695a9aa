use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use headwater_codec::{DecompressionError, gunzip, unzstd};
use headwater_types::limits::{BODY_BYTES_MAX, BODY_WIRE_BYTES_MAX, DECODE_INLINE_BYTES_MAX, SQL_BYTES_MAX};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::body_budget::BodyShare;
use super::headers::{ContentEncoding, content_encoding};
use crate::app::{App, Bounds};
use crate::errors::ApiError;
use crate::errors::catalogue::{
    BAD_COMPRESSION, BODIES_FULL, BODY_INCOMPLETE, BODY_TIMEOUT, BODY_TOO_DENSE, BODY_TOO_LARGE, NOT_UTF8,
};

/// Bytes set aside before the first byte has come, whatever length the head promises.
const CAPACITY_BYTES_MAX: usize = 1 << 20;

/// Bytes of a body that is refused for its length, read and thrown away so that the client gets to read the answer.
const DISCARDED_BYTES_MAX: usize = BODY_WIRE_BYTES_MAX;

/// A request's body, complete and decompressed, and its share of the budget.
#[derive(Debug)]
pub struct ReadBody {
    /// The bytes.
    pub bytes: Bytes,
    /// Held until the request is answered.
    pub share: BodyShare,
}

/// Reads the body of a push.
pub async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<ReadBody, ApiError> {
    read_up_to(Bound { wire: BODY_WIRE_BYTES_MAX, decompressed: BODY_BYTES_MAX }, app, headers, body).await
}

/// Reads a body that is a text: a program, a query, a small JSON object.
pub async fn read_text(app: &App, headers: &HeaderMap, body: Body) -> Result<String, ApiError> {
    let read =
        read_up_to(Bound { wire: SQL_BYTES_MAX, decompressed: SQL_BYTES_MAX }, app, headers, body).await?;
    match String::from_utf8(read.bytes.into()) {
        Ok(text) => Ok(text),
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            Err(ApiError::new(&NOT_UTF8, format!("the body is not UTF-8: bad byte at offset {offset}")))
        }
    }
}

/// How long a body may be, on the wire and after decompression.
#[derive(Clone, Copy)]
struct Bound {
    wire: usize,
    decompressed: usize,
}

async fn read_up_to(bound: Bound, app: &App, headers: &HeaderMap, body: Body) -> Result<ReadBody, ApiError> {
    let encoding = content_encoding(headers)?;
    let mut reading = Reading::new(bound.wire, app, body);
    let wire = reading.run(headers).await?;
    let mut share = reading.share;
    let bytes = match encoding {
        ContentEncoding::Identity => wire,
        ContentEncoding::Gzip | ContentEncoding::Zstd => {
            let decompress = if encoding == ContentEncoding::Gzip { gunzip } else { unzstd };
            let decompressed = off_the_reactor(wire.len(), || decompress(&wire)).map_err(|e| refused(&e))?;
            if decompressed.len() > bound.decompressed {
                return Err(too_large(bound.decompressed));
            }
            if !share.grow(decompressed.len()) {
                return Err(bodies_full());
            }
            Bytes::from(decompressed)
        }
    };
    Ok(ReadBody { bytes, share })
}

/// Runs work that is long for a large body without holding up the other tasks of this thread.
pub fn off_the_reactor<T>(body_bytes: usize, work: impl FnOnce() -> T) -> T {
    if body_bytes > DECODE_INLINE_BYTES_MAX { tokio::task::block_in_place(work) } else { work() }
}

/// A body on its way in.
struct Reading {
    bytes_max: usize,
    bounds: Bounds,
    deadline: Instant,
    share: BodyShare,
    body: Body,
}

impl Reading {
    fn new(bytes_max: usize, app: &App, body: Body) -> Reading {
        let bounds = app.bounds;
        Reading { bytes_max, bounds, deadline: Instant::now() + bounds.body, share: app.bodies.share(), body }
    }

    async fn run(&mut self, headers: &HeaderMap) -> Result<Bytes, ApiError> {
        let promised = self.body.size_hint().exact().filter(|_| headers.contains_key(header::CONTENT_LENGTH));
        if promised.is_some_and(|bytes| bytes > self.bytes_max as u64) {
            // Who asks first has not sent the body yet; reading any of it would be the permission to.
            if headers.contains_key(header::EXPECT) {
                return Err(too_large(self.bytes_max).closing_connection());
            }
            return Err(self.refuse_length().await);
        }
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        if self.body.is_end_stream() {
            return Ok(first);
        }
        let capacity = promised
            .map_or(0, |bytes| bytes as usize)
            .clamp(first.len(), first.len().max(CAPACITY_BYTES_MAX));
        let mut whole = BytesMut::with_capacity(capacity);
        whole.extend_from_slice(&first);
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(piece) = self.next_unbounded().await? else { return Ok(None) };
        if self.share.bytes() + piece.len() > self.bytes_max {
            return Err(self.refuse_length().await);
        }
        if !self.share.grow(piece.len()) {
            return Err(bodies_full().closing_connection());
        }
        Ok(Some(piece))
    }

    async fn next_unbounded(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let idle_end = Instant::now() + self.bounds.body_idle;
            match timeout_at(self.deadline.min(idle_end), self.body.frame()).await {
                Err(_) => {
                    return Err(
                        ApiError::new(&BODY_TIMEOUT, "the body did not come in time").closing_connection()
                    );
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    let message = format!("the body ended early: {error}");
                    return Err(ApiError::new(&BODY_INCOMPLETE, message).closing_connection());
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// Reads on for a while without keeping anything: a socket closed on unread bytes would take the answer with it.
    async fn refuse_length(&mut self) -> ApiError {
        let mut discarded = 0;
        while discarded < DISCARDED_BYTES_MAX {
            match self.next_unbounded().await {
                Ok(Some(piece)) => discarded += piece.len(),
                Ok(None) => return too_large(self.bytes_max),
                Err(_) => break,
            }
        }
        too_large(self.bytes_max).closing_connection()
    }
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(&BODY_TOO_LARGE, format!("the body has more than {bytes_max} bytes"))
}

fn bodies_full() -> ApiError {
    ApiError::new(&BODIES_FULL, "all requests together hold as many bytes as they may")
}

fn refused(error: &DecompressionError) -> ApiError {
    let condition = match error {
        DecompressionError::Invalid { .. }
        | DecompressionError::Truncated
        | DecompressionError::TrailingBytes { .. } => &BAD_COMPRESSION,
        DecompressionError::TooLarge { .. } => &BODY_TOO_LARGE,
        DecompressionError::TooDense { .. } => &BODY_TOO_DENSE,
    };
    ApiError::new(condition, error.to_string())
}
