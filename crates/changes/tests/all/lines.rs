use headwater_changes::{Cursor, Identity, Keep, Position, Selection};
use headwater_types::Lsn;
use proptest::prelude::*;

use crate::model::{Oracle, Step, World};

fn text(n: i64) -> (Option<i64>, String) {
    (Some(n), format!("row {n}"))
}

#[test]
fn a_step_larger_than_a_page_and_a_block_is_read_whole_from_memory_and_from_files_and_from_its_middle() {
    let mut world = World::new(Keep::default());
    let mut oracle = Oracle::default();
    let rows = (0..30_000).rev().map(|n| (text(n), if n % 3 == 0 { -1 } else { 1 })).collect::<Vec<_>>();
    let steps = [Step::Program(vec![(16, 1), (17, 1)]), Step::Deltas(vec![(16, rows.clone()), (17, rows)])];
    for (lsn, step) in (1..).zip(steps) {
        oracle.take(lsn, &step);
        world.step(step);
    }
    for _ in 0..2 {
        for lines in [0, 1, 9_999, 10_000, 29_999, 30_000] {
            for relation in [16, 17] {
                let from = Position { lsn: Lsn(2), relation, lines };
                let (read, end) = world.read(from, &Selection::All, 2, usize::MAX).unwrap();
                assert!(read == oracle.after(from, &Selection::All, 2), "from {from:?}");
                assert_eq!(end, Position::after(Lsn(2)));
            }
        }
        world.flush();
    }
}

#[test]
fn a_row_of_great_weight_is_cut_into_pages_anywhere() {
    let mut world = World::new(Keep::default());
    let mut oracle = Oracle::default();
    let steps =
        [Step::Program(vec![(16, 1)]), Step::Deltas(vec![(16, vec![(text(1), 10_000), (text(2), 5)])])];
    for (lsn, step) in (1..).zip(steps) {
        oracle.take(lsn, &step);
        world.step(step);
    }
    for _ in 0..2 {
        let from = Position { lsn: Lsn(2), relation: 16, lines: 1_234 };
        let (read, _) = world.read(from, &Selection::All, 2, usize::MAX).unwrap();
        assert!(read == oracle.after(from, &Selection::All, 2));
        world.flush();
    }
}

proptest! {
    #[test]
    fn a_cursor_is_read_back_from_its_text(identity: u64, lsn: u64, relation: u32, lines: u64) {
        let cursor = Cursor { identity: Identity(identity), position: Position { lsn: Lsn(lsn), relation, lines } };
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn no_other_text_is_a_cursor(text in "[0-9a-f.+ -]{0,40}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
        }
    }
}

#[test]
fn a_changed_cursor_is_refused_and_not_guessed() {
    let cursor = "00000000000000ff-7.16.3";
    assert!(cursor.parse::<Cursor>().is_ok());
    for other in
        ["", "ff-7.16.3", "00000000000000FF-7.16.3", "00000000000000ff-07.16.3", "00000000000000ff-7.16"]
    {
        assert!(other.parse::<Cursor>().is_err(), "{other}");
    }
    assert!(format!("{cursor}.1").parse::<Cursor>().is_err());
    assert!(format!(" {cursor}").parse::<Cursor>().is_err());
}
