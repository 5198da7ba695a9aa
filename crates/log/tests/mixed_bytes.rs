//! Bytes that are right by themselves and wrong where they lie: sectors of another past of the same log, of another
//! place, of another log. Two pasts come from one disk that is copied and then written to differently.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::PathBuf;

use headwater_env::sim::SimDisk;
use headwater_log::{FileLog, OpenError};
use support::{append, disk_with_folder, env_on, log_dir, open, small_segments};

fn segment(number: u64) -> PathBuf {
    log_dir().join(format!("{number:012}.segment"))
}

fn bytes_of(disk: &SimDisk, number: u64) -> Vec<u8> {
    disk.files().into_iter().find(|(path, _)| *path == segment(number)).unwrap().1
}

/// Appends records of these sizes, one group each, to a copy of the disk. All bytes of a record are `fill`.
fn continued(disk: &SimDisk, fill: u8, sizes: &[usize]) -> SimDisk {
    let disk = disk.restart_process();
    let (mut log, _) = open(&env_on(&disk, 3));
    for size in sizes {
        append(&mut log, &[(1, vec![fill; *size])]).unwrap();
    }
    drop(log);
    disk
}

fn one_group() -> SimDisk {
    let disk = disk_with_folder();
    drop(open(&env_on(&disk, 1)));
    continued(&disk, 1, &[100])
}

fn copy_sectors(from: &SimDisk, to: &SimDisk, number: u64, sectors: std::ops::Range<usize>) {
    let bytes = bytes_of(from, number);
    let range = sectors.start * 512..sectors.end * 512;
    to.corrupt(&segment(number), |to| to[range.clone()].copy_from_slice(&bytes[range])).unwrap();
}

#[track_caller]
fn expect_damage(disk: &SimDisk, reason: &str) {
    match FileLog::open(&env_on(disk, 4), &log_dir(), small_segments()) {
        Err(OpenError::Damaged(damage)) => assert!(damage.reason.contains(reason), "{damage}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the log opened"),
    }
}

#[test]
fn a_group_of_another_past_does_not_fit_the_group_after_it() {
    let base = one_group();
    let (one, other) = (continued(&base, 2, &[300, 300]), continued(&base, 3, &[300, 300]));
    copy_sectors(&other, &one, 1, 2..3);
    expect_damage(&one, "follows another group");
}

#[test]
fn a_torn_group_with_another_past_of_it_in_the_next_segment_is_damage() {
    let base = continued(&one_group(), 1, &[1_000]);
    let (short, long) = (continued(&base, 2, &[900]), continued(&base, 3, &[3_500]));
    // The short one lies in sectors 5 and 6 of the first segment, the long one is the same group in the second segment.
    copy_sectors(&short, &long, 1, 5..6);
    expect_damage(&long, "the group is incomplete, but segment 2 was written after it");
}

#[test]
fn a_sector_beyond_the_torn_group_is_damage() {
    let base = one_group();
    let (short, long) = (continued(&base, 2, &[900]), continued(&base, 3, &[1_900]));
    let torn = short.restart_process();
    torn.corrupt(&segment(1), |bytes| bytes[3 * 512..4 * 512].fill(0)).unwrap();
    copy_sectors(&long, &torn, 1, 5..6);
    expect_damage(&torn, "a sector of group 2 lies where group 2 is incomplete");
}

#[test]
fn two_exchanged_sectors_of_the_last_group_are_damage() {
    let disk = continued(&one_group(), 2, &[1_900]);
    disk.corrupt(&segment(1), |bytes| {
        let (left, right) = bytes.split_at_mut(4 * 512);
        left[3 * 512..].swap_with_slice(&mut right[..512]);
    })
    .unwrap();
    expect_damage(&disk, "checksum");
}

#[test]
fn a_sector_of_another_log_is_damage() {
    let disk = continued(&one_group(), 2, &[300]);
    let elsewhere = disk_with_folder();
    drop(open(&env_on(&elsewhere, 77)));
    let elsewhere = continued(&continued(&elsewhere, 1, &[100]), 2, &[300]);
    copy_sectors(&elsewhere, &disk, 1, 2..3);
    expect_damage(&disk, "checksum");
}

#[test]
fn a_segment_of_another_log_is_damage() {
    let disk = one_group();
    let elsewhere = disk_with_folder();
    drop(open(&env_on(&elsewhere, 77)));
    let elsewhere = continued(&elsewhere, 1, &[100]);
    copy_sectors(&elsewhere, &disk, 1, 0..8);
    expect_damage(&disk, "another log");
}
