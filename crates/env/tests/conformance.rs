//! One set of expectations for both disks, so that the simulated one does not drift from the real one.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::ErrorKind;
use std::path::Path;

use headwater_env::sim::SimDisk;
use headwater_env::{Disk, LockError, OpenHow, RealDisk};

/// Runs an expectation on an empty folder of each disk.
fn on_both(expectation: impl Fn(&dyn Disk, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    expectation(&RealDisk, folder.path());
    let sim = SimDisk::new();
    sim.create_dir_all(Path::new("/sim/folder")).unwrap();
    expectation(&sim, Path::new("/sim/folder"));
}

fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) {
    let file = disk.open(path, OpenHow::CreateNew).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
}

fn read(disk: &dyn Disk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, OpenHow::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn what_is_written_is_read() {
    on_both(|disk, dir| {
        let file = disk.open(&dir.join("a"), OpenHow::CreateNew).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(b"hello", 3).unwrap();
        file.write_at(b"HE", 3).unwrap();
        assert_eq!(read(disk, &dir.join("a")), b"\0\0\0HEllo");
        let mut buffer = [0xff; 4];
        assert_eq!(file.read_at(&mut buffer, 6).unwrap(), 2);
        assert_eq!(file.read_at(&mut buffer, 100).unwrap(), 0);
        assert_eq!(file.read_exact_at(&mut buffer, 6).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn lengths_change_and_what_is_added_is_zero() {
    on_both(|disk, dir| {
        let file = disk.open(&dir.join("a"), OpenHow::CreateNew).unwrap();
        file.write_at(b"12345", 0).unwrap();
        file.set_len(2).unwrap();
        file.set_len(4).unwrap();
        assert_eq!(read(disk, &dir.join("a")), b"12\0\0");
        file.allocate_zeroed(5_000).unwrap();
        assert_eq!(read(disk, &dir.join("a")), vec![0; 5_000]);
    });
}

#[test]
fn opening_says_what_is_wrong() {
    on_both(|disk, dir| {
        let kind = |how| disk.open(&dir.join("a"), how).unwrap_err().kind();
        assert_eq!(kind(OpenHow::Read), ErrorKind::NotFound);
        assert_eq!(kind(OpenHow::ReadWrite), ErrorKind::NotFound);
        write(disk, &dir.join("a"), b"x");
        assert_eq!(kind(OpenHow::CreateNew), ErrorKind::AlreadyExists);
        let nowhere = disk.open(&dir.join("no/a"), OpenHow::CreateNew).unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_file_opened_for_reading_is_not_written() {
    on_both(|disk, dir| {
        write(disk, &dir.join("a"), b"x");
        let file = disk.open(&dir.join("a"), OpenHow::Read).unwrap();
        assert!(file.write_at(b"y", 0).is_err());
        assert_eq!(read(disk, &dir.join("a")), b"x");
    });
}

#[test]
fn folders_list_what_is_in_them_by_name() {
    on_both(|disk, dir| {
        write(disk, &dir.join("b"), b"12");
        disk.create_dir_all(&dir.join("c/d")).unwrap();
        disk.create_dir_all(&dir.join("c/d")).unwrap();
        write(disk, &dir.join("a"), b"");
        write(disk, &dir.join("c/x"), b"");
        let entries = disk.list(dir).unwrap();
        let seen: Vec<_> =
            entries.iter().map(|entry| (entry.name.as_str(), entry.is_dir, entry.bytes)).collect();
        assert_eq!(seen, [("a", false, 0), ("b", false, 2), ("c", true, 0)]);
        assert_eq!(disk.list(&dir.join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        disk.sync_dir(dir).unwrap();
        assert!(disk.sync_dir(&dir.join("none")).is_err());
    });
}

#[test]
fn renames_replace_files_and_move_folders() {
    on_both(|disk, dir| {
        write(disk, &dir.join("a"), b"new");
        write(disk, &dir.join("b"), b"old");
        disk.rename(&dir.join("a"), &dir.join("b")).unwrap();
        assert!(!disk.exists(&dir.join("a")));
        assert_eq!(read(disk, &dir.join("b")), b"new");
        disk.create_dir_all(&dir.join("c")).unwrap();
        write(disk, &dir.join("c/x"), b"in it");
        disk.rename(&dir.join("c"), &dir.join("d")).unwrap();
        assert_eq!(read(disk, &dir.join("d/x")), b"in it");
        assert_eq!(disk.rename(&dir.join("c"), &dir.join("e")).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    on_both(|disk, dir| {
        write(disk, &dir.join("a"), b"still here");
        let file = disk.open(&dir.join("a"), OpenHow::Read).unwrap();
        disk.remove(&dir.join("a")).unwrap();
        disk.sync_dir(dir).unwrap();
        let mut bytes = [0; 10];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"still here");
        assert_eq!(disk.remove(&dir.join("a")).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn folders_are_removed_with_what_is_in_them() {
    on_both(|disk, dir| {
        disk.create_dir_all(&dir.join("c/d")).unwrap();
        write(disk, &dir.join("c/d/x"), b"");
        disk.remove_dir_all(&dir.join("c")).unwrap();
        assert!(!disk.exists(&dir.join("c/d/x")) && !disk.exists(&dir.join("c")));
        assert_eq!(disk.remove_dir_all(&dir.join("c")).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_lock_has_one_holder() {
    on_both(|disk, dir| {
        let held = disk.lock(&dir.join("LOCK")).unwrap();
        assert!(matches!(disk.lock(&dir.join("LOCK")), Err(LockError::Held)));
        drop(held);
        disk.lock(&dir.join("LOCK")).unwrap();
    });
}

#[test]
fn background_work_is_done() {
    on_both(|disk, _| {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        disk.background(Box::new(move || sender.send(1).unwrap()));
        assert_eq!(receiver.recv().unwrap(), 1);
        assert!(disk.available_bytes(Path::new("/")).unwrap() > 0);
    });
}
