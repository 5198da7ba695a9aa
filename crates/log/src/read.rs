//! Reading records back. Every byte is verified again on the way.

use std::collections::VecDeque;
use std::path::PathBuf;

use headwater_env::Env;
use headwater_types::Lsn;

use crate::chain::ChainPoint;
use crate::file_log::FileLog;
use crate::names;
use crate::recover::{Damage, Segment};
use crate::scan::{ScanError, SegmentScan, Step};
use crate::sector::SECTOR_BYTES;
use crate::store::{LogStore, ReadError, Record, RecordIterator};

/// The records from `from` on that are durable now.
pub(crate) fn read_from(log: &FileLog, from: Lsn) -> Result<RecordIterator, ReadError> {
    let first = log.first_lsn();
    if from < first {
        return Err(ReadError::Cut { from, first });
    }
    let segments = log.sealed.iter().chain([&log.active.segment]);
    let segments = segments.filter(|segment| segment.end.lsn > from).cloned().collect();
    Ok(Box::new(LogReader {
        env: log.env.clone(),
        dir: log.dir.clone(),
        segments,
        scan: None,
        records: VecDeque::new(),
        from,
    }))
}

/// Goes through segments that were whole when it was made, and no further than they reached then.
#[derive(Debug)]
struct LogReader {
    env: Env,
    dir: PathBuf,
    /// Those still to be read; the first one is open in `scan`.
    segments: VecDeque<Segment>,
    scan: Option<SegmentScan>,
    /// Of the group read last.
    records: VecDeque<Record>,
    from: Lsn,
}

impl LogReader {
    /// Reads the next group; `false` at the end.
    fn read_group(&mut self) -> Result<bool, ReadError> {
        let Some(segment) = self.segments.front() else { return Ok(false) };
        let scan = match &mut self.scan {
            Some(scan) => scan,
            scan @ None => {
                let path = self.dir.join(names::segment(segment.number));
                let opened = SegmentScan::open(&self.env, &path, segment.start);
                let opened = opened.map_err(|error| failed(segment, segment.start, error))?;
                if opened.header.salt != segment.salt {
                    let reason = "the segment was replaced".to_owned();
                    return Err(failed(segment, segment.start, ScanError::Damaged { sector: 0, reason }));
                }
                scan.insert(opened)
            }
        };
        if scan.point.group == segment.end.group {
            self.segments.pop_front();
            self.scan = None;
            return Ok(true);
        }
        match scan.step().map_err(|error| failed(segment, scan.point, error))? {
            Step::Group(group) => {
                let from = self.from;
                self.records.extend(group.records.into_iter().filter(|record| record.lsn >= from));
                Ok(true)
            }
            Step::NoGroup => {
                let reason = "a group that was durable is incomplete".to_owned();
                Err(failed(segment, scan.point, ScanError::Damaged { sector: scan.next_sector, reason }))
            }
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.records.is_empty() {
            match self.read_group() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.segments.clear();
                    return Some(Err(error));
                }
            }
        }
        self.records.pop_front().map(Ok)
    }
}

fn failed(segment: &Segment, at: ChainPoint, error: ScanError) -> ReadError {
    let (sector, reason) = match error {
        ScanError::Damaged { sector, reason } => (sector, reason),
        ScanError::UnknownFormat(format) => (0, format!("the segment has turned into format {format}")),
        ScanError::Io(error) => return ReadError::Io(error),
    };
    ReadError::Damaged(Damage {
        file: names::segment(segment.number),
        offset: sector * SECTOR_BYTES as u64,
        first_lsn_lost: at.lsn,
        durable_before: Some(segment.end.lsn),
        reason,
    })
}
