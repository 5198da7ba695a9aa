//! Opening a log: recover, mend a torn tail, make durable what was found, and only then go on.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use headwater_env::disk::is_no_space;
use headwater_env::{DirLock, Entry, Env, OpenHow};
use headwater_types::Lsn;

use crate::chain::ChainPoint;
use crate::file_log::{Active, FileLog, OpenError, SpaceCheck, manifest_of};
use crate::header::SegmentHeader;
use crate::housekeeping::Housekeeping;
use crate::manifest::Manifest;
use crate::marks::Marks;
use crate::names;
use crate::options::LogOptions;
use crate::prepare::{Prepared, prepare};
use crate::recover::{Damage, LastGroup, RecoverError, Recovered, Recovery, Segment, TornGroup, recover};
use crate::reserve::{self, Reserve};
use crate::scan::{Rest, SegmentScan};
use crate::sealed::SealedError;
use crate::sector::SECTOR_BYTES;

pub(crate) fn open(env: &Env, dir: &Path, options: LogOptions) -> Result<(FileLog, Recovery), OpenError> {
    if !env.disk.exists(dir) {
        env.disk.create_dir_all(dir)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            env.disk.sync_dir(parent)?;
        }
    }
    let lock = env.disk.lock(&dir.join(names::LOCK)).map_err(|error| OpenError::from_lock(dir, error))?;
    let entries = env.disk.list(dir)?;
    let mut log = if env.disk.exists(&dir.join(names::MANIFEST)) {
        open_existing(env, dir, options, &entries, lock)?
    } else {
        (create(env, dir, options, &entries, lock)?, Recovery::Clean)
    };
    // A larger one than is wanted counts: a start on a full disk asks for little, and what an earlier one took would be
    // gone with the space.
    log.0.reserve_held_bytes = reserve::bytes_held(env, dir)?;
    if log.0.reserve_held_bytes >= log.0.reserve_wanted_bytes() {
        log.0.reserve = Reserve::Held;
    }
    log.0.start_housekeeping();
    Ok(log)
}

/// The segment files in the folder.
pub(crate) fn segment_files(entries: &[Entry]) -> BTreeMap<u64, String> {
    let numbered = entries.iter().filter(|entry| !entry.is_dir);
    numbered.filter_map(|entry| Some((names::parse_segment(&entry.name)?, entry.name.clone()))).collect()
}

/// A new log: its first segment, then its manifest. A crash between the two leaves an empty segment, which is no log.
fn create(
    env: &Env,
    dir: &Path,
    options: LogOptions,
    entries: &[Entry],
    lock: Box<dyn DirLock>,
) -> Result<FileLog, OpenError> {
    for (number, name) in segment_files(entries) {
        refuse_segment_without_manifest(env, dir, number, &name)?;
    }
    remove_leftovers(env, dir, entries)?;
    let mut log_id = [0; 16];
    env.rng.fill(&mut log_id);
    let mut salt = [0; 16];
    env.rng.fill(&mut salt);
    let sectors = (options.bytes_of_segment(1) / SECTOR_BYTES as u64).max(2);
    let header = SegmentHeader { log_id, number: 1, salt, predecessor_salt: [0; 16], sectors };
    let Prepared { header, file } = prepare(env, dir, header)?;
    let start = ChainPoint::start(options.first_lsn.max(Lsn(1)));
    let segment = Segment {
        number: 1,
        salt,
        predecessor_salt: [0; 16],
        sectors: header.sectors,
        sectors_used: 1,
        start,
        end: start,
        link: (salt, start.digest),
    };
    manifest_of(log_id, &[], &segment, start).write(env, dir)?;
    Ok(FileLog {
        env: env.clone(),
        dir: dir.to_owned(),
        options,
        log_id,
        sealed: Vec::new(),
        active: Active { segment, file },
        prepared: None,
        point: start,
        marks: Marks::default(),
        housekeeping: Housekeeping::default(),
        reserve: Reserve::Missing,
        reserve_held_bytes: 0,
        is_manifest_due: false,
        is_closed: false,
        space: SpaceCheck::default().into(),
        buffer: Vec::new(),
        _lock: lock,
    })
}

fn refuse_segment_without_manifest(env: &Env, dir: &Path, number: u64, name: &str) -> Result<(), OpenError> {
    let scan = SegmentScan::open(env, &dir.join(name), ChainPoint::start(Lsn(1)));
    if number == 1 && matches!(scan.map(|mut scan| scan.rest()), Ok(Ok(Rest::Unwritten))) {
        return Ok(());
    }
    Err(OpenError::Damaged(Damage {
        file: names::MANIFEST.to_owned(),
        offset: 0,
        first_lsn_lost: Lsn(1),
        durable_before: None,
        reason: format!("the file is missing, though there is {name}"),
    }))
}

fn open_existing(
    env: &Env,
    dir: &Path,
    options: LogOptions,
    entries: &[Entry],
    lock: Box<dyn DirLock>,
) -> Result<(FileLog, Recovery), OpenError> {
    let manifest = read_manifest(env, dir)?;
    let mut cut = segment_files(entries);
    let files = cut.split_off(&manifest.first_segment);
    let recovered = recover(env, dir, &manifest, &files).map_err(OpenError::from)?;
    // From here on the folder is changed. Names that a crash may have left undurable are made durable first.
    remove_leftovers(env, dir, entries)?;
    for name in cut.values() {
        env.disk.remove(&dir.join(name))?;
    }
    env.disk.sync_dir(dir)?;
    if let Some(torn) = recovered.torn {
        erase_torn_group(env, dir, torn)?;
    }
    if recovered.end != manifest.durable {
        rewrite_last_group(env, dir, recovered.last_group)?;
    }
    let recovery = describe(&recovered);
    let log = resume(env, dir, options, &manifest, recovered, lock)?;
    Ok((log, recovery))
}

/// Reads the manifest; what is wrong with it is damage to the log as a whole.
pub(crate) fn read_manifest(env: &Env, dir: &Path) -> Result<Manifest, OpenError> {
    Manifest::read(env, dir).map_err(|error| {
        let (offset, reason) = match error {
            SealedError::Io { error, .. } => return OpenError::Io(error),
            SealedError::UnknownFormat { found, .. } => {
                return OpenError::UnknownFormat { file: names::MANIFEST.to_owned(), found };
            }
            SealedError::Damaged { offset, reason, .. } => (offset, reason.to_owned()),
            SealedError::WrongKind { found, .. } => (12, format!("it is a sealed file of kind {found:#x}")),
        };
        let file = names::MANIFEST.to_owned();
        OpenError::Damaged(Damage { file, offset, first_lsn_lost: Lsn(1), durable_before: None, reason })
    })
}

/// Puts zeros where a torn group has left traces, so that they never mix with the group that is written there next.
fn erase_torn_group(env: &Env, dir: &Path, torn: TornGroup) -> io::Result<()> {
    let file = env.disk.open(&dir.join(names::segment(torn.segment)), OpenHow::ReadWrite)?;
    let bytes = (torn.sectors_end - torn.first_sector) as usize * SECTOR_BYTES;
    file.write_at(&vec![0; bytes], torn.first_sector * SECTOR_BYTES as u64)?;
    file.sync()
}

/// Writes the last group once more, as it is, and syncs it. After a failed sync, and a start without a reboot, it may
/// be in the operating system's memory alone, where it counts as written: a mere sync would do nothing.
fn rewrite_last_group(env: &Env, dir: &Path, group: Option<LastGroup>) -> io::Result<()> {
    let Some(group) = group else { return Ok(()) };
    let file = env.disk.open(&dir.join(names::segment(group.segment)), OpenHow::ReadWrite)?;
    let offset = group.first_sector * SECTOR_BYTES as u64;
    let mut sectors = vec![0; group.sector_count as usize * SECTOR_BYTES];
    file.read_exact_at(&mut sectors, offset)?;
    file.write_at(&sectors, offset)?;
    file.sync()
}

fn describe(recovered: &Recovered) -> Recovery {
    match recovered.torn {
        None => Recovery::Clean,
        Some(torn) => Recovery::Torn {
            file: names::segment(torn.segment),
            offset: torn.first_sector * SECTOR_BYTES as u64,
            lsn_cut: recovered.end.lsn,
        },
    }
}

/// Goes on behind the last group: in the last segment that has one, with the empty segment after it as the prepared
/// one.
fn resume(
    env: &Env,
    dir: &Path,
    options: LogOptions,
    manifest: &Manifest,
    recovered: Recovered,
    lock: Box<dyn DirLock>,
) -> Result<FileLog, OpenError> {
    let Recovered { mut segments, end, marks, last_group, .. } = recovered;
    let active_number = last_group.map_or(manifest.first_segment, |group| group.segment);
    let active_number = active_number.max(manifest.first_segment + manifest.sealed.len() as u64);
    let empty = segments.split_off((active_number - manifest.first_segment) as usize + 1);
    let active = segments.pop().expect("recovery found every segment from the first one on");
    for surplus in empty.iter().skip(1) {
        env.disk.remove(&dir.join(names::segment(surplus.number)))?;
    }
    let prepared = open_prepared(env, dir, manifest.log_id, &empty)?;
    let path = dir.join(names::segment(active.number));
    let file = env.disk.open(&path, OpenHow::ReadWrite)?;
    let mut log = FileLog {
        env: env.clone(),
        dir: dir.to_owned(),
        options,
        log_id: manifest.log_id,
        sealed: segments,
        active: Active { segment: active, file },
        prepared,
        point: end,
        marks,
        housekeeping: Housekeeping::default(),
        reserve: Reserve::Missing,
        reserve_held_bytes: 0,
        is_manifest_due: false,
        is_closed: false,
        space: SpaceCheck::default().into(),
        buffer: Vec::new(),
        _lock: lock,
    };
    log.is_manifest_due = log.manifest() != *manifest;
    if log.is_manifest_due {
        write_manifest(&mut log)?;
    }
    Ok(log)
}

/// Writes down what was found. On a full disk that can wait: the log is no worse known than before.
fn write_manifest(log: &mut FileLog) -> io::Result<()> {
    match log.manifest().write(&log.env, &log.dir) {
        Err(error) if is_no_space(&error) => Ok(()),
        written => {
            log.is_manifest_due = written.is_err();
            written
        }
    }
}

fn open_prepared(env: &Env, dir: &Path, log_id: [u8; 16], empty: &[Segment]) -> io::Result<Option<Prepared>> {
    let Some(segment) = empty.first() else { return Ok(None) };
    let file = env.disk.open(&dir.join(names::segment(segment.number)), OpenHow::ReadWrite)?;
    let header = SegmentHeader {
        log_id,
        number: segment.number,
        salt: segment.salt,
        predecessor_salt: segment.predecessor_salt,
        sectors: segment.sectors,
    };
    Ok(Some(Prepared { header, file }))
}

/// Removes what crashes have left half made.
fn remove_leftovers(env: &Env, dir: &Path, entries: &[Entry]) -> io::Result<()> {
    for entry in entries.iter().filter(|entry| !entry.is_dir && names::is_leftover(&entry.name)) {
        env.disk.remove(&dir.join(&entry.name))?;
    }
    Ok(())
}

impl From<RecoverError> for OpenError {
    fn from(error: RecoverError) -> OpenError {
        match error {
            RecoverError::Damaged(damage) => OpenError::Damaged(damage),
            RecoverError::UnknownFormat { file, found } => OpenError::UnknownFormat { file, found },
            RecoverError::Io(error) => OpenError::Io(error),
        }
    }
}
