//! What is built: nodes and views, free of both DataFusion plans and dbsp streams. It goes to the worker's thread.

use arrow::datatypes::SchemaRef;
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

/// One operator.
#[derive(Debug)]
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
            Node::Join(join) => vec![join.left.input, join.right.input],
            Node::Aggregate(aggregate) => vec![aggregate.input],
        }
    }

    /// Whether it has rows before any table has.
    pub(crate) fn starts_with_rows(&self) -> bool {
        matches!(self, Node::Aggregate(Aggregate { keys: 0, .. }))
    }
}

/// An inner join on equal keys.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) left: JoinSide,
    pub(crate) right: JoinSide,
    /// Where each output column is found in: the keys, what the left side keeps besides, what the right side keeps
    /// besides.
    pub(crate) columns: Vec<usize>,
    /// The columns of the left input, then those of the right one.
    pub(crate) schema: SchemaRef,
}

/// One input of a join.
#[derive(Debug)]
pub(crate) struct JoinSide {
    pub(crate) input: NodeId,
    /// Gives the key columns, then those of the input's columns that are not keys.
    pub(crate) chain: Chain,
    /// How many of the chain's columns are keys.
    pub(crate) keys: usize,
}

/// Groups and their aggregates.
#[derive(Debug)]
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
