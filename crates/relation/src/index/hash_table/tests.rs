#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use super::{Entry, GrowingHashTable, SHARD_ENTRIES};

/// Hashes without a pattern that are the same in every run.
fn hash(number: u32) -> u32 {
    (u64::from(number).wrapping_mul(0xd129_0d3a_5c8f_1b47) >> 29) as u32
}

#[test]
fn what_was_inserted_is_found_while_the_table_grows_and_shrinks() {
    let mut table = GrowingHashTable::default();
    let mut expected = HashMap::new();
    let count = 20 * SHARD_ENTRIES as u32;
    for number in 0..count {
        table.insert(Entry { hash: hash(number), head: number });
        expected.insert(number, number);
    }
    assert!(table.shards.len() >= 20, "one shard per {SHARD_ENTRIES} entries");
    for number in (0..count).step_by(3) {
        table.replace(hash(number), number, number + count);
        expected.insert(number, number + count);
    }
    let grown = table.memory_bytes();
    for number in 0..count {
        let slot = expected[&number];
        assert_eq!(table.find(hash(number), |other| other == slot), Some(slot));
        if number % 50 != 0 {
            table.remove(hash(number), slot);
            assert_eq!(table.find(hash(number), |other| other == slot), None);
            expected.remove(&number);
        }
    }
    assert!(table.memory_bytes() * 4 < grown, "memory follows the entries");
    for (number, slot) in expected {
        assert_eq!(table.find(hash(number), |other| other == slot), Some(slot));
    }
}

#[test]
fn entries_with_equal_hashes_are_told_apart() {
    let mut table = GrowingHashTable::default();
    for head in 0..2000 {
        table.insert(Entry { hash: 7, head });
    }
    table.remove(7, 1234);
    assert_eq!(table.find(7, |slot| slot == 1234), None);
    assert_eq!(table.find(7, |slot| slot == 1235), Some(1235));
}
