//! Recovery: reads all of a log and decides between clean, torn and damaged. It changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use headwater_env::Env;
use headwater_types::Lsn;

use crate::chain::{ChainPoint, Digest};
use crate::manifest::{Manifest, SealedSegment};
use crate::marks::Marks;
use crate::names;
use crate::scan::{Rest, ScanError, SegmentScan, Step};
use crate::sector::{SECTOR_BYTES, Salt};

/// How a log was found when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It ends with a whole group.
    Clean,
    /// The last group was being written when the power went. It had not been acknowledged, and was cut.
    Torn {
        /// The segment's file.
        file: String,
        /// Where the group began.
        offset: u64,
        /// The LSN that its first record would have had.
        lsn_cut: Lsn,
    },
}

/// Bytes of acknowledged records, or of what surrounds them, are not those that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file in the log's folder.
    pub file: String,
    /// The sector in which it begins.
    pub offset: u64,
    /// Records below this LSN are whole; this one and those that follow may not be.
    pub first_lsn_lost: Lsn,
    /// Records below this LSN were once durable, as the manifest knows.
    pub durable_before: Option<Lsn>,
    /// What was found.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { file, offset, first_lsn_lost, reason, .. } = self;
        write!(
            f,
            "the log is damaged in {file} at byte {offset}: {reason}; records from LSN {first_lsn_lost} on"
        )?;
        if let Some(durable_before) = self.durable_before.filter(|lsn| lsn > first_lsn_lost) {
            write!(f, ", of which those below {durable_before} had been acknowledged,")?;
        }
        write!(f, " cannot be trusted; look with `headwater doctor`, then restore this file from a backup")
    }
}

impl std::error::Error for Damage {}

/// Why recovery came to no log.
#[derive(Debug)]
pub(crate) enum RecoverError {
    Damaged(Damage),
    UnknownFormat { file: String, found: u32 },
    Io(std::io::Error),
}

/// One segment, as far as others need to know it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) salt: Salt,
    pub(crate) predecessor_salt: Salt,
    /// Length of the file, header included.
    pub(crate) sectors: u64,
    /// Sectors in use, header included.
    pub(crate) sectors_used: u64,
    /// Where the chain stands before its first group.
    pub(crate) start: ChainPoint,
    /// Where it stands after its last.
    pub(crate) end: ChainPoint,
    /// What its successor names, if that is not its own salt and digest.
    pub(crate) link: (Salt, Digest),
}

/// What recovery found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// All segments, oldest first. The last one with groups is the one to go on in.
    pub(crate) segments: Vec<Segment>,
    pub(crate) end: ChainPoint,
    pub(crate) marks: Marks,
    pub(crate) last_group: Option<LastGroup>,
    pub(crate) torn: Option<TornGroup>,
}

/// Where the last whole group lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastGroup {
    pub(crate) segment: u64,
    pub(crate) first_sector: u64,
    pub(crate) sector_count: u64,
}

/// Where a torn group has left traces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TornGroup {
    pub(crate) segment: u64,
    pub(crate) first_sector: u64,
    pub(crate) sectors_end: u64,
}

/// Reads the segments that `files` names, each of which must exist from the manifest's first one on.
pub(crate) fn recover(
    env: &Env,
    dir: &Path,
    manifest: &Manifest,
    files: &BTreeMap<u64, String>,
) -> Result<Recovered, RecoverError> {
    let mut recovering = Recovering {
        env,
        dir,
        manifest,
        link_salt: manifest.first_predecessor_salt,
        has_met_durable: manifest.durable == manifest.first,
        link: manifest.first,
        found: Recovered {
            segments: Vec::new(),
            end: manifest.first,
            marks: Marks::default(),
            last_group: None,
            torn: None,
        },
    };
    let last = files.keys().next_back().copied().unwrap_or(0).max(manifest.first_segment);
    for number in manifest.first_segment..=last {
        recovering.segment(number, files.contains_key(&number))?;
    }
    recovering.check_end()?;
    Ok(recovering.found)
}

struct Recovering<'a> {
    env: &'a Env,
    dir: &'a Path,
    manifest: &'a Manifest,
    /// The salt that the next segment names.
    link_salt: Salt,
    /// The chain as the next group names it.
    link: ChainPoint,
    has_met_durable: bool,
    found: Recovered,
}

impl Recovering<'_> {
    fn segment(&mut self, number: u64, exists: bool) -> Result<(), RecoverError> {
        if !exists {
            return Err(self.damaged(number, 0, "the file is missing".to_owned()));
        }
        let path = self.dir.join(names::segment(number));
        let mut scan =
            SegmentScan::open(self.env, &path, self.link).map_err(|error| self.failed(number, error))?;
        self.check_header(number, &scan)?;
        let start = scan.point;
        while let Step::Group(group) = scan.step().map_err(|error| self.failed(number, error))? {
            self.refuse_data_after_tear(number)?;
            self.found.marks.note(self.found.end.lsn, group.sector_count * SECTOR_BYTES as u64);
            self.found.end = scan.point;
            let (first_sector, sector_count) = (group.first_sector, group.sector_count);
            self.found.last_group = Some(LastGroup { segment: number, first_sector, sector_count });
            self.compare_with_durable(number, first_sector)?;
        }
        match scan.rest().map_err(|error| self.failed(number, error))? {
            Rest::Unwritten => {}
            Rest::Torn { sectors_end } => {
                self.refuse_data_after_tear(number)?;
                let first_sector = scan.next_sector;
                self.found.torn = Some(TornGroup { segment: number, first_sector, sectors_end });
            }
        }
        self.close_segment(number, start, &scan)
    }

    fn check_header(&self, number: u64, scan: &SegmentScan) -> Result<(), RecoverError> {
        let header = &scan.header;
        let expected_salt = self.sealed(number).map_or(header.salt, |sealed| sealed.salt);
        let reason = if header.log_id != self.manifest.log_id {
            "the segment belongs to another log"
        } else if header.number != number {
            "the segment has another number than its file name"
        } else if header.predecessor_salt != self.link_salt {
            "the segment follows another segment than the one before it"
        } else if header.salt != expected_salt {
            "the segment is not the one that the manifest knows"
        } else {
            return Ok(());
        };
        Err(self.damaged(number, 0, reason.to_owned()))
    }

    /// Nothing may be written after a torn group.
    fn refuse_data_after_tear(&self, number: u64) -> Result<(), RecoverError> {
        let Some(torn) = self.found.torn else { return Ok(()) };
        let reason = format!("the group is incomplete, but segment {number} was written after it");
        Err(self.damaged(torn.segment, torn.first_sector, reason))
    }

    fn compare_with_durable(&mut self, number: u64, sector: u64) -> Result<(), RecoverError> {
        let durable = &self.manifest.durable;
        if self.found.end.group != durable.group {
            return Ok(());
        }
        if self.found.end != *durable {
            return Err(self.damaged(
                number,
                sector,
                "the group is not the one that the manifest knows".to_owned(),
            ));
        }
        self.has_met_durable = true;
        Ok(())
    }

    fn close_segment(
        &mut self,
        number: u64,
        start: ChainPoint,
        scan: &SegmentScan,
    ) -> Result<(), RecoverError> {
        let header = &scan.header;
        let mut link = (header.salt, scan.point.digest);
        if let Some(sealed) = self.sealed(number) {
            if sealed.end != scan.point || sealed.sectors_used != scan.next_sector {
                let reason = "the segment ends elsewhere than the manifest knows".to_owned();
                return Err(self.damaged(number, scan.next_sector, reason));
            }
            link = (sealed.link_salt, sealed.link_digest);
        }
        self.link_salt = link.0;
        self.link = ChainPoint { digest: link.1, ..scan.point };
        self.found.segments.push(Segment {
            number,
            salt: header.salt,
            predecessor_salt: header.predecessor_salt,
            sectors: header.sectors,
            sectors_used: scan.next_sector,
            start,
            end: scan.point,
            link,
        });
        Ok(())
    }

    /// The log must reach as far as the manifest knows it to be durable, and a full segment has a successor.
    fn check_end(&self) -> Result<(), RecoverError> {
        let last = self.found.segments.last().map_or(0, |segment| segment.number);
        if self.sealed(last).is_some() {
            return Err(self.damaged(last + 1, 0, "the file is missing".to_owned()));
        }
        if self.has_met_durable {
            return Ok(());
        }
        let at = self.found.last_group.map_or((self.manifest.first_segment, 1), |group| {
            (group.segment, group.first_sector + group.sector_count)
        });
        Err(self.damaged(at.0, at.1, "the log ends before what was known to be durable".to_owned()))
    }

    fn sealed(&self, number: u64) -> Option<&SealedSegment> {
        let index = number.checked_sub(self.manifest.first_segment)?;
        self.manifest.sealed.get(usize::try_from(index).ok()?)
    }

    fn failed(&self, number: u64, error: ScanError) -> RecoverError {
        match error {
            ScanError::Damaged { sector, reason } => self.damaged(number, sector, reason),
            ScanError::UnknownFormat(found) => {
                RecoverError::UnknownFormat { file: names::segment(number), found }
            }
            ScanError::Io(error) => RecoverError::Io(error),
        }
    }

    fn damaged(&self, number: u64, sector: u64, reason: String) -> RecoverError {
        RecoverError::Damaged(Damage {
            file: names::segment(number),
            offset: sector * SECTOR_BYTES as u64,
            first_lsn_lost: self.found.end.lsn,
            durable_before: Some(self.manifest.durable.lsn),
            reason,
        })
    }
}
