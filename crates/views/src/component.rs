use std::collections::BTreeMap;

use crate::dataflow::{Dataflow, NodeId, View};

/// Nodes that are connected with each other and with no others, in dependency order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) nodes: Vec<NodeId>,
    /// Whether it gives rows before any table does.
    pub(crate) starts_with_rows: bool,
}

impl Component {
    /// All nodes of a dataflow, connected or not.
    pub(crate) fn whole(dataflow: &Dataflow) -> Component {
        Component::of(dataflow, (0..dataflow.nodes.len()).collect())
    }

    fn of(dataflow: &Dataflow, nodes: Vec<NodeId>) -> Component {
        let starts_with_rows = nodes.iter().any(|id| dataflow.nodes[*id].starts_with_rows());
        Component { nodes, starts_with_rows }
    }

    /// The views whose nodes it has.
    pub(crate) fn views<'d>(&'d self, dataflow: &'d Dataflow) -> impl Iterator<Item = &'d View> {
        dataflow.views.iter().filter(|view| self.nodes.contains(&view.node))
    }
}

/// The connected components of a dataflow: a step runs only those whose tables it changes.
pub(crate) fn components(dataflow: &Dataflow) -> Vec<Component> {
    let mut leader: Vec<NodeId> = (0..dataflow.nodes.len()).collect();
    for (id, node) in dataflow.nodes.iter().enumerate() {
        for input in node.inputs() {
            let (from, to) = (leader[id], leader[input]);
            leader.iter_mut().filter(|leader| **leader == from).for_each(|leader| *leader = to);
        }
    }
    let mut nodes: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (id, leader) in leader.into_iter().enumerate() {
        nodes.entry(leader).or_default().push(id);
    }
    nodes.into_values().map(|nodes| Component::of(dataflow, nodes)).collect()
}
