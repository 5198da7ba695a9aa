//! When the disk is full nothing is taken, nothing acknowledged is lost, and room comes back by itself.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;
use std::sync::Arc;

use headwater_env::sim::{Arrived, SimDisk};
use headwater_env::{Disk, Env, ManualClock, OpenHow, SeededRng};
use headwater_log::sealed::SealedWriter;
use headwater_log::{AppendError, FileLog, LogOptions, LogStore};
use headwater_types::{Lsn, TimestampMicros};
use support::{append, disk_with_folder, env_on, log_dir, open, read_all, small_segments};

const CAPACITY_BYTES: u64 = 256 << 10;

fn world(disk: &SimDisk) -> (Env, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(TimestampMicros(0)));
    let env = Env { disk: Arc::new(disk.clone()), clock: clock.clone(), rng: Arc::new(SeededRng::new(1)) };
    (env, clock)
}

/// Somebody else takes all the space there is.
fn fill(disk: &SimDisk) {
    let file = disk.open(Path::new("/data/filler"), OpenHow::CreateNew).unwrap();
    file.allocate_zeroed(disk.available_bytes(Path::new("/data")).unwrap()).unwrap();
}

fn append_until_full(log: &mut FileLog) -> u64 {
    let mut appended = 0;
    loop {
        let before = log.next_lsn();
        match append(log, &[(1, vec![9; 600])]) {
            Ok(()) => appended += 1,
            Err(AppendError::NoSpace) => {
                assert_eq!(log.next_lsn(), before);
                return appended;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn room_comes_back_by_itself_in_twenty_rounds() {
    let disk = disk_with_folder();
    disk.set_capacity(Some(CAPACITY_BYTES));
    let (env, clock) = world(&disk);
    let (mut log, _) = FileLog::open(&env, &log_dir(), small_segments()).unwrap();
    for round in 0..20 {
        fill(&disk);
        append_until_full(&mut log);
        assert!(!log.has_room(600), "round {round}");
        assert_eq!(read_all(&log).len() as u64, log.next_lsn().0 - log.first_lsn().0);

        disk.remove(Path::new("/data/filler")).unwrap();
        assert!(!log.has_room(600), "the disk is not asked again within 200 ms");
        clock.advance_micros(200_000);
        assert!(log.has_room(600), "round {round}");
        append(&mut log, &[(1, vec![9; 600])]).unwrap();
        log.cut_before(log.next_lsn()).unwrap();
    }
    let next = log.next_lsn();
    drop(log);
    let (log, _) = open(&env_on(&disk.crash(&Arrived::Nothing), 2));
    assert_eq!(log.next_lsn(), next);
}

#[test]
fn has_room_never_promises_what_append_refuses() {
    for capacity in (20 << 10..60 << 10).step_by(512) {
        let disk = disk_with_folder();
        disk.set_capacity(Some(capacity));
        let (env, clock) = world(&disk);
        let Ok((mut log, _)) = FileLog::open(&env, &log_dir(), small_segments()) else { continue };
        for _ in 0..100 {
            clock.advance_micros(200_000);
            if !log.has_room(700) {
                break;
            }
            // The simulated disk counts no overhead, so its promise is exact.
            append(&mut log, &[(1, vec![9; 700])]).unwrap();
        }
    }
}

#[test]
fn the_reserve_lets_a_snapshot_be_written_to_a_full_disk() {
    let disk = disk_with_folder();
    disk.set_capacity(Some(CAPACITY_BYTES));
    let (env, _) = world(&disk);
    let options = LogOptions { reserve_bytes: 8 << 10, ..small_segments() };
    let (mut log, _) = FileLog::open(&env, &log_dir(), options).unwrap();
    assert!(!disk.exists(&log_dir().join("reserve")), "an untouched log takes none");
    while log.next_lsn() < Lsn(8) {
        append(&mut log, &[(1, vec![9; 600])]).unwrap();
    }
    fill(&disk);
    append_until_full(&mut log);
    let snapshot = |env: &Env| {
        let mut writer = SealedWriter::create(env, Path::new("/data/snapshot"), 1)?;
        writer.block(&[5; 700])?;
        writer.finish()
    };
    assert!(snapshot(&env).is_err());
    assert!(!disk.exists(Path::new("/data/snapshot.tmp")), "a failed writer leaves nothing behind");
    let written = log.with_reserve_released(|log| {
        let written = snapshot(&env);
        log.cut_before(log.next_lsn()).unwrap();
        written
    });
    written.unwrap().unwrap();
    assert!(disk.exists(&log_dir().join("reserve")), "the cut made room for the reserve");
}

#[test]
fn a_reserve_grows_with_the_log_and_a_small_one_stays_while_there_is_no_space_for_more() {
    let disk = disk_with_folder();
    disk.set_capacity(Some(CAPACITY_BYTES));
    let (env, clock) = world(&disk);
    let options = LogOptions { first_segment_bytes: 2 << 10, reserve_bytes: 64 << 10, ..small_segments() };
    let (mut log, _) = FileLog::open(&env, &log_dir(), options).unwrap();
    let held = || disk.open(&log_dir().join("reserve"), OpenHow::Read).map_or(0, |file| file.len().unwrap());
    append(&mut log, &[(1, vec![9; 600])]).unwrap();
    assert_eq!(held(), 16 << 10);
    fill(&disk);
    append_until_full(&mut log);
    assert_eq!(held(), 16 << 10, "what there is is not given up for what does not fit");
    disk.remove(Path::new("/data/filler")).unwrap();
    clock.advance_micros(200_000);
    for _ in 0..20 {
        append(&mut log, &[(1, vec![9; 600])]).unwrap();
    }
    assert_eq!(held(), 64 << 10);
}

#[test]
fn cutting_makes_room_on_a_full_disk() {
    let disk = disk_with_folder();
    disk.set_capacity(Some(CAPACITY_BYTES));
    let (env, clock) = world(&disk);
    let (mut log, _) = FileLog::open(&env, &log_dir(), small_segments()).unwrap();
    append_until_full(&mut log);
    assert_eq!(disk.available_bytes(Path::new("/data")).unwrap() / (8 << 10), 0);
    log.cut_before(log.next_lsn()).unwrap();
    clock.advance_micros(200_000);
    assert!(log.has_room(600));
    append(&mut log, &[(1, vec![9; 600])]).unwrap();
}

#[test]
fn a_full_disk_does_not_keep_a_log_from_opening() {
    let disk = disk_with_folder();
    disk.set_capacity(Some(CAPACITY_BYTES));
    let (env, clock) = world(&disk);
    let (mut log, _) = FileLog::open(&env, &log_dir(), small_segments()).unwrap();
    fill(&disk);
    append_until_full(&mut log);
    let next = log.next_lsn();
    drop(log);
    let (mut log, _) = FileLog::open(&env, &log_dir(), small_segments()).unwrap();
    assert_eq!(log.next_lsn(), next);
    assert_eq!(read_all(&log).len() as u64, next.0 - 1);
    disk.remove(Path::new("/data/filler")).unwrap();
    clock.advance_micros(200_000);
    append(&mut log, &[(1, vec![9; 5_000])]).unwrap();
}
