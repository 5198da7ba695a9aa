use arrow::datatypes::SchemaRef;
use headwater_types::{Delta, WeightedRows};

use super::Rows;
use crate::chain::batch;

/// All parts of all inputs, under one schema.
pub(super) fn union(inputs: &[Rows], schema: &SchemaRef) -> Rows {
    let (first, rest) = inputs.split_first().expect("a union has inputs");
    let renamed = {
        let schema = schema.clone();
        first.apply(move |delta| Delta { parts: parts(delta, &schema).collect() })
    };
    rest.iter().fold(renamed, |union, input| {
        let schema = schema.clone();
        union.apply2(input, move |union, delta| Delta {
            parts: union.parts.iter().cloned().chain(parts(delta, &schema)).collect(),
        })
    })
}

fn parts<'a>(delta: &'a Delta, schema: &'a SchemaRef) -> impl Iterator<Item = WeightedRows> + 'a {
    delta.parts.iter().map(move |part| WeightedRows {
        rows: batch(schema, part.rows.columns().to_vec(), part.rows.num_rows()),
        weights: part.weights.clone(),
    })
}
