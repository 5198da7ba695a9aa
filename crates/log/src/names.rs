//! The names of a log's files.

use headwater_env::kill_point::LOG_FILE_EXTENSION;

/// The sealed file that says where the log starts and what its full segments are.
pub(crate) const MANIFEST: &str = "LOG-MANIFEST";
/// Space kept back for the time when the disk is full.
pub(crate) const RESERVE: &str = "reserve";
/// The same until it is whole.
pub(crate) const RESERVE_PREPARING: &str = "reserve.preparing";
/// Locked by whoever has the log open.
pub(crate) const LOCK: &str = "LOCK";

/// The file of a segment.
pub(crate) fn segment(number: u64) -> String {
    format!("{number:012}.{LOG_FILE_EXTENSION}")
}

/// The file of a segment until it is whole.
pub(crate) fn preparing(number: u64) -> String {
    format!("{number:012}.preparing")
}

/// The number of the segment with this file name.
pub(crate) fn parse_segment(name: &str) -> Option<u64> {
    let number = name.strip_suffix(LOG_FILE_EXTENSION)?.strip_suffix('.')?.parse().ok()?;
    (number > 0 && segment(number) == name).then_some(number)
}

/// Is this a file that a crash left half made? Nothing refers to it.
pub(crate) fn is_leftover(name: &str) -> bool {
    name.ends_with(".preparing") || name == format!("{MANIFEST}{}", crate::sealed::TEMPORARY_SUFFIX)
}
