use std::collections::BTreeMap;

use crate::dataflow::{Dataflow, NodeId};

/// Nodes that are connected with each other and with no others, in dependency order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) nodes: Vec<NodeId>,
    /// Whether it gives rows before any table does.
    pub(crate) starts_with_rows: bool,
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
    let component = |nodes: Vec<NodeId>| {
        let starts_with_rows = nodes.iter().any(|id| dataflow.nodes[*id].starts_with_rows());
        Component { nodes, starts_with_rows }
    };
    nodes.into_values().map(component).collect()
}
