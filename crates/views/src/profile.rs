//! What each operator did and holds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use dbsp::RootCircuit;
use dbsp::circuit::metadata::{ALLOCATED_MEMORY_BYTES, MetaItem, OperatorMeta, STATE_RECORDS_COUNT};
use dbsp::circuit::trace::SchedulerEvent;
use dbsp::circuit::{CircuitBase, CircuitHandle};
use headwater_types::Name;

use crate::component::Component;
use crate::dataflow::{Dataflow, Node, NodeId};

/// What the operators of all running parts did since they were built, and what they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitProfile {
    /// In the order in which they run.
    pub parts: Vec<PartProfile>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProfile {
    /// The views whose rows it gives.
    pub views: Vec<Name>,
    /// The tables, and the views of other parts, that it reads.
    pub sources: Vec<Name>,
    /// How often it ran.
    pub steps: u64,
    /// Inputs before what reads them.
    pub operators: Vec<OperatorProfile>,
}

/// One operator of a plan; it may be several of dbsp's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorProfile {
    /// What it does.
    pub what: String,
    /// The operators that it reads, by their positions in the part.
    pub inputs: Vec<usize>,
    /// The views that depend on it, in the program's order.
    pub views: Vec<Name>,
    /// Changed rows that came in.
    pub rows_in: u64,
    /// Changed rows that went out.
    pub rows_out: u64,
    /// Rows that it keeps.
    pub state_rows: u64,
    /// The memory that they take.
    pub state_bytes: u64,
    /// The time that it ran.
    pub time: Duration,
}

/// Counts rows as they go by.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowCounter(Rc<Cell<u64>>);

impl RowCounter {
    pub(crate) fn add(&self, rows: usize) {
        self.0.set(self.0.get() + rows as u64);
    }
}

/// What is watched of one part.
pub(crate) struct Watch {
    /// The nodes, each with dbsp's operators for it and the rows that it gave.
    nodes: Vec<(NodeId, Range<usize>, RowCounter)>,
    /// The time of each of dbsp's operators.
    times: Rc<RefCell<Vec<Duration>>>,
    steps: u64,
}

impl Watch {
    /// Watches a circuit from now on.
    pub(crate) fn new(circuit: &CircuitHandle, nodes: Vec<(NodeId, Range<usize>, RowCounter)>) -> Watch {
        let times: Rc<RefCell<Vec<Duration>>> = Rc::default();
        let noted = times.clone();
        circuit.register_scheduler_event_handler("profile", move |event| {
            if let SchedulerEvent::EvalEnd { node, elapsed_time } = event {
                let (mut times, position) = (noted.borrow_mut(), node.local_id().id());
                if times.len() <= position {
                    times.resize(position + 1, Duration::ZERO);
                }
                times[position] += elapsed_time.real;
            }
        });
        Watch { nodes, times, steps: 0 }
    }

    /// The part is being run.
    pub(crate) fn count_step(&mut self) {
        self.steps += 1;
    }

    /// What was seen.
    pub(crate) fn profile(
        &self,
        circuit: &RootCircuit,
        dataflow: &Dataflow,
        component: &Component,
    ) -> PartProfile {
        let states = states(circuit);
        let times = self.times.borrow();
        let position =
            |id: NodeId| self.nodes.iter().position(|(known, _, _)| *known == id).unwrap_or_default();
        let operator = |(id, extent, _): &(NodeId, Range<usize>, RowCounter)| {
            let node = &dataflow.nodes[*id];
            let held = || extent.clone().filter_map(|position| states.get(position));
            OperatorProfile {
                what: node.to_string(),
                inputs: node.inputs().into_iter().map(position).collect(),
                views: views_over(dataflow, component, *id),
                rows_in: node.inputs().into_iter().map(|input| self.rows_out(dataflow, input)).sum(),
                rows_out: self.rows_out(dataflow, *id),
                state_rows: held().map(|(rows, _)| rows).sum(),
                state_bytes: held().map(|(_, bytes)| bytes).sum(),
                time: extent.clone().filter_map(|position| times.get(position)).sum(),
            }
        };
        PartProfile {
            views: component.views(dataflow).map(|view| view.name.clone()).collect(),
            sources: dataflow.sources(&component.nodes).into_iter().collect(),
            steps: self.steps,
            operators: self.nodes.iter().map(operator).collect(),
        }
    }

    /// What came out of a node. A union gives what it takes.
    fn rows_out(&self, dataflow: &Dataflow, id: NodeId) -> u64 {
        match &dataflow.nodes[id] {
            Node::Union { inputs, .. } => inputs.iter().map(|input| self.rows_out(dataflow, *input)).sum(),
            _ => self.nodes.iter().find(|(known, _, _)| *known == id).map_or(0, |(_, _, rows)| rows.0.get()),
        }
    }
}

/// Rows and bytes that each of dbsp's operators keeps, by position. Batches know their sizes, so this does not look
/// at rows.
pub(crate) fn states(circuit: &RootCircuit) -> Vec<(u64, u64)> {
    let mut states = Vec::new();
    // The closure gives no error.
    let _ = circuit.map_local_nodes(&mut |node| {
        let mut meta = OperatorMeta::new();
        node.metadata(&mut meta);
        let rows = match meta.get(STATE_RECORDS_COUNT) {
            Some(MetaItem::Count(rows)) => rows as u64,
            _ => 0,
        };
        let bytes = match meta.get(ALLOCATED_MEMORY_BYTES) {
            Some(MetaItem::Bytes(bytes)) => bytes.bytes,
            _ => 0,
        };
        states.push((rows, bytes));
        Ok(())
    });
    states
}

fn views_over(dataflow: &Dataflow, component: &Component, id: NodeId) -> Vec<Name> {
    let mut over = BTreeSet::from([id]);
    for reader in component.nodes.iter().filter(|reader| **reader > id) {
        if dataflow.nodes[*reader].inputs().iter().any(|input| over.contains(input)) {
            over.insert(*reader);
        }
    }
    let views = component.views(dataflow).filter(|view| over.contains(&view.node));
    views.map(|view| view.name.clone()).collect()
}
