//! What `headwater doctor` prints for a log folder: what each segment holds, whether the log would open, and what can
//! be done if not. Nothing is changed, and nothing is locked, so the log may be in use.

use std::fmt;
use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_types::Lsn;

use crate::chain::ChainPoint;
use crate::file_log::OpenError;
use crate::names;
use crate::open::{read_manifest, segment_files};
use crate::recover::{Damage, recover};
use crate::scan::{Rest, ScanError, SegmentScan, Step};
use crate::sector::SECTOR_BYTES;

/// What was found in a folder.
#[derive(Debug)]
pub struct Report {
    /// Every segment file, oldest first, each looked at by itself.
    pub segments: Vec<SegmentReport>,
    /// What opening the log would say.
    pub verdict: Verdict,
}

/// What opening would say.
#[derive(Debug)]
pub enum Verdict {
    /// There is no log here.
    NoLog,
    /// It opens, and the next record gets this LSN.
    Clean {
        /// The oldest record.
        first_lsn: Lsn,
        /// The LSN of the next record.
        next_lsn: Lsn,
    },
    /// It opens after the torn last group is cut.
    Torn {
        /// The segment's file.
        file: String,
        /// Where the torn group begins.
        offset: u64,
        /// The LSN that its first record would have had.
        lsn_cut: Lsn,
    },
    /// It does not open.
    Damaged(Damage),
    /// A later version wrote it.
    UnknownFormat {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
    },
}

/// One segment, by itself.
#[derive(Debug)]
pub struct SegmentReport {
    /// Its file.
    pub file: String,
    /// Length of the file.
    pub file_bytes: u64,
    /// Bytes in use up to the last whole group.
    pub used_bytes: u64,
    /// Whole groups in a row from its beginning.
    pub group_count: u64,
    /// Records in them.
    pub record_count: u64,
    /// The first of them.
    pub first_lsn: Option<Lsn>,
    /// Behind the last of them.
    pub next_lsn: Option<Lsn>,
    /// What is behind them, if it is not zeros.
    pub remark: Option<String>,
}

/// Looks at a log's folder.
///
/// # Errors
/// If the folder cannot be read. Damage is no error here: it is in the report.
pub fn inspect(env: &Env, dir: &Path) -> io::Result<Report> {
    let entries = env.disk.list(dir)?;
    let files = segment_files(&entries);
    let mut segments = Vec::new();
    for name in files.values() {
        let file_bytes = entries.iter().find(|entry| entry.name == *name).map_or(0, |entry| entry.bytes);
        segments.push(inspect_segment(env, dir, name, file_bytes)?);
    }
    let has_manifest = env.disk.exists(&dir.join(names::MANIFEST));
    if !has_manifest && segments.iter().all(|segment| segment.group_count == 0 && segment.remark.is_none()) {
        return Ok(Report { segments, verdict: Verdict::NoLog });
    }
    Ok(Report { segments, verdict: verdict(env, dir)? })
}

fn verdict(env: &Env, dir: &Path) -> io::Result<Verdict> {
    let files = segment_files(&env.disk.list(dir)?);
    let recovered = missing_manifest(env, dir)
        .and_then(|()| read_manifest(env, dir))
        .and_then(|manifest| recover(env, dir, &manifest, &files).map_err(OpenError::from));
    match recovered {
        Ok(recovered) => Ok(match recovered.torn {
            Some(torn) => Verdict::Torn {
                file: names::segment(torn.segment),
                offset: torn.first_sector * SECTOR_BYTES as u64,
                lsn_cut: recovered.end.lsn,
            },
            None => Verdict::Clean {
                first_lsn: recovered.segments.first().map_or(recovered.end.lsn, |segment| segment.start.lsn),
                next_lsn: recovered.end.lsn,
            },
        }),
        Err(OpenError::Damaged(damage)) => Ok(Verdict::Damaged(damage)),
        Err(OpenError::UnknownFormat { file, found }) => Ok(Verdict::UnknownFormat { file, found }),
        Err(OpenError::Io(error)) => Err(error),
        Err(OpenError::Locked { .. }) => unreachable!("looking takes no lock"),
    }
}

fn missing_manifest(env: &Env, dir: &Path) -> Result<(), OpenError> {
    if env.disk.exists(&dir.join(names::MANIFEST)) {
        return Ok(());
    }
    Err(OpenError::Damaged(Damage {
        file: names::MANIFEST.to_owned(),
        offset: 0,
        first_lsn_lost: Lsn(1),
        durable_before: None,
        reason: "the file is missing, though there are segments".to_owned(),
    }))
}

fn inspect_segment(env: &Env, dir: &Path, name: &str, file_bytes: u64) -> io::Result<SegmentReport> {
    let mut report = SegmentReport {
        file: name.to_owned(),
        file_bytes,
        used_bytes: 0,
        group_count: 0,
        record_count: 0,
        first_lsn: None,
        next_lsn: None,
        remark: None,
    };
    match scan_segment(env, &dir.join(name), &mut report) {
        Ok(()) => {}
        Err(ScanError::Damaged { sector, reason }) => {
            report.remark = Some(format!("damaged at byte {}: {reason}", sector * SECTOR_BYTES as u64));
        }
        Err(ScanError::UnknownFormat(found)) => report.remark = Some(format!("unknown format {found}")),
        Err(ScanError::Io(error)) => return Err(error),
    }
    Ok(report)
}

fn scan_segment(env: &Env, path: &Path, report: &mut SegmentReport) -> Result<(), ScanError> {
    let mut scan = SegmentScan::open(env, path, ChainPoint::start(Lsn(1)))?;
    scan.believe_first_group()?;
    report.used_bytes = SECTOR_BYTES as u64;
    while let Step::Group(group) = scan.step()? {
        report.group_count += 1;
        report.record_count += group.records.len() as u64;
        report.first_lsn = report.first_lsn.or_else(|| group.records.first().map(|record| record.lsn));
        report.next_lsn = Some(scan.point.lsn);
        report.used_bytes = scan.next_sector * SECTOR_BYTES as u64;
    }
    if let Rest::Torn { sectors_end } = scan.rest()? {
        let (from, to) = (scan.next_sector * SECTOR_BYTES as u64, sectors_end * SECTOR_BYTES as u64);
        report.remark = Some(format!("an incomplete group from byte {from} to {to}"));
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            writeln!(f, "{segment}")?;
        }
        write!(f, "{}", self.verdict)
    }
}

impl fmt::Display for SegmentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SegmentReport { file, file_bytes, used_bytes, group_count, record_count, .. } = self;
        write!(
            f,
            "{file}: {used_bytes} of {file_bytes} bytes used, {group_count} groups, {record_count} records"
        )?;
        if let (Some(first), Some(next)) = (self.first_lsn, self.next_lsn) {
            write!(f, ", LSN {first} to {}", next.0 - 1)?;
        }
        self.remark.as_ref().map_or(Ok(()), |remark| write!(f, "; {remark}"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::NoLog => write!(f, "There is no log here; one is made at the next start."),
            Verdict::Clean { next_lsn, .. } => {
                write!(f, "The log is whole. The next record gets LSN {next_lsn}.")
            }
            Verdict::Torn { file, offset, lsn_cut } => write!(
                f,
                "The last group, at byte {offset} of {file}, is incomplete: the power went while it was written, before \
                 it was acknowledged. The next start cuts it and gives LSN {lsn_cut} again. Nothing needs to be done."
            ),
            Verdict::Damaged(damage) => write!(
                f,
                "{damage}.\n\
                 What can be done: keep a copy of the whole folder first. If a backup holds this file, of the same \
                 length and with the same records, put it in place and start again: every byte is verified. If the \
                 disk reports read errors, copy the folder to another disk and look again there. If table snapshots \
                 exist at or above the last LSN that can be read, restore the workspace from them. Records below LSN \
                 {} are whole in any case.",
                damage.first_lsn_lost
            ),
            Verdict::UnknownFormat { file, found } => {
                write!(
                    f,
                    "{file} has format {found}, newer than this version reads. Use the version that wrote it."
                )
            }
        }
    }
}
