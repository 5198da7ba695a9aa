//! A failed sync closes the log: its group is not acknowledged, nothing is synced after it, and the next start decides
//! what was durable.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use headwater_env::sim::{Arrived, Faults, SimDisk};
use headwater_log::{AppendError, CutError, FileLog, LogStore};
use headwater_types::Lsn;
use support::{
    Draw, Plain, append, disk_with_folder, env_on, log_dir, open, random_group, read_all, small_segments,
};

struct Failed {
    disk: SimDisk,
    log: FileLog,
    acknowledged: Vec<Plain>,
}

/// Appends and cuts until the n-th sync from now fails.
fn run_into_failed_sync(n: u64) -> Failed {
    let disk = disk_with_folder();
    let (mut log, _) = open(&env_on(&disk, n));
    let mut draw = Draw::new(n);
    let mut acknowledged = Vec::new();
    disk.set_faults(Faults::nth_sync(n));
    loop {
        let group = random_group(&mut draw);
        match append(&mut log, &group) {
            Ok(()) => acknowledged.extend(group),
            Err(AppendError::SyncFailed(_)) => return Failed { disk, log, acknowledged },
            Err(error) => panic!("sync {n}: {error}"),
        }
        if draw.below(6) == 0 {
            match log.cut_before(Lsn(log.next_lsn().0.saturating_sub(20).max(1))) {
                Ok(()) | Err(CutError::Closed) => {}
                Err(CutError::Io(_)) => return Failed { disk, log, acknowledged },
                Err(error) => panic!("sync {n}: {error}"),
            }
        }
    }
}

fn expect_all_acknowledged(log: &FileLog, acknowledged: &[Plain], n: u64) {
    let records = read_all(log);
    let first = log.first_lsn().0 as usize - 1;
    for (record, (kind, payload)) in records.iter().zip(&acknowledged[first..]) {
        assert!(record.kind == *kind && record.payload == payload, "sync {n}: LSN {} differs", record.lsn);
    }
    assert!(first + records.len() >= acknowledged.len(), "sync {n}: acknowledged records are gone");
}

#[test]
fn no_sync_follows_a_failed_one() {
    for n in 1..=50 {
        let Failed { disk, mut log, acknowledged } = run_into_failed_sync(n);
        let synced = disk.synced_paths().len();
        let next = log.next_lsn();
        assert!(matches!(append(&mut log, &[(1, vec![1])]), Err(AppendError::Closed)));
        assert!(matches!(log.cut_before(next), Err(CutError::Closed)));
        assert!(!log.retake_reserve() || log.is_closed());
        log.close().unwrap();
        assert_eq!(disk.synced_paths().len(), synced, "sync {n}: a file was synced after the failure");

        let (log, _) = open(&env_on(&disk.crash(&Arrived::Nothing), n));
        expect_all_acknowledged(&log, &acknowledged, n);
    }
}

/// Without a reboot the operating system shows a group that never reached the disk, and holds it for written. If a start
/// finds it whole, it must make it durable in fact, not in name.
#[test]
fn what_is_found_after_a_failed_sync_is_durable_from_then_on() {
    let mut found_unacknowledged = 0;
    for n in 1..=50 {
        let Failed { disk, log, acknowledged } = run_into_failed_sync(n);
        drop(log);
        let restarted = disk.restart_process();
        let (log, _) = open(&env_on(&restarted, n));
        expect_all_acknowledged(&log, &acknowledged, n);
        let found = read_all(&log);
        let first = log.first_lsn().0 as usize - 1;
        found_unacknowledged += usize::from(first + found.len() > acknowledged.len());
        drop(log);
        let (log, _) = open(&env_on(&restarted.crash(&Arrived::Nothing), n));
        assert_eq!(read_all(&log), found, "sync {n}");
    }
    assert!(found_unacknowledged > 10, "only {found_unacknowledged} starts found an unacknowledged group");
}

/// Any change of the disk may fail, not only syncs, and also while the log is opened.
#[test]
fn any_failing_operation_leaves_a_log_that_opens() {
    for n in 1..=150 {
        let disk = disk_with_folder();
        let mut acknowledged = Vec::new();
        disk.set_faults(Faults::nth_change(n));
        if let Ok((mut log, _)) = FileLog::open(&env_on(&disk, n), &log_dir(), small_segments()) {
            let mut draw = Draw::new(n);
            for _ in 0..30 {
                let group = random_group(&mut draw);
                if append(&mut log, &group).is_ok() {
                    acknowledged.extend(group);
                }
            }
        }
        let (log, _) = open(&env_on(&disk.restart_process(), n));
        expect_all_acknowledged(&log, &acknowledged, n);
        let (log, _) = open(&env_on(&disk.crash(&Arrived::Nothing), n));
        expect_all_acknowledged(&log, &acknowledged, n);
    }
}
