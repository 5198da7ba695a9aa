//! Consolidation nets equal rows and gives one order.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{Row, row, rows_batch, schema, sorted_bytes};
use headwater_relation::{consolidate, row_bytes};
use headwater_types::{Delta, WeightedRows};
use proptest::prelude::*;

fn delta_of(rows: &[(Row, i64)], parts: usize) -> Delta {
    let part = |rows: &[(Row, i64)]| {
        let (rows, weights): (Vec<Row>, Vec<i64>) = rows.iter().cloned().unzip();
        WeightedRows::weighted(rows_batch(&rows), weights)
    };
    Delta { parts: rows.chunks(rows.len().div_ceil(parts).max(1)).map(part).collect() }
}

fn listed(delta: &Delta) -> Vec<(Vec<u8>, i64)> {
    let part = |part: &WeightedRows| {
        let rows = row_bytes(&part.rows);
        (0..rows.num_rows()).map(|i| (rows.row(i).data().to_vec(), part.weight(i))).collect::<Vec<_>>()
    };
    delta.parts.iter().flat_map(part).collect()
}

proptest! {
    #[test]
    fn equal_rows_are_netted_and_sorted_however_they_were_cut(
        mut rows in prop::collection::vec((row(common::TYPES.len()), -3_i64..4), 0..40),
        parts in 1_usize..5,
    ) {
        rows.retain(|(_, weight)| *weight != 0);
        let mut expected: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        for (row, weight) in &rows {
            *expected.entry(sorted_bytes(&rows_batch(std::slice::from_ref(row))).remove(0)).or_default() += weight;
        }
        expected.retain(|_, weight| *weight != 0);
        let consolidated = consolidate(&delta_of(&rows, parts), &schema());
        prop_assert!(consolidated.parts.len() <= 1);
        prop_assert_eq!(listed(&consolidated), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn what_cancels_leaves_no_part() {
    let row = vec![Some(1); common::TYPES.len()];
    assert!(consolidate(&delta_of(&[(row.clone(), 2), (row, -2)], 2), &schema()).parts.is_empty());
}
