use std::cell::Cell;
use std::rc::Rc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use dbsp::OrdIndexedZSet;
use dbsp::operator::{Max, Min};
use headwater_types::Delta;

use super::index::{keyed, unpack_keyed};
use super::{Keyed, Rows};
use crate::accumulator::{Accumulator, LinearAggregates};
use crate::chain::{Chain, batch};
use crate::codec::{RowCodec, weighted};
use crate::dataflow::{Aggregate, AggregateOutput, Extreme};
use crate::expression::errors::ErrorLog;
use crate::profile::RowCounter;
use crate::row::ByteRow;

/// Groups with their aggregates. The linear ones are one branch, each extreme is one; branches meet by key.
pub(super) fn aggregate(
    input: &Rows,
    aggregate: &Aggregate,
    errors: &Rc<ErrorLog>,
    rows: RowCounter,
    is_restored: bool,
) -> Rows {
    let types: Vec<DataType> =
        aggregate.chain.output().fields().iter().map(|field| field.data_type().clone()).collect();
    let branches = usize::from(has_linear_branch(aggregate)) + aggregate.extremes.len();
    let (input, chain) = match branches {
        1 => (input.clone(), aggregate.chain.clone()),
        _ => (evaluated(input, aggregate, errors), Chain::default()),
    };
    let needs_anchor = aggregate.keys == 0 && !is_restored;
    let branch = Branch { input, chain, key_types: &types[..aggregate.keys], errors, needs_anchor };
    let mut columns = branch.key_types.len() + aggregate.linear.arguments.len();
    let linear = has_linear_branch(aggregate).then(|| branch.linear(aggregate));
    let extremes = aggregate.extremes.iter().map(|extreme| {
        columns += 1;
        branch.extreme(*extreme, columns - 1, &types[columns - 1])
    });
    let joined = linear.into_iter().chain(extremes).reduce(|left, right| {
        left.join_index(&right, |key, left, right: &ByteRow| {
            Some((key.clone(), ByteRow::concat([left, right])))
        })
    });
    let joined = joined.expect("there is a linear branch where there are no extremes");
    let decoder = Decoder::new(aggregate, &types);
    let errors = errors.clone();
    joined.apply(move |groups| {
        let delta = decoder.rows(groups, &errors);
        rows.add(delta.num_rows());
        delta
    })
}

/// Whether linear aggregates are kept: not if there are only extremes, which also know which groups there are.
fn has_linear_branch(aggregate: &Aggregate) -> bool {
    !aggregate.linear.results.is_empty() || aggregate.extremes.is_empty()
}

/// Keys and arguments, computed once for all branches.
fn evaluated(input: &Rows, aggregate: &Aggregate, errors: &Rc<ErrorLog>) -> Rows {
    let (chain, errors) = (aggregate.chain.clone(), errors.clone());
    input.apply(move |delta| chain.run(delta, &errors))
}

struct Branch<'a> {
    input: Rows,
    chain: Chain,
    key_types: &'a [DataType],
    errors: &'a Rc<ErrorLog>,
    /// Whether the one group without keys is still to be made.
    needs_anchor: bool,
}

impl Branch<'_> {
    fn linear(&self, aggregate: &Aggregate) -> Keyed {
        let (linear, arguments) = (aggregate.linear.clone(), aggregate.linear.arguments.clone());
        let keyed = self.keyed(LinearAggregates::anchor(), move |columns| {
            let columns: Vec<_> = linear
                .arguments
                .iter()
                .zip(columns)
                .map(|(argument, values)| argument.column(values))
                .collect();
            let mut bytes = Vec::new();
            Box::new(move |row| {
                bytes.clear();
                columns.iter().for_each(|column| column.write(row, &mut bytes));
                ByteRow::new(&bytes)
            })
        });
        let linear = aggregate.linear.clone();
        keyed.aggregate_linear_postprocess(
            move |value: &ByteRow| Accumulator::of_row(value.bytes(), &arguments),
            move |accumulator: Accumulator| linear.results(&accumulator),
        )
    }

    fn extreme(&self, extreme: Extreme, column: usize, data_type: &DataType) -> Keyed {
        let codec = RowCodec::with_order([(data_type, extreme.order())].into_iter());
        let anchor = codec.encode(&[new_null_array(data_type, 1)]).row(0);
        let position = column - self.key_types.len();
        let keyed = self.keyed(anchor, move |columns| {
            let rows = codec.encode(&columns[position..=position]);
            Box::new(move |row| rows.row(row))
        });
        match extreme {
            Extreme::Least => keyed.aggregate(Min),
            Extreme::Greatest => keyed.aggregate(Max),
        }
    }

    /// Rows by group. Without GROUP BY the anchor is added in the first step, so that the one group is always
    /// there.
    fn keyed(
        &self,
        anchor: ByteRow,
        value: impl Fn(&[ArrayRef]) -> Box<dyn FnMut(usize) -> ByteRow> + 'static,
    ) -> Keyed {
        let keys = self.key_types.len();
        let codec = RowCodec::new(self.key_types.iter());
        let anchor = Cell::new(self.needs_anchor.then_some(anchor));
        let (chain, errors) = (self.chain.clone(), self.errors.clone());
        self.input
            .apply(move |delta| keyed(&chain.run(delta, &errors), (&codec, keys), anchor.take(), &value))
    }
}

impl Extreme {
    /// The byte order of its values: NULL never wins against a value.
    fn order(self) -> SortOptions {
        SortOptions { descending: false, nulls_first: self == Extreme::Greatest }
    }
}

/// Groups back to rows.
struct Decoder {
    keys: RowCodec,
    extremes: RowCodec,
    linear: LinearAggregates,
    outputs: Vec<AggregateOutput>,
    schema: arrow::datatypes::SchemaRef,
}

impl Decoder {
    fn new(aggregate: &Aggregate, types: &[DataType]) -> Decoder {
        let first_extreme = aggregate.keys + aggregate.linear.arguments.len();
        let extremes =
            types[first_extreme..].iter().zip(aggregate.extremes.iter().map(|extreme| extreme.order()));
        Decoder {
            keys: RowCodec::new(types[..aggregate.keys].iter()),
            extremes: RowCodec::with_order(extremes),
            linear: aggregate.linear.clone(),
            outputs: aggregate.outputs.clone(),
            schema: aggregate.schema.clone(),
        }
    }

    fn rows(&self, groups: &OrdIndexedZSet<ByteRow, ByteRow>, errors: &ErrorLog) -> Delta {
        let (keys, values, weights) = unpack_keyed(groups);
        if weights.is_empty() {
            return Delta::default();
        }
        let mut columns = self.keys.decode(keys.iter());
        let linear_bytes = self.linear.result_bytes();
        let extremes = self.extremes.decode(values.iter().map(|value| &value[linear_bytes..]));
        columns.extend(self.outputs.iter().map(|output| match output {
            AggregateOutput::Extreme(extreme) => extremes[*extreme].clone(),
            AggregateOutput::Linear(result) => {
                let groups = keys.iter().zip(values.iter()).zip(&weights);
                self.linear.column(
                    *result,
                    groups.map(|((key, value), weight)| (key, value, *weight)),
                    errors,
                )
            }
        }));
        Delta { parts: vec![weighted(batch(&self.schema, columns, weights.len()), weights)] }
    }
}
