use std::rc::Rc;

use dbsp::OrdZSet;
use headwater_types::Delta;

use super::index::{keyed, unpack};
use super::{Keyed, Rows};
use crate::chain::batch;
use crate::codec::{RowCodec, weighted};
use crate::dataflow::{Index, Join};
use crate::expression::errors::ErrorLog;
use crate::profile::RowCounter;
use crate::row::ByteRow;

/// The rows of an input by key.
pub(super) fn index(input: &Rows, index: &Index, errors: &Rc<ErrorLog>, rows: RowCounter) -> Keyed {
    let types = index.types();
    let key_codec = RowCodec::new(types[..index.keys].iter());
    let row_codec = RowCodec::new(types[index.keys..].iter());
    let (chain, keys, errors) = (index.chain.clone(), index.keys, errors.clone());
    input.apply(move |delta| {
        let delta = chain.run(delta, &errors);
        rows.add(delta.num_rows());
        keyed(&delta, (&key_codec, keys), None, |columns| {
            let encoded = row_codec.encode(columns);
            move |row| encoded.row(row)
        })
    })
}

/// Rows of both sides whose keys are equal, side by side. dbsp keeps one state for each index, whatever joins it.
pub(super) fn join(left: &Keyed, right: &Keyed, join: &Join, joined_rows: RowCounter) -> Rows {
    let codec = RowCodec::new(join.types.iter());
    let joined = left.join(right, |key, left: &ByteRow, right: &ByteRow| ByteRow::concat([key, left, right]));
    let (columns, schema) = (join.columns.clone(), join.schema.clone());
    joined.apply(move |zset: &OrdZSet<ByteRow>| {
        let (rows, weights) = unpack(zset);
        if rows.len() == 0 {
            return Delta::default();
        }
        joined_rows.add(rows.len());
        let parts = codec.decode(rows.iter());
        let columns = columns.iter().map(|column| parts[*column].clone()).collect();
        Delta { parts: vec![weighted(batch(&schema, columns, rows.len()), weights)] }
    })
}
