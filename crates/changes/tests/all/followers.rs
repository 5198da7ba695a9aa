use headwater_changes::{Keep, Position, Selection};
use headwater_env::sim::Arrived;
use headwater_types::{Lsn, Name};
use proptest::prelude::*;

use crate::model::{Line, Oracle, Row, Step, World};

#[derive(Clone, Debug)]
enum Act {
    Step(Step),
    Flush,
    Crash(Arrived),
    Restart,
    /// A follower reads on: which one, how many pages, how far before the newest LSN.
    Read(usize, usize, u64),
}

fn row() -> impl Strategy<Value = Row> {
    (prop::option::weighted(0.9, -3..3_i64), "[a-c]{0,2}")
}

fn deltas() -> impl Strategy<Value = Step> {
    let weight = prop_oneof![8 => -3..4_i64, 1 => Just(3_000_i64)].prop_filter("rows change", |w| *w != 0);
    let rows = prop::collection::vec((row(), weight), 1..8);
    let relation = prop::sample::select(vec![16_u32, 17, 20, 21, 30]);
    prop::collection::btree_map(relation, rows, 0..4)
        .prop_map(|deltas| Step::Deltas(deltas.into_iter().collect()))
}

/// A program of some relations; a changed one has another incarnation, which is its step's LSN in the end.
fn program() -> impl Strategy<Value = Step> {
    let some = prop::sample::subsequence(vec![16_u32, 20, 21, 30], 0..4);
    (some, any::<bool>()).prop_map(|(relations, is_changed)| {
        Step::Program(relations.into_iter().map(|relation| (relation, u64::from(is_changed))).collect())
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => deltas().prop_map(Act::Step),
        2 => program().prop_map(Act::Step),
        2 => Just(Act::Flush),
        1 => any::<u64>().prop_map(|seed| Act::Crash(Arrived::Random { seed })),
        1 => Just(Act::Crash(Arrived::Nothing)),
        1 => Just(Act::Restart),
        8 => (0..4_usize, 1..4_usize, 0..3_u64).prop_map(|(who, pages, behind)| Act::Read(who, pages, behind)),
    ]
}

/// Who follows what, and how far it has come.
struct Follower {
    selection: Selection,
    position: Position,
    lines: Vec<Line>,
    /// Since when it has read without being told that something is gone.
    since: Position,
}

fn followers() -> Vec<Follower> {
    let names =
        |names: &[&str]| Selection::Names(names.iter().map(|name| Name::new(name).unwrap()).collect());
    [Selection::All, names(&["r1"]), names(&["r2"]), names(&["r2", "r3"])]
        .into_iter()
        .map(|selection| Follower {
            selection,
            position: Position::before(Lsn(1)),
            lines: Vec::new(),
            since: Position::before(Lsn(1)),
        })
        .collect()
}

/// Each change of the program takes the LSN it comes at as the incarnation of what it changes, as the engine does.
fn numbered(step: Step, before: &[(u32, u64)], lsn: u64) -> Step {
    let Step::Program(program) = step else { return step };
    let number = |(relation, changed): (u32, u64)| {
        let old = before.iter().find(|(old, _)| *old == relation).filter(|_| changed == 0);
        (relation, old.map_or(lsn, |(_, incarnation)| *incarnation))
    };
    Step::Program(program.into_iter().map(number).collect())
}

/// Plays the acts; true if some follower was told that lines are gone.
fn play(acts: Vec<Act>, keep: Keep) -> bool {
    let mut world = World::new(keep);
    let mut oracle = Oracle::default();
    let mut followers = followers();
    let mut program: Vec<(u32, u64)> = Vec::new();
    let mut is_gone = false;
    for act in acts {
        match act {
            Act::Step(step) => {
                let lsn = world.newest() + 1;
                let step = numbered(step, &program, lsn);
                if let Step::Program(next) = &step {
                    program.clone_from(next);
                }
                oracle.take(lsn, &step);
                world.step(step);
            }
            Act::Flush => world.flush(),
            Act::Crash(arrived) => {
                let disk = world.disk.crash(&arrived);
                world.reopen(disk);
            }
            Act::Restart => {
                let disk = world.disk.restart_process();
                world.reopen(disk);
            }
            Act::Read(who, pages, behind) => {
                let up_to = world.newest().saturating_sub(behind);
                let follower = &mut followers[who];
                is_gone |= !follow(&world, &oracle, follower, up_to, pages);
            }
        }
    }
    for follower in &mut followers {
        is_gone |= !follow(&world, &oracle, follower, world.newest(), usize::MAX);
        let expected = oracle.after(follower.since, &follower.selection, world.newest());
        assert_eq!(follower.lines, expected, "{:?} since {:?}", follower.selection, follower.since);
    }
    is_gone
}

/// Reads on from where the follower stands. False if it is told that lines are gone: then it begins behind them.
fn follow(world: &World, oracle: &Oracle, follower: &mut Follower, up_to: u64, pages: usize) -> bool {
    match world.read(follower.position, &follower.selection, up_to, pages) {
        Ok((lines, position)) => {
            follower.lines.extend(lines);
            follower.position = position;
            let so_far = oracle.after(follower.since, &follower.selection, world.newest());
            assert!(so_far.starts_with(&follower.lines), "{:?} is not\n{:?}", follower.lines, so_far);
            true
        }
        Err(gone) => {
            assert!(gone.floor >= follower.position.lsn, "{gone:?} before {:?}", follower.position);
            follower.position = Position::after(gone.floor.max(Lsn(up_to)));
            follower.since = follower.position;
            follower.lines.clear();
            false
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_follower_gets_each_line_once_and_in_order_through_flushes_crashes_and_restarts(
        acts in prop::collection::vec(act(), 1..80),
    ) {
        let is_gone = play(acts, Keep::default());
        prop_assert!(!is_gone, "nothing is old enough to go");
    }

    #[test]
    fn with_retention_a_follower_gets_each_line_or_is_told_that_lines_are_gone(
        acts in prop::collection::vec(act(), 1..120),
        seconds in 1..60_i64,
        bytes in prop_oneof![Just(u64::MAX), 1_000..20_000_u64],
    ) {
        play(acts, Keep { micros: seconds * 1_000_000, bytes });
    }
}

#[test]
fn old_changes_do_go() {
    let step = Act::Step(Step::Deltas(vec![(16, vec![((Some(1), "a".to_owned()), 1)])]));
    let begin = Act::Step(Step::Program(vec![(16, 1)]));
    let mut acts = vec![begin, step.clone(), Act::Flush];
    acts.extend(std::iter::repeat_n(step, 20));
    acts.push(Act::Flush);
    acts.push(Act::Read(0, 9, 0));
    assert!(play(acts, Keep { micros: 1_000_000, bytes: u64::MAX }));
}
