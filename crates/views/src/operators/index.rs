use arrow::array::ArrayRef;
use dbsp::dynamic::{DowncastTrait, DynData};
use dbsp::trace::{BatchReader as _, Cursor};
use dbsp::utils::Tup2;
use dbsp::{BatchReader as _, OrdIndexedZSet, OrdZSet};
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
        let rows =
            (0..part.rows.num_rows()).map(|row| Tup2(Tup2(keys.row(row), value(row)), part.weight(row)));
        tuples.extend(rows);
    }
    OrdIndexedZSet::from_tuples((), tuples)
}

/// Byte rows one after another in one piece of memory.
#[derive(Default)]
pub(super) struct PackedRows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl PackedRows {
    fn push(&mut self, row: &ByteRow) {
        self.bytes.extend_from_slice(row.bytes());
        self.ends.push(self.bytes.len());
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of each row.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// Keys, values and weights of a keyed Z-set, in its order.
pub(super) fn unpack_keyed(zset: &OrdIndexedZSet<ByteRow, ByteRow>) -> (PackedRows, PackedRows, Vec<i64>) {
    let (mut keys, mut values, mut weights) = (PackedRows::default(), PackedRows::default(), Vec::new());
    let mut cursor = zset.inner().cursor();
    while cursor.key_valid() {
        while cursor.val_valid() {
            // SAFETY: keys and values of this Z-set are byte rows.
            unsafe {
                keys.push(concrete(cursor.key()));
                values.push(concrete(cursor.val()));
            }
            weights.push(**cursor.weight());
            cursor.step_val();
        }
        cursor.step_key();
    }
    (keys, values, weights)
}

/// Rows and weights of a Z-set, in its order.
pub(super) fn unpack(zset: &OrdZSet<ByteRow>) -> (PackedRows, Vec<i64>) {
    let (mut rows, mut weights) = (PackedRows::default(), Vec::new());
    let mut cursor = zset.inner().cursor();
    while cursor.key_valid() {
        // SAFETY: the rows of this Z-set are byte rows.
        rows.push(unsafe { concrete(cursor.key()) });
        weights.push(**cursor.weight());
        cursor.step_key();
    }
    (rows, weights)
}

/// # Safety
/// `data` must be a [`ByteRow`].
unsafe fn concrete(data: &DynData) -> &ByteRow {
    // SAFETY: the caller's promise.
    unsafe { data.downcast::<ByteRow>() }
}
