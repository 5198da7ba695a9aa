use std::path::PathBuf;

use headwater_changes::{Keep, Position, Selection};
use headwater_env::Disk;
use headwater_env::sim::FaultKind;
use headwater_env::sim::Faults;
use headwater_types::Lsn;

use crate::model::{Oracle, Step, World};

const START: Position = Position { lsn: Lsn(1), relation: 0, lines: 0 };

/// Some steps in a file, and some behind it.
fn world() -> (World, Oracle) {
    let mut world = World::new(Keep::default());
    let mut oracle = Oracle::default();
    let mut steps = vec![Step::Program(vec![(16, 1), (21, 1)])];
    steps.extend((0..6).map(|n| {
        Step::Deltas(vec![
            (16, vec![((Some(n), "a".to_owned()), 1)]),
            (21, vec![((Some(n), "b".to_owned()), 2)]),
        ])
    }));
    for (lsn, step) in (1..).zip(steps) {
        oracle.take(lsn, &step);
        world.step(step);
        if lsn == 4 {
            world.flush();
        }
    }
    (world, oracle)
}

fn files(world: &World) -> Vec<PathBuf> {
    let files = world.disk.files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.starts_with("/w/changes")).collect()
}

#[test]
fn every_flipped_bit_is_noticed_or_does_no_harm() {
    let (mut world, oracle) = world();
    let expected = oracle.after(START, &Selection::All, 7);
    let clean = world.disk.restart_process();
    let mut told = 0;
    for path in files(&world) {
        let bytes = clean.files().into_iter().find(|(it, _)| *it == path).unwrap().1.len();
        for bit in 0..bytes * 8 {
            let disk = clean.restart_process();
            disk.corrupt(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
            // A log that was cut: what the damaged files held cannot be replayed.
            world.disk = disk;
            world.reopen_behind(4);
            match world.read(START, &Selection::All, 7, usize::MAX) {
                Ok((lines, _)) => assert_eq!(lines, expected, "{} bit {bit}", path.display()),
                Err(_) => told += 1,
            }
        }
    }
    assert!(told > 1_000, "most flips hit what is read: {told}");
}

#[test]
fn a_missing_file_is_told_and_what_comes_later_is_there() {
    let (mut world, oracle) = world();
    let disk = world.disk.restart_process();
    let file = files(&world).into_iter().find(|path| path.to_string_lossy().ends_with(".0")).unwrap();
    disk.remove(&file).unwrap();
    world.disk = disk;
    world.reopen_behind(4);
    let gone = world.read(START, &Selection::All, 7, usize::MAX).unwrap_err();
    let behind = Position::after(gone.floor);
    let (lines, _) = world.read(behind, &Selection::All, 7, usize::MAX).unwrap();
    assert_eq!(lines, oracle.after(behind, &Selection::All, 7));
    assert!(!lines.is_empty());
}

#[test]
fn a_lost_folder_means_another_identity_and_a_floor() {
    let (mut world, _) = world();
    let before = world.log.identity();
    let disk = world.disk.restart_process();
    disk.remove_dir_all(&PathBuf::from("/w/changes")).unwrap();
    world.disk = disk;
    world.reopen_behind(4);
    assert_ne!(world.log.identity(), before, "cursors of before must not be taken for cursors of now");
    assert_eq!(world.read(START, &Selection::All, 7, usize::MAX).unwrap_err().floor, Lsn(4));
}

#[test]
fn on_a_full_disk_changes_are_given_up_and_what_comes_later_is_there() {
    let (mut world, mut oracle) = world();
    world.log.give_up_through(Lsn(7));
    assert_eq!(world.read(START, &Selection::All, 7, usize::MAX).unwrap_err().floor, Lsn(7));
    let step = Step::Deltas(vec![(16, vec![((Some(9), "later".to_owned()), 1)])]);
    oracle.take(8, &step);
    world.step(step);
    let behind = Position::after(Lsn(7));
    for _ in 0..2 {
        let (lines, _) = world.read(behind, &Selection::All, 8, usize::MAX).unwrap();
        assert_eq!(lines, oracle.after(behind, &Selection::All, 8));
        let disk = world.disk.restart_process();
        world.reopen(disk);
    }
}

#[test]
fn a_disk_that_fails_loses_no_line_while_memory_holds_them() {
    let (mut world, oracle) = world();
    for nth in 1..12 {
        world.disk.set_faults(Faults { kind: FaultKind::AnyChange, ..Faults::nth_change(nth) });
        let failed = world.log.flush_through(Lsn(world.newest())).is_err();
        world.disk.set_faults(Faults::default());
        let (lines, _) = world.read(START, &Selection::All, 7, usize::MAX).unwrap();
        assert_eq!(lines, oracle.after(START, &Selection::All, 7), "change {nth} fails: {failed}");
        let disk = world.disk.restart_process();
        world.reopen(disk);
    }
}
