//! What was done when, by whom, at which LSN, and whether this can be: every write and every read names its LSN, so one
//! pass over the history decides it.

use std::collections::HashMap;
use std::time::Instant;

/// What an operation was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// A write that was acknowledged; with the key and the value that it left there, if it was to a register.
    Wrote(Option<(i64, i64)>),
    /// A read; with the key and the value found there, if it was of a register.
    Read(Option<(i64, Option<i64>)>),
}

/// An operation that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) client: usize,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) lsn: u64,
    pub(crate) did: Did,
}

/// How many of what was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) writes: usize,
    pub(crate) reads: usize,
    pub(crate) values: usize,
}

/// Real-time order is LSN order: an operation never sees less than one that ended before it began, whoever did it, and a
/// write is newer than all of these. A register holds what the newest write up to the read's LSN left there.
pub(crate) fn check(history: &[Operation]) -> Result<Checked, String> {
    check_order(history)?;
    let values = check_values(history)?;
    let writes = history.iter().filter(|operation| matches!(operation.did, Did::Wrote(_))).count();
    Ok(Checked { writes, reads: history.len() - writes, values })
}

fn check_order(history: &[Operation]) -> Result<(), String> {
    let mut by_begin: Vec<&Operation> = history.iter().collect();
    by_begin.sort_by_key(|operation| operation.began);
    let mut by_end: Vec<&Operation> = history.iter().collect();
    by_end.sort_by_key(|operation| operation.ended);
    let mut ended = by_end.into_iter().peekable();
    let mut newest: Option<&Operation> = None;
    for operation in by_begin {
        while let Some(earlier) = ended.next_if(|earlier| earlier.ended < operation.began) {
            if newest.is_none_or(|newest| newest.lsn < earlier.lsn) {
                newest = Some(earlier);
            }
        }
        let Some(newest) = newest else { continue };
        let in_order = match operation.did {
            Did::Wrote(_) => operation.lsn > newest.lsn,
            Did::Read(_) => operation.lsn >= newest.lsn,
        };
        if !in_order {
            return Err(format!(
                "client {} did {operation:?}, which began after client {} had done {newest:?}",
                operation.client, newest.client
            ));
        }
    }
    Ok(())
}

fn check_values(history: &[Operation]) -> Result<usize, String> {
    let mut writes: HashMap<i64, Vec<(u64, i64)>> = HashMap::new();
    for operation in history {
        if let Did::Wrote(Some((key, value))) = operation.did {
            writes.entry(key).or_default().push((operation.lsn, value));
        }
    }
    let mut checked = 0;
    for operation in history {
        let Did::Read(Some((key, found))) = operation.did else { continue };
        let writes = writes.get(&key).map(Vec::as_slice).unwrap_or_default();
        let newest = writes.iter().map(|(lsn, _)| *lsn).filter(|lsn| *lsn <= operation.lsn).max();
        // Writes to one key in one step are ordered by the server; any of them may be the last.
        let may_be = |value: i64| writes.iter().any(|write| Some(write.0) == newest && write.1 == value);
        if !found.map_or(newest.is_none(), may_be) {
            return Err(format!("{operation:?}, but the newest write of key {key} is at LSN {newest:?}"));
        }
        checked += 1;
    }
    Ok(checked)
}
