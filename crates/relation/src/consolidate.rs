use ahash::RandomState;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::row::Rows;
use hashbrown::HashTable;
use headwater_types::{Delta, WeightedRows};

use crate::gather::gather;
use crate::row_encoder::RowEncoder;

/// Nets equal rows, drops those whose weights cancel, and orders the rest by their bytes. One part, or none if nothing
/// is left; more only where one batch cannot hold the texts.
///
/// # Panics
/// If the weights of one row add up to more than 2^63.
#[must_use]
pub fn consolidate(delta: &Delta, schema: &SchemaRef) -> Delta {
    let encoder = encoder_of(schema);
    let Net { mut rows, bytes } = Net::of(&encoder, delta);
    rows.sort_unstable_by(|a, b| bytes_of(&bytes, a).cmp(bytes_of(&bytes, b)));
    if rows.is_empty() {
        return Delta::default();
    }
    let sources: Vec<&RecordBatch> = delta.parts.iter().map(|part| &part.rows).collect();
    let places: Vec<(usize, usize)> = rows.iter().map(|row| (row.part, row.row)).collect();
    let mut weights = rows.iter().map(|row| row.weight);
    let part = |rows: RecordBatch| {
        let weights: Vec<i64> = weights.by_ref().take(rows.num_rows()).collect();
        match weights.iter().all(|&weight| weight == 1) {
            true => WeightedRows::inserted(rows),
            false => WeightedRows::weighted(rows, weights),
        }
    };
    Delta { parts: gather(schema, &sources, &places).into_iter().map(part).collect() }
}

/// Every row as memcomparable bytes over all columns. Comparable among batches whose columns have the same types.
#[must_use]
pub fn row_bytes(batch: &RecordBatch) -> Rows {
    encoder_of(batch.schema_ref()).encode(batch.columns())
}

fn encoder_of(schema: &SchemaRef) -> RowEncoder {
    RowEncoder::new(schema.fields().iter().map(|field| field.data_type()))
}

/// A row that a delta changes, net.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetRow {
    /// The part with a row like this.
    pub(crate) part: usize,
    /// The row there.
    pub(crate) row: usize,
    /// How often it is added (or removed, if negative) in all. Not zero.
    pub(crate) weight: i64,
}

/// A delta, with equal rows taken together.
#[derive(Debug)]
pub(crate) struct Net {
    /// Each changed row once, in the order in which the delta names them first.
    pub(crate) rows: Vec<NetRow>,
    bytes: Vec<Rows>,
}

impl Net {
    /// Nets a delta whose rows the encoder encodes.
    ///
    /// # Panics
    /// If the weights of one row add up to more than 2^63.
    pub(crate) fn of(encoder: &RowEncoder, delta: &Delta) -> Net {
        let bytes: Vec<Rows> = delta.parts.iter().map(|part| encoder.encode(part.rows.columns())).collect();
        let mut net = Net { rows: Vec::with_capacity(delta.num_rows()), bytes };
        // Local and seeded afresh: nothing depends on the hashes.
        let hasher = RandomState::new();
        let mut seen: HashTable<(u64, usize)> = HashTable::with_capacity(delta.num_rows());
        for (part, weighted) in delta.parts.iter().enumerate() {
            for (row, bytes) in net.bytes[part].iter().map(|row| row.data()).enumerate() {
                let weight = weighted.weight(row);
                let hash = hasher.hash_one(bytes);
                let is_it = |&(other_hash, other): &(u64, usize)| {
                    other_hash == hash && net.bytes(&net.rows[other]) == bytes
                };
                if let Some(&(_, known)) = seen.find(hash, is_it) {
                    let sum = net.rows[known].weight.checked_add(weight);
                    net.rows[known].weight = sum.expect("no row is changed 2^63 times");
                } else {
                    seen.insert_unique(hash, (hash, net.rows.len()), |&(hash, _)| hash);
                    net.rows.push(NetRow { part, row, weight });
                }
            }
        }
        net.rows.retain(|row| row.weight != 0);
        net
    }

    /// The bytes of a row.
    pub(crate) fn bytes(&self, row: &NetRow) -> &[u8] {
        bytes_of(&self.bytes, row)
    }
}

fn bytes_of<'a>(parts: &'a [Rows], row: &NetRow) -> &'a [u8] {
    parts[row.part].row(row.row).data()
}
