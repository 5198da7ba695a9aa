//! Sizes that tests of the binary make small, so that segments change, snapshots are written and log is cut within
//! seconds. Read only when test hooks are on.

use headwater_log::LogOptions;

use super::error::CliError;
use crate::server::ServerOptions;

/// Bytes of a log segment, and of the log's reserve.
const SEGMENT_VARIABLE: &str = "HEADWATER_LOG_SEGMENT_BYTES";
/// Bytes of log between two rounds of snapshots.
const SNAPSHOT_VARIABLE: &str = "HEADWATER_SNAPSHOT_LOG_BYTES";

/// Takes over the sizes that the environment names.
pub(super) fn take(options: &mut ServerOptions) -> Result<(), CliError> {
    if let Some(bytes) = bytes_of(SEGMENT_VARIABLE)? {
        let sizes = LogOptions {
            segment_bytes: bytes,
            first_segment_bytes: bytes,
            reserve_bytes: bytes,
            ..LogOptions::default()
        };
        options.log = Some(sizes);
    }
    if let Some(bytes) = bytes_of(SNAPSHOT_VARIABLE)? {
        options.snapshot_log_bytes = Some(bytes);
    }
    Ok(())
}

fn bytes_of(variable: &str) -> Result<Option<u64>, CliError> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    let not_bytes = |_| CliError::new(format!("{variable} is {text:?}, not a number of bytes"));
    text.parse().map(Some).map_err(not_bytes)
}
