//! Every bit of a log, its manifest and a sealed file is flipped, one at a time. Each flip is refused: there is no byte
//! that nothing checks.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;

use headwater_env::Disk;
use headwater_env::sim::SimDisk;
use headwater_log::sealed::{SealedReader, SealedWriter};
use headwater_log::{FileLog, LogOptions, LogStore, OpenError};
use headwater_types::Lsn;
use support::{append, disk_with_folder, env_on, log_dir};

fn tiny() -> LogOptions {
    LogOptions { segment_bytes: 3 << 10, first_segment_bytes: 3 << 10, reserve_bytes: 0, first_lsn: Lsn(1) }
}

/// Some full segments, one half full, one prepared; cut once, so that the first is not number 1.
fn small_log() -> SimDisk {
    let disk = disk_with_folder();
    let (mut log, _) = FileLog::open(&env_on(&disk, 5), &log_dir(), tiny()).unwrap();
    for number in 0_u16..12 {
        append(&mut log, &[(1, vec![number as u8; 100 + 80 * usize::from(number)]), (2, vec![])]).unwrap();
    }
    log.cut_before(Lsn(7)).unwrap();
    // One group more than the manifest knows to be durable, so that what a flip hits is not covered by it.
    let manifest = || disk.files().into_iter().find(|(path, _)| path.ends_with("LOG-MANIFEST"));
    loop {
        let known = manifest();
        append(&mut log, &[(3, vec![9; 900])]).unwrap();
        if manifest() == known {
            return disk;
        }
    }
}

/// Opens and reads everything; any error is a refusal.
fn is_refused(disk: &SimDisk) -> bool {
    match FileLog::open(&env_on(disk, 6), &log_dir(), tiny()) {
        Err(OpenError::Damaged(damage)) => !damage.to_string().is_empty(),
        Err(OpenError::UnknownFormat { .. }) => true,
        Err(error) => panic!("an unfit error: {error}"),
        Ok(_) => false,
    }
}

fn every_flip_is_refused(files: impl Fn(&str) -> bool) -> usize {
    let disk = small_log();
    assert!(!is_refused(&disk.restart_process()));
    let mut flips = 0;
    for (path, bytes) in disk.files() {
        if !files(path.file_name().unwrap().to_str().unwrap()) {
            continue;
        }
        // In a debug build every 7th bit: all places, and each of a byte's bits in turn.
        let stride = if cfg!(debug_assertions) { 7 } else { 1 };
        for bit in (0..bytes.len() * 8).step_by(stride) {
            let flipped = disk.restart_process();
            flipped.corrupt(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
            assert!(is_refused(&flipped), "bit {bit} of {} was accepted", path.display());
            flips += 1;
        }
    }
    flips
}

#[test]
fn every_flipped_bit_of_a_segment_is_refused() {
    let flips = every_flip_is_refused(|name| name.ends_with(".segment"));
    println!("{flips} flips in segments: all refused");
    assert!(flips > 10_000);
}

#[test]
fn every_flipped_bit_of_the_manifest_is_refused() {
    let flips = every_flip_is_refused(|name| name == "LOG-MANIFEST");
    println!("{flips} flips in the manifest: all refused");
    assert!(flips > 300);
}

#[test]
fn every_flipped_bit_of_a_sealed_file_is_refused() {
    let disk = disk_with_folder();
    let path = Path::new("/data/sealed");
    let mut writer = SealedWriter::create(&env_on(&disk, 1), path, 3).unwrap();
    for length in [0_usize, 1, 8, 200, 1_000] {
        writer.block(&vec![0xa5; length]).unwrap();
    }
    writer.finish().unwrap();
    let (_, bytes) = disk.files().remove(0);
    for bit in 0..bytes.len() * 8 {
        let flipped = disk.restart_process();
        flipped.corrupt(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        assert!(SealedReader::open(&env_on(&flipped, 2), path, 3).is_err(), "bit {bit} was accepted");
    }
    for length in 0..bytes.len() {
        let short = disk.restart_process();
        short.corrupt(path, |bytes| bytes.truncate(length)).unwrap();
        assert!(SealedReader::open(&env_on(&short, 2), path, 3).is_err(), "{length} bytes were accepted");
    }
    let long = disk.restart_process();
    long.corrupt(path, |bytes| bytes.push(0)).unwrap();
    assert!(SealedReader::open(&env_on(&long, 2), path, 3).is_err());
    println!("{} flips in a sealed file: all refused", bytes.len() * 8);
}

/// Whole sectors that are zeroed, exchanged, taken from elsewhere, files that are cut short or gone.
#[test]
fn coarser_damage_is_refused() {
    let disk = small_log();
    let mut cases = 0;
    let segments: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "segment"))
        .collect();
    let (last_with_groups, prepared) = (&segments[segments.len() - 2].0, &segments[segments.len() - 1].0);
    for (path, bytes) in &segments {
        let mut expect = |what: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let damaged = disk.restart_process();
            damaged.corrupt(path, change).unwrap();
            cases += 1;
            assert!(is_refused(&damaged), "{what} in {} was accepted", path.display());
        };
        expect("a shortened file", &|bytes| bytes.truncate(bytes.len() - 512));
        expect("a lengthened file", &|bytes| bytes.resize(bytes.len() + 512, 0));
        expect("a zeroed header", &|bytes| bytes[..512].fill(0));
        let used = bytes.chunks(512).filter(|sector| sector.iter().any(|byte| *byte != 0)).count();
        let last_group = if path == last_with_groups { last_group_start(bytes) } else { used };
        for sector in 1..last_group {
            expect("a zeroed sector", &move |bytes| bytes[sector * 512..][..512].fill(0));
        }
        for sector in 1..used.saturating_sub(1) {
            expect("two exchanged sectors", &move |bytes| {
                let (left, right) = bytes.split_at_mut((sector + 1) * 512);
                left[sector * 512..].swap_with_slice(&mut right[..512]);
            });
            expect("a sector in two places", &move |bytes| {
                bytes.copy_within(sector * 512..(sector + 1) * 512, (sector + 1) * 512)
            });
        }
        if path != prepared {
            let gone = disk.restart_process();
            gone.remove(path).unwrap();
            assert!(is_refused(&gone), "{} is missing and was accepted", path.display());
        }
    }
    let gone = disk.restart_process();
    gone.remove(&log_dir().join("LOG-MANIFEST")).unwrap();
    assert!(is_refused(&gone));
    println!("{cases} kinds of coarse damage: all refused");
}

fn last_group_start(segment: &[u8]) -> usize {
    segment.chunks(512).rposition(|sector| sector[0] == b'G').unwrap()
}

/// The other side: what a power cut can leave of the last group is a tear, and starts.
#[test]
fn a_torn_last_group_is_no_damage() {
    let disk = small_log();
    let segments: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "segment"))
        .collect();
    let (path, bytes) = &segments[segments.len() - 2];
    let start = last_group_start(bytes);
    let count = bytes.chunks(512).rposition(|sector| sector[0] != 0).unwrap() + 1 - start;
    assert!(count > 1, "the last group has one sector only");
    for kept in 0..(1_u32 << count) - 1 {
        let torn = disk.restart_process();
        let zero_lost = |bytes: &mut Vec<u8>| {
            for sector in (0..count).filter(|sector| kept >> sector & 1 == 0) {
                bytes[(start + sector) * 512..][..512].fill(0);
            }
        };
        torn.corrupt(path, zero_lost).unwrap();
        assert!(!is_refused(&torn), "a tear was taken for damage");
    }
}

/// After a close the manifest knows the end, and the same tear is damage.
#[test]
fn nothing_may_be_missing_after_a_close() {
    let disk = small_log();
    let (log, _) = FileLog::open(&env_on(&disk, 8), &log_dir(), tiny()).unwrap();
    log.close().unwrap();
    let segments: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "segment"))
        .collect();
    let (path, bytes) = &segments[segments.len() - 2];
    let start = last_group_start(bytes);
    disk.corrupt(path, |bytes| bytes[start * 512..].fill(0)).unwrap();
    assert!(is_refused(&disk));
}
