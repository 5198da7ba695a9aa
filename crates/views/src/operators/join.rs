use std::rc::Rc;

use dbsp::{IndexedZSetReader, OrdZSet};
use headwater_types::Delta;

use super::index::keyed;
use super::{Keyed, Rows};
use crate::chain::batch;
use crate::codec::{RowCodec, weighted};
use crate::dataflow::{Join, JoinSide};
use crate::expression::errors::ErrorLog;
use crate::row::ByteRow;

/// Rows of both inputs whose keys are equal, side by side.
pub(super) fn join(left: &Rows, right: &Rows, join: &Join, errors: &Rc<ErrorLog>) -> Rows {
    let types = || join.schema.fields().iter().map(|field| field.data_type());
    let left = side(left, &join.left, errors);
    let right = side(right, &join.right, errors);
    let joined = left.join(&right, |_, left: &ByteRow, right: &ByteRow| left.joined(right));
    let (codec, schema) = (RowCodec::new(types()), join.schema.clone());
    joined.apply(move |zset: &OrdZSet<ByteRow>| {
        let (rows, weights): (Vec<ByteRow>, Vec<i64>) = zset.iter().map(|(row, (), weight)| (row, weight)).unzip();
        if rows.is_empty() {
            return Delta::default();
        }
        let columns = codec.decode(rows.iter().map(ByteRow::bytes));
        Delta { parts: vec![weighted(batch(&schema, columns, rows.len()), weights)] }
    })
}

fn side(input: &Rows, side: &JoinSide, errors: &Rc<ErrorLog>) -> Keyed {
    let schema = side.chain.output();
    let types = schema.fields().iter().map(|field| field.data_type());
    let key_codec = RowCodec::new(types.clone().take(side.keys));
    let row_codec = RowCodec::new(types.skip(side.keys));
    let (chain, keys, errors) = (side.chain.clone(), side.keys, errors.clone());
    input.apply(move |delta| {
        let delta = chain.run(delta, &errors);
        keyed(&delta, (&key_codec, keys), None, |columns| {
            let rows = row_codec.encode(columns);
            move |row| rows.row(row)
        })
    })
}
