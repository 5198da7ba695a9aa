//! What is built: nodes and views, free of both DataFusion plans and dbsp streams. It goes to the worker's thread.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, SchemaRef};
use headwater_types::Name;

use crate::accumulator::LinearAggregates;
use crate::chain::Chain;

/// The position of a node in [`Dataflow::nodes`]; its inputs have lower ones.
pub(crate) type NodeId = usize;

/// All nodes of some of a program's materialised views, in dependency order.
#[derive(Debug, Default)]
pub(crate) struct Dataflow {
    pub(crate) nodes: Vec<Node>,
    pub(crate) views: Vec<View>,
}

impl Dataflow {
    /// Adds a node, unless there is an equal one: views that compute the same share it, and with it the state.
    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.nodes.iter().position(|known| *known == node) {
            self.nodes[id].share(&node);
            return id;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The tables, and the views of other parts, that some of the nodes read.
    pub(crate) fn sources(&self, nodes: &[NodeId]) -> BTreeSet<Name> {
        let source = |id: &NodeId| match &self.nodes[*id] {
            Node::Source { relation } => Some(relation.clone()),
            _ => None,
        };
        nodes.iter().filter_map(source).collect()
    }
}

/// One operator. Equal ones compute the same of the same; where their expressions stand does not matter.
#[derive(Debug, PartialEq)]
pub(crate) enum Node {
    /// The changes of a table, or of a view that another part keeps.
    Source {
        relation: Name,
    },
    /// Projections and filters.
    Chain {
        input: NodeId,
        chain: Chain,
    },
    /// All rows of all inputs, which have the same column types.
    Union {
        inputs: Vec<NodeId>,
        schema: SchemaRef,
    },
    Index(Index),
    Join(Join),
    Aggregate(Aggregate),
}

impl Node {
    /// The nodes it reads.
    pub(crate) fn inputs(&self) -> Vec<NodeId> {
        match self {
            Node::Source { .. } => Vec::new(),
            Node::Chain { input, .. } => vec![*input],
            Node::Union { inputs, .. } => inputs.clone(),
            Node::Index(index) => vec![index.input],
            Node::Join(join) => vec![join.left, join.right],
            Node::Aggregate(aggregate) => vec![aggregate.input],
        }
    }

    /// Reports failures where `same`, which is equal, would report them too.
    fn share(&mut self, same: &Node) {
        match (self, same) {
            (Node::Chain { chain, .. }, Node::Chain { chain: same, .. }) => chain.share(same),
            (Node::Index(index), Node::Index(same)) => index.chain.share(&same.chain),
            (Node::Aggregate(aggregate), Node::Aggregate(same)) => {
                aggregate.chain.share(&same.chain);
                aggregate.linear.share(&same.linear);
            }
            _ => {}
        }
    }

    /// Whether it has rows before any table has.
    pub(crate) fn starts_with_rows(&self) -> bool {
        matches!(self, Node::Aggregate(Aggregate { keys: 0, .. }))
    }
}

/// Rows by key, for joins. It keeps no state of its own: joins of one index share the state.
#[derive(Debug, PartialEq)]
pub(crate) struct Index {
    pub(crate) input: NodeId,
    /// Gives the key columns, then those of the input's columns that are not keys.
    pub(crate) chain: Chain,
    /// How many of the chain's columns are keys.
    pub(crate) keys: usize,
}

impl Index {
    /// The types of the keys, and of what is kept besides.
    pub(crate) fn types(&self) -> Vec<DataType> {
        self.chain.output().fields().iter().map(|field| field.data_type().clone()).collect()
    }
}

/// An inner join on equal keys.
#[derive(Debug, PartialEq)]
pub(crate) struct Join {
    /// An index.
    pub(crate) left: NodeId,
    /// An index with the same key types.
    pub(crate) right: NodeId,
    /// The types of the keys, of what the left side keeps besides, and of what the right side keeps besides.
    pub(crate) types: Vec<DataType>,
    /// Where each output column is found among these.
    pub(crate) columns: Vec<usize>,
    /// The columns of the left input, then those of the right one.
    pub(crate) schema: SchemaRef,
}

/// Groups and their aggregates.
#[derive(Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) input: NodeId,
    /// Gives the group's columns, then the arguments of linear aggregates, then those of extremes.
    pub(crate) chain: Chain,
    /// How many of the chain's columns are the group's.
    pub(crate) keys: usize,
    pub(crate) linear: LinearAggregates,
    pub(crate) extremes: Vec<Extreme>,
    /// Where each aggregate comes from, in output order.
    pub(crate) outputs: Vec<AggregateOutput>,
    /// The group's columns, then the aggregates.
    pub(crate) schema: SchemaRef,
}

/// MIN or MAX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extreme {
    Least,
    Greatest,
}

/// Where an aggregate's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregateOutput {
    /// A result of [`Aggregate::linear`].
    Linear(usize),
    /// A value of [`Aggregate::extremes`].
    Extreme(usize),
}

/// A view whose changes are wanted.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) name: Name,
    pub(crate) node: NodeId,
    pub(crate) schema: SchemaRef,
}
