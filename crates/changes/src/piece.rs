use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater_types::Lsn;

use crate::canonical::Run;
use crate::commit::{Entry, StreamDefinition, What};
use crate::cursor::Position;
use crate::reader::{Event, EventKind};

/// Consecutive lines of one relation in one step.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) lsn: Lsn,
    pub(crate) stream: Arc<StreamDefinition>,
    /// Lines of the same relation and step before these.
    pub(crate) first_line: u64,
    pub(crate) kind: PieceKind,
}

#[derive(Clone, Debug)]
pub(crate) enum PieceKind {
    Rows(Run),
    Reset { replaces: bool },
    End,
}

/// Rows that go or come, each as often as it has lines.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Whether they go.
    pub is_delete: bool,
    /// The rows.
    pub rows: RecordBatch,
    /// Lines per row; `None` if every row is one.
    pub counts: Option<Vec<u64>>,
}

impl Lines {
    /// How many lines a row is.
    #[must_use]
    pub fn count(&self, row: usize) -> u64 {
        self.counts.as_ref().map_or(1, |counts| counts[row])
    }
}

impl Piece {
    pub(crate) fn num_lines(&self) -> u64 {
        match &self.kind {
            PieceKind::Rows(run) => run.num_lines(),
            PieceKind::Reset { .. } | PieceKind::End => 1,
        }
    }

    /// The lines behind `position`, at most `room` of them; `None` if there are none.
    pub(crate) fn take(&self, position: Position, room: u64) -> Option<Event> {
        let read = position.lines_read(self.lsn, self.stream.relation);
        let skip = read.saturating_sub(self.first_line);
        let left = self.num_lines().checked_sub(skip).filter(|left| *left > 0)?;
        let (kind, taken) = match &self.kind {
            PieceKind::Rows(run) => {
                let taken = left.min(room);
                (EventKind::Lines(cut(run, skip, taken)), taken)
            }
            PieceKind::Reset { replaces } => (EventKind::Reset { replaces: *replaces }, 1),
            PieceKind::End => (EventKind::End, 1),
        };
        Some(Event {
            lsn: self.lsn,
            stream: Arc::clone(&self.stream),
            kind,
            first_line: self.first_line + skip,
            num_lines: taken,
        })
    }
}

/// So many lines of a run, behind the first ones. There are that many.
fn cut(run: &Run, skip: u64, taken: u64) -> Lines {
    let Some(weights) = &run.weights else {
        let rows = run.rows.slice(skip as usize, taken as usize);
        return Lines { is_delete: run.is_delete, rows, counts: None };
    };
    let mut first = 0;
    let mut passed = 0;
    while passed + weights[first] <= skip {
        passed += weights[first];
        first += 1;
    }
    let mut counts = Vec::new();
    let mut offset = skip - passed;
    let mut left = taken;
    for weight in &weights[first..] {
        if left == 0 {
            break;
        }
        let count = (weight - offset).min(left);
        counts.push(count);
        left -= count;
        offset = 0;
    }
    Lines { is_delete: run.is_delete, rows: run.rows.slice(first, counts.len()), counts: Some(counts) }
}

/// The pieces of what a step did to one relation. Rows of a reset are not among them.
pub(crate) fn pieces_of(lsn: Lsn, entry: &Entry) -> Vec<Piece> {
    let piece = |first_line, kind| Piece { lsn, stream: Arc::clone(&entry.stream), first_line, kind };
    match &entry.what {
        What::Reset { replaces, .. } => vec![piece(0, PieceKind::Reset { replaces: *replaces })],
        What::End => vec![piece(0, PieceKind::End)],
        What::Delta(delta) => {
            let mut first_line = 0;
            let run = |run: &Run| {
                let before = first_line;
                first_line += run.num_lines();
                piece(before, PieceKind::Rows(run.clone()))
            };
            delta.canonical(&entry.stream.schema).runs.iter().map(run).collect()
        }
    }
}
