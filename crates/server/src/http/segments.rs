use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::errors::ApiError;
use crate::errors::catalogue::BAD_PATH;

/// The named parts of a path, decoded.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T, S> FromRequestParts<S> for Segments<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segments<T>, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Segments(segments)),
            Err(_) => Err(ApiError::new(&BAD_PATH, "a part of the path is not percent-encoded UTF-8")),
        }
    }
}

/// The texts of a primary key from the last part of a path: separated by commas, each percent-encoded on its own, so
/// that a comma inside a value is `%2C`.
pub fn key_from_path(path: &str) -> Result<Vec<String>, ApiError> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let decode = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(ApiError::new(&BAD_PATH, "the key is not percent-encoded UTF-8")),
    };
    last.split(',').map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::key_from_path;

    #[test]
    fn a_composite_key_is_split_before_it_is_decoded() {
        let key =
            key_from_path("/v1/workspaces/w/tables/t/rows/2013-01-01,New%20York%2C%20NY,a%2Fb").unwrap();
        assert_eq!(key, ["2013-01-01", "New York, NY", "a/b"]);
    }

    #[test]
    fn a_key_that_is_not_utf8_is_refused() {
        assert_eq!(key_from_path("/rows/%FF").unwrap_err().code(), "bad_path");
    }
}
