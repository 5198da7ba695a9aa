//! After a power cut at any point, with any subset of the unsynced sectors on disk, a log, its snapshots and its
//! manifest open, and everything acknowledged is there.
//!
//! Method: a scripted run over a simulated disk is recorded after every operation. From each recorded state images are
//! made of what a power cut may leave: all of them where there are few, random ones where there are many. A sample is
//! cut off a second time while it recovers.
//!
//! `HEADWATER_CRASH_IMAGES` sets how many.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use headwater_env::sim::{Arrived, Faults, SimDisk};
use headwater_log::Recovery;
use support::{Draw, History, check, check_goes_on, disk_with_folder, env_on, open, scripted_run};

/// States with no more outcomes than this are tried out completely.
const OUTCOMES_EXHAUSTED: u64 = 64;
/// Images of a state with more outcomes.
const OUTCOMES_DRAWN: u64 = 48;
const STEPS_PER_RUN: usize = 60;

#[test]
fn every_crash_image_opens_with_all_that_was_acknowledged() {
    let default = if cfg!(debug_assertions) { 5_000 } else { 100_000 };
    let target = std::env::var("HEADWATER_CRASH_IMAGES").map_or(default, |count| count.parse().unwrap());
    let mut counts = Counts::default();
    let mut seed = 0;
    while counts.images < target {
        seed += 1;
        crash_everywhere(seed, target, &mut counts);
    }
    let Counts { images, points, exhausted, second, torn } = counts;
    assert!(torn > images / 100, "too few images are torn to show anything");
    println!(
        "{images} crash images of {points} points in {seed} runs ({exhausted} points exhaustively), {torn} with a torn \
         group, {second} cut off again during recovery: all opened, all acknowledged groups there"
    );
}

#[derive(Default)]
struct Counts {
    images: u64,
    points: u64,
    exhausted: u64,
    second: u64,
    torn: u64,
}

fn crash_everywhere(seed: u64, target: u64, counts: &mut Counts) {
    let (history, recording) = record(seed);
    let mut draw = Draw::new(seed);
    for (operations, disk) in recording {
        if counts.images >= target {
            return;
        }
        counts.points += 1;
        let outcomes = disk.pending().outcomes();
        counts.exhausted += u64::from(outcomes <= OUTCOMES_EXHAUSTED);
        for arrived in arrivals(&disk, outcomes, &mut draw) {
            let image = disk.crash(&arrived);
            let place = || format!("seed {seed}, operation {operations}, {arrived:?}");
            counts.torn += u64::from(expect(&image, &history, operations, place) != Recovery::Clean);
            counts.images += 1;
            if counts.images.is_multiple_of(16) {
                counts.second +=
                    crash_during_recovery(&disk.crash(&arrived), &history, operations, &mut draw);
            }
            if counts.images.is_multiple_of(64) {
                check_goes_on(&image);
            }
        }
    }
}

fn record(seed: u64) -> (History, Vec<(u64, SimDisk)>) {
    let disk = disk_with_folder();
    disk.start_recording();
    let history = scripted_run(&disk, seed, STEPS_PER_RUN);
    (history, disk.take_recording())
}

fn arrivals(disk: &SimDisk, outcomes: u64, draw: &mut Draw) -> Vec<Arrived> {
    if outcomes <= OUTCOMES_EXHAUSTED {
        return (0..outcomes).map(|n| disk.pending().outcome(n)).collect();
    }
    let drawn = (0..OUTCOMES_DRAWN).map(|_| Arrived::Random { seed: draw.below(u64::MAX) });
    [Arrived::Nothing, Arrived::Everything].into_iter().chain(drawn).collect()
}

/// Cuts the power again somewhere in the recovery of an image.
fn crash_during_recovery(image: &SimDisk, history: &History, operations: u64, draw: &mut Draw) -> u64 {
    image.start_recording();
    check(image, history, operations).unwrap();
    let states = image.take_recording();
    if states.is_empty() {
        return 0;
    }
    let (_, state) = &states[draw.below(states.len() as u64) as usize];
    let arrived = Arrived::Random { seed: draw.below(u64::MAX) };
    expect(&state.crash(&arrived), history, operations, || format!("second crash, {arrived:?}"));
    1
}

fn expect(image: &SimDisk, history: &History, operations: u64, place: impl Fn() -> String) -> Recovery {
    check(image, history, operations).unwrap_or_else(|problem| panic!("{}: {problem}", place()))
}

/// Negative control: from the first start on the disk says that it syncs, and does not. The log opens after every power
/// cut, and the same check must see that acknowledged records are gone.
#[test]
fn a_disk_that_ignores_syncs_is_caught() {
    let disk = disk_with_folder();
    open(&env_on(&disk, 1)).0.close().unwrap();
    disk.set_faults(Faults { ignores_syncs: true, ..Faults::default() });
    disk.start_recording();
    let history = scripted_run(&disk, 1, STEPS_PER_RUN);
    let acknowledged_from = history.groups[0].0;
    let mut points = 0;
    for (operations, disk) in disk.take_recording() {
        if operations >= acknowledged_from {
            points += 1;
            let problem = check(&disk.crash(&Arrived::Nothing), &history, operations).unwrap_err();
            assert!(problem.contains("acknowledged") || problem.contains("published"), "{problem}");
        }
    }
    println!("{points} of {points} crash points without syncs show loss");
    assert!(points > 100);
}

/// Negative control of the second kind: a sector of an acknowledged group that is put back to zeros must be missed.
#[test]
fn a_lost_group_is_caught() {
    let disk = disk_with_folder();
    let history = scripted_run(&disk, 3, STEPS_PER_RUN);
    check(&disk.restart_process(), &history, disk.operation_count()).unwrap();
    let lossy = disk.restart_process();
    let name = lossy
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.extension().is_some_and(|e| e == "segment"));
    for path in name {
        lossy.corrupt(&path, |bytes| bytes[512..].fill(0)).unwrap();
    }
    assert!(check(&lossy, &history, disk.operation_count()).is_err());
}

/// The same seed gives the same bytes on disk; otherwise no failure above could be repeated.
#[test]
fn one_seed_gives_one_disk() {
    let run = |seed| {
        let disk = disk_with_folder();
        scripted_run(&disk, seed, STEPS_PER_RUN);
        (disk.operation_count(), disk.files())
    };
    assert!(run(11) == run(11));
    assert!(run(11) != run(12));
}
