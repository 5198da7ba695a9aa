//! Reading one segment from front to back, believing nothing.

use std::io;
use std::path::Path;

use headwater_env::{Env, OpenHow};

use crate::chain::ChainPoint;
use crate::group::{self, GroupHeader};
use crate::header::{HeaderError, SegmentHeader};
use crate::sector::{self, Mark, SECTOR_BYTES, Sector};
use crate::store::Record;
use crate::window::Window;

/// One segment being read.
#[derive(Debug)]
pub(crate) struct SegmentScan {
    window: Window,
    pub(crate) header: SegmentHeader,
    /// Where the next group begins.
    pub(crate) next_sector: u64,
    /// What it must be like.
    pub(crate) point: ChainPoint,
}

/// A group that is whole.
#[derive(Debug)]
pub(crate) struct ScannedGroup {
    pub(crate) first_sector: u64,
    pub(crate) sector_count: u64,
    pub(crate) records: Vec<Record>,
}

/// What lies at the next sector.
#[derive(Debug)]
pub(crate) enum Step {
    /// A group; the scan stands behind it now.
    Group(ScannedGroup),
    /// No group that is whole. [`SegmentScan::rest`] tells whether that is the end, a tear or damage.
    NoGroup,
}

/// What lies behind the last whole group of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Zeros to the end.
    Unwritten,
    /// Some sectors of the group that would come next, and zeros where others were to be: a tear, if nothing was
    /// written after it. The group's traces end before this sector.
    Torn { sectors_end: u64 },
}

/// Why a segment cannot be read on.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// Bytes are not those that were written. The place is a sector's number.
    Damaged { sector: u64, reason: String },
    /// A later version wrote it.
    UnknownFormat(u32),
    /// The disk failed.
    Io(io::Error),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> ScanError {
        ScanError::Io(error)
    }
}

fn damaged(sector: u64, reason: impl Into<String>) -> ScanError {
    ScanError::Damaged { sector, reason: reason.into() }
}

impl SegmentScan {
    /// Opens a segment and reads its header. The first group must follow from `point`.
    pub(crate) fn open(env: &Env, path: &Path, point: ChainPoint) -> Result<SegmentScan, ScanError> {
        let file = env.disk.open(path, OpenHow::Read)?;
        let file_bytes = file.len()?;
        let mut window = Window::new(file, file_bytes);
        if file_bytes < SECTOR_BYTES as u64 {
            return Err(damaged(0, "the file is shorter than a segment's header"));
        }
        let header = SegmentHeader::decode(window.bytes(0, SECTOR_BYTES)?).map_err(|error| match error {
            HeaderError::Damaged => damaged(0, "the segment's header has changed"),
            HeaderError::UnknownFormat(format) => ScanError::UnknownFormat(format),
        })?;
        if header.sectors.checked_mul(SECTOR_BYTES as u64) != Some(file_bytes) {
            return Err(damaged(
                file_bytes / SECTOR_BYTES as u64,
                "the file is not as long as its header says",
            ));
        }
        Ok(SegmentScan { window, header, next_sector: 1, point })
    }

    /// Takes the chain from the segment's own first group instead of from the segment before it, to look at a segment
    /// whose predecessors are damaged.
    pub(crate) fn believe_first_group(&mut self) -> Result<(), ScanError> {
        let sector = self.next_sector;
        if sector == self.header.sectors {
            return Ok(());
        }
        let bytes = self.window.bytes(sector * SECTOR_BYTES as u64, SECTOR_BYTES)?;
        if let Sector::Valid(Mark::First, group) = sector::classify(bytes, &self.header.salt, sector) {
            self.point = GroupHeader::claimed_point(bytes, group);
        }
        Ok(())
    }

    /// Reads the next group.
    pub(crate) fn step(&mut self) -> Result<Step, ScanError> {
        let first_sector = self.next_sector;
        let Some(header) = self.group_header()? else { return Ok(Step::NoGroup) };
        let sector_count = u64::from(header.sector_count);
        for sector in first_sector + 1..first_sector + sector_count {
            if !self.is_written(sector, Some(sector_count))? {
                return Ok(Step::NoGroup);
            }
        }
        let sectors =
            self.window.bytes(first_sector * SECTOR_BYTES as u64, sector_count as usize * SECTOR_BYTES)?;
        let records = group::decode(sectors, &header).map_err(|wrong| damaged(first_sector, wrong.0))?;
        self.point = self.point.after(sectors, u64::from(header.record_count));
        self.next_sector += sector_count;
        Ok(Step::Group(ScannedGroup { first_sector, sector_count, records }))
    }

    /// Looks at everything behind the last whole group.
    pub(crate) fn rest(&mut self) -> Result<Rest, ScanError> {
        let sector_count = self.group_header()?.map(|header| u64::from(header.sector_count));
        let mut sectors_end = None;
        for sector in self.next_sector..self.header.sectors {
            if self.is_written(sector, sector_count)? {
                sectors_end = Some(sector + 1);
            }
        }
        Ok(sectors_end.map_or(Rest::Unwritten, |sectors_end| Rest::Torn { sectors_end }))
    }

    /// The header of the next group, if its sector was written.
    fn group_header(&mut self) -> Result<Option<GroupHeader>, ScanError> {
        let sector = self.next_sector;
        if sector == self.header.sectors || !self.is_written(sector, None)? {
            return Ok(None);
        }
        let sectors_left = self.header.sectors - sector;
        let bytes = self.window.bytes(sector * SECTOR_BYTES as u64, SECTOR_BYTES)?;
        let header = GroupHeader::decode(bytes, &self.point).map_err(|wrong| damaged(sector, wrong.0))?;
        if u64::from(header.sector_count) > sectors_left {
            return Err(damaged(sector, "the group is longer than its segment"));
        }
        Ok(Some(header))
    }

    /// Was this sector written? It must then belong to the next group, which takes `sector_count` sectors if known.
    fn is_written(&mut self, sector: u64, sector_count: Option<u64>) -> Result<bool, ScanError> {
        let first_sector = self.next_sector;
        let expected = if sector == first_sector { Mark::First } else { Mark::Continued };
        let is_beyond = sector_count.is_some_and(|count| sector >= first_sector + count);
        let bytes = self.window.bytes(sector * SECTOR_BYTES as u64, SECTOR_BYTES)?;
        match sector::classify(bytes, &self.header.salt, sector) {
            Sector::Unwritten => Ok(false),
            Sector::Valid(mark, group) if group == self.point.group && mark == expected && !is_beyond => {
                Ok(true)
            }
            Sector::Valid(_, group) => {
                let at = self.point.group;
                Err(damaged(sector, format!("a sector of group {group} lies where group {at} is incomplete")))
            }
            Sector::Damaged => Err(damaged(sector, "the sector's checksum is wrong")),
        }
    }
}
