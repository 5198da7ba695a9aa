use std::collections::VecDeque;

use headwater_types::{Delta, Name};

/// What pushes changed since the rows of a fill were pinned, in order. Its owner bounds it.
#[derive(Default)]
pub(crate) struct Backlog {
    changes: VecDeque<(Name, Delta)>,
    bytes: usize,
    /// Rows that came since this was asked last.
    rows_brought: usize,
}

impl Backlog {
    pub(crate) fn add(&mut self, name: Name, delta: Delta) {
        self.bytes += bytes(&delta);
        self.rows_brought += delta.num_rows();
        self.changes.push_back((name, delta));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many rows came since this was asked last.
    pub(crate) fn take_rows_brought(&mut self) -> usize {
        std::mem::take(&mut self.rows_brought)
    }

    /// The oldest changes, of about so many rows; all of one relation together.
    pub(crate) fn take(&mut self, rows: usize) -> Vec<(Name, Delta)> {
        let mut taken = 0;
        let mut piece: Vec<(Name, Delta)> = Vec::new();
        while taken < rows
            && let Some((name, delta)) = self.changes.pop_front()
        {
            taken += delta.num_rows();
            self.bytes -= bytes(&delta);
            match piece.iter_mut().find(|(other, _)| *other == name) {
                Some((_, together)) => together.parts.extend(delta.parts),
                None => piece.push((name, delta)),
            }
        }
        piece
    }
}

/// Memory that a change holds. Parts of one buffer count it each, so this is no less than what is held.
fn bytes(delta: &Delta) -> usize {
    let weights = |part: &headwater_types::WeightedRows| part.weights.as_ref().map_or(0, |w| w.len() * 8);
    delta.parts.iter().map(|part| part.rows.get_array_memory_size() + weights(part)).sum()
}

#[cfg(test)]
mod tests;
