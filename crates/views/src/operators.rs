//! The dataflow's operators, one per file. [`instantiate`] builds a circuit of them on the worker's thread.
//!
//! Streams of rows are [`Delta`]s: Arrow batches with weights. Only joins and aggregates, which keep state, turn
//! them into Z-sets of byte rows, and turn their own results back.

/// GROUP BY.
mod aggregate;
/// Keyed Z-sets of byte rows, and back.
mod index;
/// Inner joins, and their indexes.
mod join;
/// The net change of a view.
pub(crate) mod sink;
/// UNION ALL.
mod union;

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use dbsp::circuit::CircuitBase;
use dbsp::{InputHandle, OrdIndexedZSet, RootCircuit, Stream};
use headwater_types::{Delta, Name};

use crate::dataflow::{Dataflow, Node, NodeId};
use crate::expression::errors::ErrorLog;
use crate::profile::RowCounter;
use crate::row::ByteRow;
use sink::Sink;

/// Changes of rows.
type Rows = Stream<RootCircuit, Delta>;
/// Changes of byte rows by key.
type Keyed = Stream<RootCircuit, OrdIndexedZSet<ByteRow, ByteRow>>;

/// The ends of a circuit.
pub(crate) struct Ends {
    pub(crate) inputs: HashMap<Name, (InputHandle<Delta>, RowCounter)>,
    /// Views and their sinks, in the program's order.
    pub(crate) outputs: Vec<(Name, Sink)>,
    /// Nodes, dbsp's operators for each, and the rows that it gives.
    pub(crate) nodes: Vec<(NodeId, Range<usize>, RowCounter)>,
}

/// Adds some nodes of the dataflow, inputs before their readers, and the sinks of their views to a circuit. The same
/// nodes give the same operators in the same order: by that order operators find their state in a checkpoint. With
/// `is_restored` they expect to find it, and what they keep from their first step on is not added again.
pub(crate) fn instantiate(
    circuit: &RootCircuit,
    dataflow: &Dataflow,
    nodes: &[NodeId],
    errors: &Rc<ErrorLog>,
    is_restored: bool,
) -> Ends {
    let mut streams: HashMap<NodeId, Rows> = HashMap::new();
    let mut indexes: HashMap<NodeId, Keyed> = HashMap::new();
    let mut inputs = HashMap::new();
    let mut watched = Vec::with_capacity(nodes.len());
    for id in nodes {
        let (first, rows) = (circuit.num_nodes(), RowCounter::default());
        let stream = match &dataflow.nodes[*id] {
            Node::Source { relation } => {
                let (stream, handle) = circuit.add_input_stream();
                inputs.insert(relation.clone(), (handle, rows.clone()));
                stream
            }
            Node::Chain { input, chain } => {
                let (chain, errors, rows) = (chain.clone(), errors.clone(), rows.clone());
                streams[input].apply(move |delta| {
                    let delta = chain.run(delta, &errors);
                    rows.add(delta.num_rows());
                    delta
                })
            }
            Node::Union { inputs, schema } => {
                let inputs: Vec<Rows> = inputs.iter().map(|input| streams[input].clone()).collect();
                union::union(&inputs, schema)
            }
            Node::Index(index) => {
                indexes.insert(*id, join::index(&streams[&index.input], index, errors, rows.clone()));
                watched.push((*id, first..circuit.num_nodes(), rows));
                continue;
            }
            Node::Join(join) => join::join(&indexes[&join.left], &indexes[&join.right], join, rows.clone()),
            Node::Aggregate(aggregate) => {
                aggregate::aggregate(&streams[&aggregate.input], aggregate, errors, rows.clone(), is_restored)
            }
        };
        streams.insert(*id, stream);
        watched.push((*id, first..circuit.num_nodes(), rows));
    }
    let views = dataflow.views.iter().filter(|view| streams.contains_key(&view.node));
    let outputs = views.map(|view| (view.name.clone(), Sink::new(&streams[&view.node], view.schema.clone())));
    Ends { inputs, outputs: outputs.collect(), nodes: watched }
}
