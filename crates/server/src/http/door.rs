use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, Request, Response};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use tower::Service;

use super::compress::{Coding, compress};
use super::loopback;
use super::request_id::{REQUEST_ID_HEADER, RequestId};
use crate::app::App;
use crate::errors::ApiError;
use crate::errors::catalogue::INTERNAL;
use crate::routes::RouteIndex;

/// Takes one request to its handler and its answer back: checks where it came from, gives it an id, turns errors into
/// their one shape, counts, compresses.
pub(crate) async fn pass(
    app: Arc<App>,
    mut router: Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    let coding = Coding::asked(request.headers());
    let response = match loopback::check(&request) {
        Ok(()) => answer_or_panic(router.call(request.map(Body::new))).await,
        Err(refusal) => refusal.into_response(),
    };
    Ok(compress(finish(&app, response, &id, started), coding))
}

/// A handler's answer; a panic on the way becomes an error like any other, and the connection lives on.
async fn answer_or_panic(
    handling: impl Future<Output = Result<Response<Body>, Infallible>>,
) -> Response<Body> {
    let mut handling = pin!(handling);
    std::future::poll_fn(move |cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => Poll::Ready(response),
            Err(_) => {
                Poll::Ready(ApiError::new(&INTERNAL, "the server met a defect of its own").into_response())
            }
        }
    })
    .await
}

fn finish(app: &App, mut response: Response<Body>, id: &RequestId, started: Instant) -> Response<Body> {
    let route = response.extensions_mut().remove::<RouteIndex>();
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        app.counters.count_refusal(route, error.condition().code);
        if response.status().is_server_error() {
            tracing::warn!(request_id = %id, code = error.code(), "{}", error.message());
        }
        let mut rendered = error.render(id);
        keep_allow_header(&response, &mut rendered);
        response = rendered;
    }
    app.counters.count_answer(route, response.status(), started.elapsed());
    response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), id.header());
    response
}

/// The router says which methods a path has.
fn keep_allow_header(from: &Response<Body>, to: &mut Response<Body>) {
    if let Some(allow) = from.headers().get(axum::http::header::ALLOW) {
        to.headers_mut().insert(axum::http::header::ALLOW, allow.clone());
    }
}
