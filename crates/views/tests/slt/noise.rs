//! Rows that come and go, and changes cut into steps.

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take};
use arrow::record_batch::RecordBatch;
use headwater_types::{Delta, WeightedRows};

use crate::random::Random;

/// One row and how often it is added.
type WeightedRow = (RecordBatch, i64);
/// Changes that belong into one step.
type Group = Vec<WeightedRow>;

/// The wanted changes of a table, with others between them that cancel out, in an order in which no row is ever held
/// less than zero times.
pub fn with_noise(random: &mut Random, wanted: Vec<WeightedRow>) -> Vec<Group> {
    let Some((first, _)) = wanted.first() else { return Vec::new() };
    let pool = concat_batches(&first.schema(), wanted.iter().map(|(row, _)| row)).unwrap();
    let mut lives: Vec<Vec<Group>> = Vec::new();
    for _ in 0..random.below(wanted.len() + 2) {
        lives.push(passing_life(random, &pool));
    }
    if wanted.iter().all(|(_, weight)| *weight > 0) {
        for (row, _) in wanted {
            lives.push(lasting_life(random, row, &pool));
        }
    } else {
        lives.push(wanted.into_iter().map(|change| vec![change]).collect());
    }
    interleave(random, lives)
}

/// A row that is there for a while.
fn passing_life(random: &mut Random, pool: &RecordBatch) -> Vec<Group> {
    let row =
        if random.one_in(3) { pool.slice(random.below(pool.num_rows()), 1) } else { mixed(random, pool) };
    match random.below(3) {
        0 => vec![vec![(row.clone(), 2)], vec![(row.clone(), -1)], vec![(row, -1)]],
        1 => {
            let other = mixed(random, pool);
            vec![vec![(row.clone(), 1)], vec![(row, -1), (other.clone(), 1)], vec![(other, -1)]]
        }
        _ => vec![vec![(row.clone(), 1)], vec![(row, -1)]],
    }
}

/// A row that stays in the end.
fn lasting_life(random: &mut Random, row: RecordBatch, pool: &RecordBatch) -> Vec<Group> {
    match random.below(5) {
        0 => {
            let wrong = mixed(random, pool);
            vec![vec![(wrong.clone(), 1)], vec![(wrong, -1), (row, 1)]]
        }
        1 => vec![vec![(row.clone(), 1)], vec![(row.clone(), -1)], vec![(row, 1)]],
        _ => vec![vec![(row, 1)]],
    }
}

/// A row of values that stand in these columns, or NULL.
fn mixed(random: &mut Random, pool: &RecordBatch) -> RecordBatch {
    let schema = pool.schema();
    let columns = pool.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let is_null = field.is_nullable() && random.one_in(6);
        let row = u32::try_from(random.below(pool.num_rows())).unwrap();
        take(column, &UInt32Array::from(vec![(!is_null).then_some(row)]), None).unwrap()
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// All groups, each life's in its own order.
fn interleave(random: &mut Random, mut lives: Vec<Vec<Group>>) -> Vec<Group> {
    let mut groups = Vec::new();
    while !lives.is_empty() {
        let chosen = random.below(lives.len());
        groups.push(lives[chosen].remove(0));
        if lives[chosen].is_empty() {
            lives.swap_remove(chosen);
        }
    }
    groups
}

/// Takes some groups from the front, as one change in several parts, not netted.
pub fn next_step(random: &mut Random, groups: &mut Vec<Group>) -> Delta {
    let count = random.below(groups.len().min(6) + 1);
    let mut rows: Vec<WeightedRow> = groups.drain(..count).flatten().collect();
    for position in (1..rows.len()).rev() {
        rows.swap(position, random.below(position + 1));
    }
    let mut delta = Delta::default();
    while !rows.is_empty() {
        let part: Vec<WeightedRow> = rows.drain(..1 + random.below(rows.len())).collect();
        let batch = concat_batches(&part[0].0.schema(), part.iter().map(|(row, _)| row)).unwrap();
        let weights: Vec<i64> = part.iter().map(|(_, weight)| *weight).collect();
        delta.parts.push(match weights.iter().all(|weight| *weight == 1) {
            true => WeightedRows::inserted(batch),
            false => WeightedRows::weighted(batch, weights),
        });
    }
    delta
}
