use hashbrown::HashTable;

use super::Slot;

#[cfg(test)]
mod tests;

/// A hash and the slot that it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The hash of the key or row.
    pub(crate) hash: u32,
    /// The slot.
    pub(crate) head: Slot,
}

/// Entries per shard on average. Shards not yet split in a round hold up to twice as many, which just fits 1,024
/// buckets.
const SHARD_ENTRIES: usize = 440;
/// How far the average falls before shards are joined again.
const SHARD_ENTRIES_MIN: usize = SHARD_ENTRIES / 4;

/// A hash table that grows and shrinks one shard at a time (linear hashing: W. Litwin, 1980), so that no single
/// insertion pays for moving all entries.
#[derive(Clone, Debug)]
pub(crate) struct GrowingHashTable {
    /// Shard i holds the hashes whose low bits say i: as many bits as number the shards, or one less where
    /// that would be a shard that does not exist yet. Never empty.
    shards: Vec<HashTable<Entry>>,
    len: usize,
}

impl Default for GrowingHashTable {
    fn default() -> GrowingHashTable {
        GrowingHashTable { shards: vec![HashTable::new()], len: 0 }
    }
}

impl GrowingHashTable {
    /// The slot under this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(Slot) -> bool) -> Option<Slot> {
        let entry = self.shards[self.shard(hash)].find(spread(hash), |e| e.hash == hash && is_it(e.head))?;
        Some(entry.head)
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        let shard = self.shard(entry.hash);
        self.shards[shard].insert_unique(spread(entry.hash), entry, |e| spread(e.hash));
        self.len += 1;
        if self.len > self.shards.len() * SHARD_ENTRIES {
            self.split_one();
        }
    }

    /// Lets an entry lead to another slot.
    pub(crate) fn replace(&mut self, hash: u32, old: Slot, new: Slot) {
        let shard = self.shard(hash);
        let entry = self.shards[shard].find_mut(spread(hash), |e| e.hash == hash && e.head == old);
        entry.expect("only entries that were found are replaced").head = new;
    }

    pub(crate) fn remove(&mut self, hash: u32, old: Slot) {
        let shard = self.shard(hash);
        let entry = self.shards[shard].find_entry(spread(hash), |e| e.hash == hash && e.head == old);
        entry.expect("only entries that were found are removed").remove();
        self.len -= 1;
        if self.shards.len() > 1 && self.len < self.shards.len() * SHARD_ENTRIES_MIN {
            self.join_one();
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let entries: usize = self.shards.iter().map(HashTable::allocation_size).sum();
        entries + self.shards.capacity() * size_of::<HashTable<Entry>>()
    }

    fn shard(&self, hash: u32) -> usize {
        let all_bits = self.shards.len().next_power_of_two() - 1;
        let shard = hash as usize & all_bits;
        if shard < self.shards.len() { shard } else { shard & all_bits >> 1 }
    }

    /// Adds a shard and moves to it what it shares with the one that stood in for it.
    fn split_one(&mut self) {
        let source = stand_in(self.shards.len());
        let entries = std::mem::take(&mut self.shards[source]);
        self.shards.push(HashTable::with_capacity(entries.len() / 2));
        self.shards[source].reserve(entries.len() / 2, |e| spread(e.hash));
        for entry in entries {
            let shard = self.shard(entry.hash);
            self.shards[shard].insert_unique(spread(entry.hash), entry, |e| spread(e.hash));
        }
    }

    /// Takes away the last shard and moves what it holds to the one that stands in for it.
    fn join_one(&mut self) {
        let entries = self.shards.pop().expect("there is always a shard");
        let target = stand_in(self.shards.len());
        for entry in entries {
            self.shards[target].insert_unique(spread(entry.hash), entry, |e| spread(e.hash));
        }
        self.shards[target].shrink_to(0, |e| spread(e.hash));
    }
}

/// The shard that holds the hashes of a shard as long as that does not exist: its number without the highest bit.
fn stand_in(shard: usize) -> usize {
    shard - (1 << shard.ilog2())
}

/// Spreads 32 bits over the 64 of which the table takes its bucket (low) and its tag (high). The low bits alone would
/// be the same for all entries of a shard.
fn spread(hash: u32) -> u64 {
    let product = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}
