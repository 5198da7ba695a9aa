use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::app::App;
use crate::errors::ApiError;
use crate::errors::catalogue::{METHOD_NOT_ALLOWED, UNKNOWN_ROUTE};
use crate::handlers::{
    changes, clock, control, explain, health, metrics, openapi, program, push, query, relations, rows,
    workspaces,
};

/// Room for routes in the tables of counters.
pub const ROUTES_MAX: usize = 64;

/// A route's position in [`routes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteIndex(pub usize);

/// One method on one path.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, its variable parts in braces.
    pub path: &'static str,
}

type Handler = MethodRouter<Arc<App>>;

/// Every route of the server. OpenAPI describes each of them; a test compares the two.
fn table() -> Vec<(Method, &'static str, Handler)> {
    let workspace = "/v1/workspaces/{workspace}";
    let program = "/v1/workspaces/{workspace}/program";
    let clock_path = "/v1/workspaces/{workspace}/clock";
    let query_path = "/v1/workspaces/{workspace}/query";
    let table = "/v1/workspaces/{workspace}/tables/{table}";
    vec![
        (Method::GET, "/healthz", get(health::healthz)),
        (Method::GET, "/readyz", get(health::readyz)),
        (Method::GET, "/metrics", get(metrics::metrics)),
        (Method::GET, "/openapi.json", get(openapi::openapi_json)),
        (Method::GET, "/v1/workspaces", get(workspaces::list)),
        (Method::POST, "/v1/workspaces", post(workspaces::create)),
        (Method::GET, workspace, get(workspaces::status)),
        (Method::PUT, workspace, put(workspaces::ensure)),
        (Method::DELETE, workspace, delete(workspaces::delete)),
        (Method::GET, program, get(program::get)),
        (Method::PUT, program, put(program::put)),
        (Method::POST, "/v1/workspaces/{workspace}/plan", post(program::plan)),
        (Method::POST, "/v1/workspaces/{workspace}/pause", post(control::pause)),
        (Method::POST, "/v1/workspaces/{workspace}/resume", post(control::resume)),
        (Method::GET, clock_path, get(clock::get)),
        (Method::PUT, clock_path, put(clock::put)),
        (Method::POST, table, post(push::push_table)),
        (Method::POST, "/v1/workspaces/{workspace}/push", post(push::push_mixed)),
        (Method::GET, "/v1/workspaces/{workspace}/tables", get(relations::tables)),
        (Method::GET, "/v1/workspaces/{workspace}/views", get(relations::views)),
        (Method::GET, "/v1/workspaces/{workspace}/tables/{table}/rows", get(rows::by_parameter)),
        (Method::GET, "/v1/workspaces/{workspace}/tables/{table}/rows/{key}", get(rows::by_path)),
        (Method::GET, "/v1/workspaces/{workspace}/explain", get(explain::get)),
        (Method::GET, query_path, get(query::get)),
        (Method::POST, query_path, post(query::post)),
        (Method::GET, "/v1/workspaces/{workspace}/changes", get(changes::of_relations)),
        (Method::GET, "/v1/workspaces/{workspace}/changes/{relation}", get(changes::of_relation)),
    ]
}

static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| table().into_iter().map(|(method, path, _)| Route { method, path }).collect());

/// Every route, in a fixed order.
#[must_use]
pub fn routes() -> &'static [Route] {
    &ROUTES
}

/// The router over all routes.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for (index, (_, path, handler)) in table().into_iter().enumerate() {
        router = router.route(path, handler.route_layer(map_response(move |answer| tag(answer, index))));
    }
    router.method_not_allowed_fallback(method_not_allowed).fallback(unknown_route).with_state(app)
}

/// Notes on an answer which route gave it, for the counters.
async fn tag(mut answer: Response, index: usize) -> Response {
    answer.extensions_mut().insert(RouteIndex(index));
    answer
}

async fn unknown_route(uri: Uri) -> ApiError {
    let path = uri.path();
    let error = ApiError::new(&UNKNOWN_ROUTE, format!("there is no {path:?}"));
    match path.strip_suffix('/') {
        Some(without_slash) if !without_slash.is_empty() => {
            error.hint(format!("leave out the slash at the end: {without_slash}"))
        }
        _ => error,
    }
}

async fn method_not_allowed(request: Request) -> ApiError {
    let message = format!("{} does not go with {:?}", request.method(), request.uri().path());
    ApiError::new(&METHOD_NOT_ALLOWED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_room_for_every_route() {
        assert!(routes().len() <= ROUTES_MAX);
    }
}
