#![allow(clippy::unwrap_used)]

use dbsp::algebra::{AddAssignByRef, HasZero, MulByRef};
use rkyv::{Deserialize, Infallible};

use super::{Accumulator, Argument};

const ARGUMENTS: [Argument; 4] =
    [Argument::Presence, Argument::Integer, Argument::Decimal { scale: 2 }, Argument::Float];

/// What a row adds whose arguments are all NULL, or all the same number.
fn row(number: Option<i64>) -> Accumulator {
    let mut bytes = Vec::new();
    match number {
        None => bytes.extend([0; 4]),
        Some(number) => {
            bytes.push(1);
            bytes.push(1);
            bytes.extend(number.to_le_bytes());
            bytes.push(1);
            bytes.extend(i128::from(number).to_le_bytes());
            bytes.push(1);
            bytes.extend((number as f64).to_le_bytes());
        }
    }
    Accumulator::of_row(&bytes, &ARGUMENTS)
}

fn sum(rows: impl IntoIterator<Item = Accumulator>) -> Accumulator {
    rows.into_iter().fold(Accumulator::zero(), |mut sum, row| {
        sum.add_assign_by_ref(&row);
        sum
    })
}

#[test]
fn what_is_taken_away_leaves_zero() {
    let rows = [row(Some(i64::MAX)), row(None), row(Some(-3)), Accumulator::anchor()];
    let taken = rows.iter().rev().map(|row| row.mul_by_ref(&-1));
    let nothing = sum(rows.iter().cloned().chain(taken));
    assert!(nothing.is_zero());
    assert_eq!(nothing, Accumulator::zero());
}

#[test]
fn a_weight_stands_for_so_many_rows() {
    assert_eq!(row(Some(i64::MIN)).mul_by_ref(&3), sum(std::iter::repeat_n(row(Some(i64::MIN)), 3)));
    assert!(row(Some(1)).mul_by_ref(&0).is_zero());
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let rows = [row(Some(1)), row(None), row(Some(1 << 62)), row(Some(-7))];
    assert_eq!(sum(rows.clone()), sum(rows.into_iter().rev()));
}

#[test]
fn an_archived_accumulator_is_read_back_as_it_was() {
    for accumulator in
        [Accumulator::zero(), Accumulator::anchor(), sum([row(None), row(Some(5)), row(Some(1 << 60))])]
    {
        let bytes = rkyv::to_bytes::<_, 256>(&accumulator).unwrap();
        // SAFETY: the bytes were just written by the same type.
        let archived = unsafe { rkyv::archived_root::<Accumulator>(&bytes) };
        let read: Accumulator = archived.deserialize(&mut Infallible).unwrap();
        assert_eq!(read, accumulator);
    }
}
