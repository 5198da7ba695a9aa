use std::rc::Rc;

use arrow::datatypes::DataType;
use dbsp::OrdZSet;
use headwater_types::Delta;

use super::index::{keyed, unpack};
use super::{Keyed, Rows};
use crate::chain::batch;
use crate::codec::{RowCodec, weighted};
use crate::dataflow::{Join, JoinSide};
use crate::expression::errors::ErrorLog;
use crate::row::ByteRow;

/// Rows of both inputs whose keys are equal, side by side.
pub(super) fn join(left: &Rows, right: &Rows, join: &Join, errors: &Rc<ErrorLog>) -> Rows {
    let (left_types, right_types) = (types(&join.left), types(&join.right));
    let codec = RowCodec::new(left_types.iter().chain(&right_types[join.right.keys..]));
    let left = side(left, &join.left, &left_types, errors);
    let right = side(right, &join.right, &right_types, errors);
    let joined =
        left.join(&right, |key, left: &ByteRow, right: &ByteRow| ByteRow::concat([key, left, right]));
    let (columns, schema) = (join.columns.clone(), join.schema.clone());
    joined.apply(move |zset: &OrdZSet<ByteRow>| {
        let (rows, weights) = unpack(zset);
        if rows.len() == 0 {
            return Delta::default();
        }
        let parts = codec.decode(rows.iter());
        let columns = columns.iter().map(|column| parts[*column].clone()).collect();
        Delta { parts: vec![weighted(batch(&schema, columns, rows.len()), weights)] }
    })
}

fn types(side: &JoinSide) -> Vec<DataType> {
    side.chain.output().fields().iter().map(|field| field.data_type().clone()).collect()
}

fn side(input: &Rows, side: &JoinSide, types: &[DataType], errors: &Rc<ErrorLog>) -> Keyed {
    let key_codec = RowCodec::new(types[..side.keys].iter());
    let row_codec = RowCodec::new(types[side.keys..].iter());
    let (chain, keys, errors) = (side.chain.clone(), side.keys, errors.clone());
    input.apply(move |delta| {
        let delta = chain.run(delta, &errors);
        keyed(&delta, (&key_codec, keys), None, |columns| {
            let rows = row_codec.encode(columns);
            move |row| rows.row(row)
        })
    })
}
