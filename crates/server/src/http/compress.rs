use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use bytes::Bytes;
use flate2::write::GzEncoder;
use headwater_types::limits::COMPRESSED_ANSWER_BYTES_MIN;
use http_body::{Body as HttpBody, Frame};

/// Marks an answer whose body is a stream that ends by itself. Only such are compressed: of one that goes on, a
/// compressor would hold back what was said last.
#[derive(Clone, Copy, Debug)]
pub struct Finite;

/// How an answer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// With zstd: faster and smaller than gzip.
    Zstd,
    /// With gzip.
    Gzip,
}

impl Coding {
    /// The best that a request with these headers takes; `None` if it takes none.
    pub(crate) fn asked(headers: &HeaderMap) -> Option<Coding> {
        let takes = |name: &str| {
            let values =
                headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
            let mut codings = values.flat_map(|value| value.split(','));
            codings.any(|coding| {
                let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
                coding.trim().eq_ignore_ascii_case(name) && !is_zero(weight)
            })
        };
        if takes("zstd") {
            Some(Coding::Zstd)
        } else if takes("gzip") || takes("x-gzip") {
            Some(Coding::Gzip)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }
}

/// Whether a weight, `q=…`, is none at all.
fn is_zero(weight: &str) -> bool {
    weight.trim().strip_prefix("q=").is_some_and(|weight| weight.trim().parse() == Ok(0.0_f32))
}

/// Compresses an answer if the client takes that and it pays.
pub(crate) fn compress(mut response: Response<Body>, coding: Option<Coding>) -> Response<Body> {
    let is_finite = response.extensions_mut().remove::<Finite>().is_some();
    if !pays(&response, is_finite) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(coding) = coding else { return response };
    let Ok(encoder) = Encoder::new(coding) else { return response };
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    response.map(|body| Body::new(Compressed { body, encoder: Some(encoder) }))
}

fn pays(response: &Response<Body>, is_finite: bool) -> bool {
    let headers = response.headers();
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    match response.body().size_hint().exact() {
        Some(bytes) => bytes >= COMPRESSED_ANSWER_BYTES_MIN,
        None => is_finite,
    }
}

/// A body, compressed piece by piece.
struct Compressed {
    body: Body,
    encoder: Option<Encoder>,
}

enum Encoder {
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// At the levels that cost the least: the answer's reader waits for it.
    fn new(coding: Coding) -> io::Result<Encoder> {
        Ok(match coding {
            Coding::Zstd => Encoder::Zstd(Box::new(zstd::stream::write::Encoder::new(Vec::new(), 1)?)),
            Coding::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::fast())),
        })
    }

    /// Takes a piece, and gives what is ready.
    fn write(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Zstd(encoder) => {
                encoder.write_all(piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Encoder::Gzip(encoder) => {
                encoder.write_all(piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Zstd(encoder) => encoder.finish(),
            Encoder::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl HttpBody for Compressed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let Some(mut encoder) = self.encoder.take() else { return Poll::Ready(None) };
            let frame = match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => {
                    self.encoder = Some(encoder);
                    return Poll::Pending;
                }
                Poll::Ready(frame) => frame.transpose()?,
            };
            let ready = match frame.map(Frame::into_data) {
                None => encoder.finish(),
                Some(Err(_)) => {
                    // Trailers, which no answer has.
                    self.encoder = Some(encoder);
                    continue;
                }
                Some(Ok(piece)) => {
                    let ready = encoder.write(&piece);
                    self.encoder = Some(encoder);
                    ready
                }
            };
            let ready = ready.map_err(axum::Error::new)?;
            if !ready.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(ready)))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn asked(value: &'static str) -> Option<Coding> {
        Coding::asked(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_best_that_is_asked_for_is_taken() {
        assert_eq!(asked("gzip, deflate, br, zstd"), Some(Coding::Zstd));
        assert_eq!(asked("gzip;q=0.5, br"), Some(Coding::Gzip));
        assert_eq!(asked("zstd;q=0, GZIP"), Some(Coding::Gzip));
        assert_eq!(asked("identity"), None);
        assert_eq!(asked("*"), None);
    }

    #[test]
    fn short_answers_and_streams_that_go_on_are_left_as_they_are() {
        let with = |body: Body, content_type: &'static str| {
            let mut response = Response::new(body);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            let response = compress(response, Some(Coding::Zstd));
            response.headers().contains_key(header::CONTENT_ENCODING)
        };
        let long = || Body::from(vec![b' '; 10_000]);
        assert!(with(long(), "application/json"));
        assert!(!with(Body::from("{}"), "application/json"));
        let unending = Body::new(Body::from(vec![b' '; 10_000]).map_frame(|frame| frame));
        assert!(!with(unending, "application/x-ndjson"));
    }
}
