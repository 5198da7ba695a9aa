use std::collections::BTreeMap;

use crate::events::Event;

/// One way of running one query: the same steps for all.
pub(crate) trait Side {
    /// Brings the events of one step into the form that the side takes. What the query does not read is left out.
    fn prepare(&mut self, events: &[Event]);

    /// Runs the first step that was prepared and not run.
    fn step(&mut self);

    /// What the last step changed.
    fn changes(&mut self) -> Vec<(Row, i64)>;
}

/// A row of a result, whatever the side.
pub(crate) type Row = Vec<Cell>;

/// A value of a result, whatever the side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Null,
    /// Also days and microseconds.
    Integer(i64),
    /// A float's bits.
    Float(u64),
    Text(String),
}

/// The rows that are left of all changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents(BTreeMap<Row, i64>);

impl Contents {
    pub(crate) fn apply(&mut self, changes: Vec<(Row, i64)>) {
        for (row, weight) in changes {
            let total = self.0.entry(row).or_default();
            *total += weight;
        }
    }

    pub(crate) fn drop_zeros(&mut self) {
        self.0.retain(|_, weight| *weight != 0);
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.len()
    }

    /// The first row that only one of the two has, or has more often.
    pub(crate) fn first_difference(&self, other: &Contents) -> Option<Row> {
        let missing = |a: &Contents, b: &Contents| {
            a.0.iter().find(|(row, weight)| b.0.get(*row) != Some(*weight)).map(|(row, _)| row.clone())
        };
        missing(self, other).or_else(|| missing(other, self))
    }
}
