//! A scripted run over a simulated disk, and what must be found after it was cut off anywhere.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

use std::path::{Path, PathBuf};

use headwater_env::sim::{Arrived, SimDisk};
use headwater_env::{Disk, Env, Rng, SeededRng};
use headwater_log::sealed::{SealedError, SealedReader, SealedWriter};
use headwater_log::{AppendError, FileLog, LogOptions, LogStore, NewRecord, Record, Recovery};
use headwater_types::Lsn;

pub const LOG: &str = "/data/log";
pub const MANIFEST: &str = "/data/manifest";
pub const MANIFEST_KIND: u32 = 7;
pub const SNAPSHOT_KIND: u32 = 8;

pub fn small_segments() -> LogOptions {
    LogOptions {
        segment_bytes: 8 << 10,
        first_segment_bytes: 4 << 10,
        reserve_bytes: 1 << 10,
        first_lsn: Lsn(1),
    }
}

pub fn log_dir() -> PathBuf {
    PathBuf::from(LOG)
}

pub fn env_on(disk: &SimDisk, seed: u64) -> Env {
    Env::simulated(disk.clone(), 0, seed)
}

/// A disk with the folder that a workspace lies in.
pub fn disk_with_folder() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("/data")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

pub fn open(env: &Env) -> (FileLog, Recovery) {
    FileLog::open(env, &log_dir(), small_segments()).unwrap()
}

/// A source of choices.
pub struct Draw(SeededRng);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(SeededRng::new(seed))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }
}

/// Kind and payload.
pub type Plain = (u8, Vec<u8>);

pub fn append(log: &mut FileLog, group: &[Plain]) -> Result<(), AppendError> {
    let pieces: Vec<[&[u8]; 2]> =
        group.iter().map(|(_, payload)| payload.split_at(payload.len() / 3).into()).collect();
    let records: Vec<NewRecord<'_>> =
        group.iter().zip(&pieces).map(|((kind, _), payload)| NewRecord { kind: *kind, payload }).collect();
    let next = log.next_lsn();
    log.append(next, &records)
}

pub fn read_all(log: &FileLog) -> Vec<Record> {
    log.read_from(log.first_lsn()).unwrap().map(Result::unwrap).collect()
}

/// What a run has done, and from which operation of the disk on each of it had been acknowledged.
#[derive(Default)]
pub struct History {
    /// All records, the first with LSN 1.
    pub records: Vec<Plain>,
    /// The next LSN after each group, with the operation count at its acknowledgement.
    pub groups: Vec<(u64, Lsn)>,
    /// The LSN of each published snapshot, likewise.
    pub snapshots: Vec<(u64, Lsn)>,
}

impl History {
    fn acknowledged(list: &[(u64, Lsn)], operations: u64) -> Option<Lsn> {
        list.iter().take_while(|(at, _)| *at <= operations).last().map(|(_, lsn)| *lsn)
    }
}

/// Appends of many sizes, segment changes, snapshots with a manifest that names them, cuts, restarts.
pub fn scripted_run(disk: &SimDisk, seed: u64, steps: usize) -> History {
    let env = env_on(disk, seed);
    let mut draw = Draw::new(seed);
    let mut history = History::default();
    let (mut log, _) = open(&env);
    for _ in 0..steps {
        match draw.below(20) {
            0 => {
                if draw.below(2) == 0 {
                    log.close().unwrap();
                } else {
                    drop(log);
                }
                log = open(&env).0;
            }
            1 | 2 => snapshot_and_cut(&env, disk, &mut log, &mut history),
            _ => {
                let group = random_group(&mut draw);
                append(&mut log, &group).unwrap();
                history.records.extend(group);
                history.groups.push((disk.operation_count(), log.next_lsn()));
            }
        }
    }
    history
}

pub fn random_group(draw: &mut Draw) -> Vec<Plain> {
    let count = 1 + draw.below(3);
    (0..count)
        .map(|_| {
            let length = match draw.below(60) {
                0 => 9_000 + draw.below(2_000),
                1..=9 => 1_000 + draw.below(1_500),
                10..=14 => 0,
                _ => draw.below(400),
            };
            (draw.below(256) as u8, draw.bytes(length as usize))
        })
        .collect()
}

/// A snapshot of all records so far, the manifest that names it, and only then the cut and the end of the old one.
fn snapshot_and_cut(env: &Env, disk: &SimDisk, log: &mut FileLog, history: &mut History) {
    let lsn = log.next_lsn();
    let old = read_manifest(env).unwrap();
    if old == Some(lsn) {
        return;
    }
    let mut snapshot = SealedWriter::create(env, &snapshot_path(lsn), SNAPSHOT_KIND).unwrap();
    for (kind, payload) in &history.records[history.records.len().saturating_sub(4)..] {
        snapshot.block(&[&[*kind], payload.as_slice()].concat()).unwrap();
    }
    snapshot.finish().unwrap();
    let mut manifest = SealedWriter::create(env, Path::new(MANIFEST), MANIFEST_KIND).unwrap();
    manifest.block(&lsn.0.to_le_bytes()).unwrap();
    manifest.finish().unwrap();
    history.snapshots.push((disk.operation_count(), lsn));
    log.cut_before(lsn).unwrap();
    if let Some(old) = old {
        disk.remove(&snapshot_path(old)).unwrap();
    }
}

fn snapshot_path(lsn: Lsn) -> PathBuf {
    PathBuf::from(format!("/data/snapshot-{lsn}"))
}

/// The LSN of the snapshot that the manifest names.
fn read_manifest(env: &Env) -> Result<Option<Lsn>, SealedError> {
    if !env.disk.exists(Path::new(MANIFEST)) {
        return Ok(None);
    }
    let mut blocks = SealedReader::open(env, Path::new(MANIFEST), MANIFEST_KIND)?;
    let block = blocks.next().unwrap()?;
    Ok(Some(Lsn(u64::from_le_bytes(block[..].try_into().unwrap()))))
}

/// Holds a disk that was found after `operations` of the run against what the run had done by then.
pub fn check(disk: &SimDisk, history: &History, operations: u64) -> Result<Recovery, String> {
    let env = env_on(disk, operations);
    let first_readable = check_snapshot(&env, history, operations)?;
    let (log, recovery) =
        FileLog::open(&env, &log_dir(), small_segments()).map_err(|error| format!("refused: {error}"))?;
    let acknowledged = History::acknowledged(&history.groups, operations).unwrap_or(Lsn(1));
    if log.next_lsn() < acknowledged {
        return Err(format!("acknowledged below LSN {acknowledged}, found below {}", log.next_lsn()));
    }
    if log.first_lsn() > first_readable {
        return Err(format!("snapshot at {first_readable}, log from {} on", log.first_lsn()));
    }
    let is_group_end =
        log.next_lsn() == Lsn(1) || history.groups.iter().any(|(_, lsn)| *lsn == log.next_lsn());
    if !is_group_end {
        return Err(format!("a group was split at {}", log.next_lsn()));
    }
    let mut next = log.first_lsn();
    for record in log.read_from(next).map_err(|error| error.to_string())? {
        let record = record.map_err(|error| error.to_string())?;
        let (kind, payload) = &history.records[next.0 as usize - 1];
        if record.lsn != next || record.kind != *kind || record.payload != payload {
            return Err(format!("LSN {next} reads back differently"));
        }
        next = next.next();
    }
    if next == log.next_lsn() {
        Ok(recovery)
    } else {
        Err(format!("records end at {next} instead of {}", log.next_lsn()))
    }
}

/// The snapshot that the manifest names must be whole, and no older than the last one published. Returns its LSN.
fn check_snapshot(env: &Env, history: &History, operations: u64) -> Result<Lsn, String> {
    let published = History::acknowledged(&history.snapshots, operations);
    let found = read_manifest(env).map_err(|error| error.to_string())?;
    if found < published {
        return Err(format!("snapshot {published:?} was published, {found:?} was found"));
    }
    let Some(lsn) = found else { return Ok(Lsn(1)) };
    let blocks =
        SealedReader::open(env, &snapshot_path(lsn), SNAPSHOT_KIND).map_err(|error| error.to_string())?;
    let end = lsn.0 as usize - 1;
    let mut expected = history.records[end.saturating_sub(4)..end].iter();
    for block in blocks {
        let block = block.map_err(|error| error.to_string())?;
        let (kind, payload) = expected.next().ok_or("the snapshot has too many blocks")?;
        if block[0] != *kind || block[1..] != *payload {
            return Err("the snapshot reads back differently".to_owned());
        }
    }
    if expected.next().is_some() { Err("the snapshot has too few blocks".to_owned()) } else { Ok(lsn) }
}

/// Appends, closes and reads once more on a disk that was found, so that what recovery left is shown to be usable.
pub fn check_goes_on(disk: &SimDisk) {
    let env = env_on(disk, 99);
    let (mut log, _) = open(&env);
    let before = read_all(&log);
    append(&mut log, &[(1, vec![7; 700])]).unwrap();
    drop(log);
    let (log, recovery) = open(&env_on(&disk.crash(&Arrived::Nothing), 100));
    assert_eq!(recovery, Recovery::Clean);
    let after = read_all(&log);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.last().unwrap().payload, vec![7; 700]);
}
