use std::net::IpAddr;

use axum::http::{HeaderMap, Request, Uri, header};

use crate::errors::ApiError;
use crate::errors::catalogue::{HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED};

/// Refuses a request that a web page could have sent through somebody's browser.
///
/// A page that points its own name at 127.0.0.1 reaches a loopback socket, but its name stands in `Host`; a page that
/// posts across origins stands in `Origin`. While there are no keys, these two headers are the wall.
pub fn check<B>(request: &Request<B>) -> Result<(), ApiError> {
    check_host(request.uri(), request.headers())?;
    check_origin(request.headers())
}

fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut named = 0;
    if let Some(authority) = uri.authority() {
        named += 1;
        allow_host(authority.as_str())?;
    }
    for value in headers.get_all(header::HOST) {
        named += 1;
        allow_host(value.to_str().unwrap_or_default())?;
    }
    if named == 0 {
        return Err(ApiError::new(&HOST_NOT_ALLOWED, "the request names no host"));
    }
    Ok(())
}

fn allow_host(authority: &str) -> Result<(), ApiError> {
    if is_loopback_authority(authority) {
        return Ok(());
    }
    Err(ApiError::new(&HOST_NOT_ALLOWED, format!("host {authority:?} is not a loopback name")))
}

fn check_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    for value in headers.get_all(header::ORIGIN) {
        let origin = value.to_str().unwrap_or_default();
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !authority.is_some_and(is_loopback_authority) {
            return Err(ApiError::new(&ORIGIN_NOT_ALLOWED, format!("origin {origin:?} is not allowed")));
        }
    }
    Ok(())
}

/// Whether `name[:port]` is `localhost`, an IPv4 loopback address or `[::1]`, exactly as browsers write them.
#[must_use]
pub fn is_loopback_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_loopback = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6() && ip.is_loopback());
            return is_loopback && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if port.is_some_and(|port| !is_port(port)) {
        return false;
    }
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4() && ip.is_loopback())
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_authority;

    #[test]
    fn loopback_names_pass_with_any_port() {
        for authority in
            ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "127.1.2.3:9", "[::1]", "[::1]:8080"]
        {
            assert!(is_loopback_authority(authority), "{authority}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for authority in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost:",
            "localhost:80:80",
            "localhost:8080@evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0:8080",
            "[::]:8080",
            "[::1",
            "[::1]8080",
            "::1",
            "2130706433",
            "user@localhost",
        ] {
            assert!(!is_loopback_authority(authority), "{authority}");
        }
    }
}
