use std::collections::HashSet;
use std::iter::Peekable;

use headwater_log::{LogStore, RecordIterator};
use headwater_types::Lsn;

use super::RecoverError;
use crate::record::{LogRecord, kind};

/// The records of a log in order, each of them once. A step that a later record voids is as if it held nothing.
pub(super) struct Records {
    records: Peekable<RecordIterator>,
    voided: HashSet<Lsn>,
}

impl Records {
    /// The records from `from` on, or from the log's first if that is newer.
    pub(super) fn of(log: &dyn LogStore, from: Lsn) -> Result<Records, RecoverError> {
        let from = from.max(log.first_lsn());
        Ok(Records { voided: voided(log, from)?, records: log.read_from(from)?.peekable() })
    }

    /// The next record that is not newer than this; no record for a void step.
    pub(super) fn next_up_to(&mut self, last: Lsn) -> Result<Option<(Lsn, Option<LogRecord>)>, RecoverError> {
        let is_due = |record: &Result<headwater_log::Record, _>| match record {
            Ok(record) => record.lsn <= last,
            Err(_) => true,
        };
        let Some(record) = self.records.next_if(is_due) else { return Ok(None) };
        let record = record?;
        let lsn = record.lsn;
        if self.voided.contains(&lsn) {
            return Ok(Some((lsn, None)));
        }
        let decoded = LogRecord::decode(record.kind, record.payload);
        Ok(Some((lsn, Some(decoded.map_err(|source| RecoverError::Record { lsn, source })?))))
    }
}

/// The steps that skip records void.
fn voided(log: &dyn LogStore, from: Lsn) -> Result<HashSet<Lsn>, RecoverError> {
    let mut voided = HashSet::new();
    for record in log.read_from(from)? {
        let record = record?;
        if record.kind == kind::SKIP {
            let lsn = record.lsn;
            let decoded = LogRecord::decode(record.kind, record.payload)
                .map_err(|source| RecoverError::Record { lsn, source })?;
            if let LogRecord::Skip(skip) = decoded {
                voided.insert(Lsn(skip.skipped_lsn));
            }
        }
    }
    Ok(voided)
}
