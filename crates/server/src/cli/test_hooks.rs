use headwater_env::kill_point;
use headwater_log::LogOptions;

use super::error::CliError;
use crate::server::ServerOptions;

/// Turns on what exists for tests of the binary.
const TEST_HOOKS_VARIABLE: &str = "HEADWATER_TEST_HOOKS";
/// Bytes of a log segment, and of the log's reserve, so that segments change often.
const SEGMENT_BYTES_VARIABLE: &str = "HEADWATER_LOG_SEGMENT_BYTES";
/// Bytes of log between two rounds of snapshots, so that snapshots are written and log is cut often.
const SNAPSHOT_BYTES_VARIABLE: &str = "HEADWATER_SNAPSHOT_LOG_BYTES";

/// The options with what the environment asks for, which is nothing unless test hooks are on. Says so if they are.
///
/// With hooks a server can be made to panic by a query or a view, to kill itself at a named point, and to fail a sync.
pub(super) fn apply(options: ServerOptions) -> Result<ServerOptions, CliError> {
    if std::env::var_os(TEST_HOOKS_VARIABLE).is_none_or(|value| value != "1") {
        return Ok(options);
    }
    tracing::warn!("{TEST_HOOKS_VARIABLE}=1: this server can be made to panic and to kill itself");
    kill_point::enable_from_env().map_err(|error| CliError::new(error.to_string()))?;
    let log = bytes(SEGMENT_BYTES_VARIABLE)?.map(|bytes| LogOptions {
        segment_bytes: bytes,
        first_segment_bytes: bytes,
        reserve_bytes: bytes,
        ..LogOptions::default()
    });
    let snapshot_log_bytes = bytes(SNAPSHOT_BYTES_VARIABLE)?;
    Ok(ServerOptions { test_hooks: true, log, snapshot_log_bytes, ..options })
}

fn bytes(variable: &str) -> Result<Option<u64>, CliError> {
    let Some(value) = std::env::var_os(variable) else { return Ok(None) };
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(CliError::new(format!("{variable} is {value:?}; expected a number of bytes"))),
    }
}
