use std::sync::LazyLock;

use axum::http::{StatusCode, Uri};
use utoipa::OpenApi;

use crate::errors::ApiError;
use crate::errors::api_error::ErrorAnswer;
use crate::errors::catalogue::INTERNAL;
use crate::http::answer::{self, Answer};
use crate::http::params::Params;

use super::{
    changes, clock, control, explain, health, metrics, program, push, query, relations, rows, workspaces,
};

/// The description of every route.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Headwater",
        description = "Push events, keep SQL views over them, read what is fresh. Every error has one shape: `ErrorAnswer`. \
                       Parameters that a route does not know are refused with 400.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        health::healthz,
        health::readyz,
        metrics::metrics,
        openapi_json,
        workspaces::list,
        workspaces::create,
        workspaces::status,
        workspaces::ensure,
        workspaces::delete,
        program::get,
        program::put,
        program::plan,
        control::pause,
        control::resume,
        clock::get,
        clock::put,
        push::push_table,
        push::push_mixed,
        relations::tables,
        relations::views,
        rows::by_parameter,
        rows::by_path,
        explain::get,
        query::get,
        query::post,
        changes::of_relation,
        changes::of_relations,
    ),
    components(schemas(ErrorAnswer)),
    tags(
        (name = "server", description = "The process as a whole"),
        (name = "workspace", description = "Units of ownership: one program, one log, one clock"),
        (name = "program", description = "The SQL text that defines a workspace's tables and views"),
        (name = "push", description = "Records in"),
        (name = "read", description = "Rows out"),
        (name = "changes", description = "Changes out, as they happen"),
    )
)]
pub struct ApiDescription;

/// The description as text, the same for every request.
static TEXT: LazyLock<Result<String, serde_json::Error>> = LazyLock::new(text);

/// The description as JSON text.
pub fn text() -> Result<String, serde_json::Error> {
    ApiDescription::openapi().to_pretty_json()
}

/// The description of every route, as OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object))
)]
pub async fn openapi_json(uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    match &*TEXT {
        Ok(text) => Ok(answer::bytes(StatusCode::OK, "application/json", text.as_str())),
        Err(error) => {
            let message = format!("the description cannot be written: {error}");
            Err(ApiError::new(&INTERNAL, message))
        }
    }
}
