use arrow::array::ArrayRef;
use dbsp::utils::Tup2;
use dbsp::{IndexedZSetReader, OrdIndexedZSet};
use headwater_types::Delta;

use crate::codec::{EncodedRows, RowCodec};
use crate::row::ByteRow;

/// The Z-set of all rows of a change. `keys` encodes the first columns; `value` prepares the columns that follow
/// and gives a function from row to bytes.
pub(super) fn keyed<V>(
    delta: &Delta,
    keys: (&RowCodec, usize),
    extra: Option<ByteRow>,
    value: impl Fn(&[ArrayRef]) -> V,
) -> OrdIndexedZSet<ByteRow, ByteRow>
where
    V: FnMut(usize) -> ByteRow,
{
    let (codec, key_columns) = keys;
    let mut tuples = Vec::with_capacity(delta.num_rows() + usize::from(extra.is_some()));
    if let Some(extra) = extra {
        tuples.push(Tup2(Tup2(ByteRow::default(), extra), 1));
    }
    for part in &delta.parts {
        let (key, payload) = part.rows.columns().split_at(key_columns);
        let keys: EncodedRows = codec.encode(key);
        let mut value = value(payload);
        let rows = (0..part.rows.num_rows()).map(|row| Tup2(Tup2(keys.row(row), value(row)), part.weight(row)));
        tuples.extend(rows);
    }
    OrdIndexedZSet::from_tuples((), tuples)
}

/// The tuples of a keyed Z-set.
pub(super) fn tuples(zset: &OrdIndexedZSet<ByteRow, ByteRow>) -> Vec<(ByteRow, ByteRow, i64)> {
    zset.iter().collect()
}
