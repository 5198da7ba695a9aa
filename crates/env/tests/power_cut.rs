//! What the simulated disk loses when the power goes, and what it keeps.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use headwater_env::sim::{Arrived, Faults, SimDisk};
use headwater_env::{Disk, File, OpenHow};

fn path() -> &'static Path {
    Path::new("/a")
}

/// A durable file of two sectors of ones.
fn disk_with_ones() -> (SimDisk, Box<dyn File>) {
    let disk = SimDisk::new();
    let file = disk.open(path(), OpenHow::CreateNew).unwrap();
    file.write_at(&[1; 1024], 0).unwrap();
    file.sync().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    (disk, file)
}

fn bytes_of(disk: &SimDisk) -> Vec<u8> {
    disk.files().remove(0).1
}

#[test]
fn a_synced_file_without_its_folder_is_lost() {
    let disk = SimDisk::new();
    let file = disk.open(path(), OpenHow::CreateNew).unwrap();
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    assert!(!disk.crash(&Arrived::Nothing).exists(path()));
    assert_eq!(bytes_of(&disk.crash(&Arrived::Everything)), b"x");
}

#[test]
fn unsynced_sectors_arrive_in_every_combination() {
    let (disk, file) = disk_with_ones();
    file.write_at(&[2; 1024], 0).unwrap();
    let pending = disk.pending();
    assert_eq!((pending.file_changes, pending.outcomes()), (2, 4));
    let found: BTreeSet<(u8, u8)> = (0..pending.outcomes())
        .map(|n| {
            let bytes = bytes_of(&disk.crash(&pending.outcome(n)));
            assert!(bytes[..512].iter().all(|byte| *byte == bytes[0]));
            (bytes[0], bytes[512])
        })
        .collect();
    assert_eq!(found, BTreeSet::from([(1, 1), (1, 2), (2, 1), (2, 2)]));
    file.sync().unwrap();
    assert_eq!(bytes_of(&disk.crash(&Arrived::Nothing)), [2; 1024]);
}

#[test]
fn a_length_that_does_not_arrive_takes_its_sectors_with_it() {
    let (disk, file) = disk_with_ones();
    file.write_at(&[3; 512], 1024).unwrap();
    let lengths: BTreeSet<(usize, u8)> = (0..disk.pending().outcomes())
        .map(|n| bytes_of(&disk.crash(&disk.pending().outcome(n))))
        .map(|bytes| (bytes.len(), *bytes.last().unwrap()))
        .collect();
    assert_eq!(lengths, BTreeSet::from([(1024, 1), (1536, 0), (1536, 3)]));
}

#[test]
fn operations_on_a_folder_arrive_in_order() {
    let (disk, _file) = disk_with_ones();
    disk.rename(path(), Path::new("/b")).unwrap();
    disk.open(path(), OpenHow::CreateNew).unwrap();
    disk.remove(Path::new("/b")).unwrap();
    let names = |n| {
        let crashed = disk.crash(&disk.pending().outcome(n));
        crashed.files().into_iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(disk.pending().outcomes(), 4);
    assert_eq!(
        [names(0), names(1), names(2), names(3)],
        [vec!["/a"], vec!["/b"], vec!["/a", "/b"], vec!["/a"]]
    );
}

#[test]
fn after_a_failed_sync_a_second_one_proves_nothing() {
    let (disk, file) = disk_with_ones();
    disk.set_faults(Faults::nth_sync(1));
    file.write_at(&[2; 512], 0).unwrap();
    assert!(file.sync().is_err());
    file.sync().unwrap();
    assert_eq!(bytes_of(&disk)[0], 2, "programs see what they wrote");
    assert_eq!(bytes_of(&disk.crash(&Arrived::Everything))[0], 1, "the disk never did");
}

#[test]
fn the_nth_change_fails_once_or_for_good() {
    for is_permanent in [false, true] {
        let (disk, file) = disk_with_ones();
        disk.set_faults(Faults { is_permanent, ..Faults::nth_change(2) });
        let results: Vec<bool> = (0..4).map(|_| file.write_at(&[2], 0).is_ok()).collect();
        assert_eq!(
            results,
            if is_permanent { [true, false, false, false] } else { [true, false, true, true] }
        );
    }
}

#[test]
fn a_full_disk_takes_nothing_more_until_something_goes() {
    let (disk, _file) = disk_with_ones();
    disk.set_capacity(Some(2048));
    let other = disk.open(Path::new("/b"), OpenHow::CreateNew).unwrap();
    assert_eq!(other.allocate_zeroed(1025).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    other.allocate_zeroed(1024).unwrap();
    assert_eq!(disk.available_bytes(Path::new("/")).unwrap(), 0);
    disk.remove(path()).unwrap();
    assert_eq!(disk.available_bytes(Path::new("/")).unwrap(), 1024);
}

#[test]
fn one_recording_holds_every_state() {
    let (disk, file) = disk_with_ones();
    disk.start_recording();
    for byte in 2..5 {
        file.write_at(&[byte], 0).unwrap();
    }
    let seen: Vec<u8> = disk.take_recording().iter().map(|(_, disk)| bytes_of(disk)[0]).collect();
    assert_eq!(seen, [2, 3, 4]);
}
