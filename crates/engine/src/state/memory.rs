//! How much of the machine's memory a state takes, about.

use super::State;

/// Bytes of an idempotency key with its answer, about.
const IDEMPOTENCY_KEY_BYTES: usize = 400;
/// What an open workspace takes beside its rows: threads, an empty dataflow, the program.
const OPEN_BYTES: usize = 1 << 20;

impl State {
    /// Bytes of rows, indexes, the views' state, remembered keys and queued requests. Cheap: every part knows its own.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let rows: usize = self.stored().into_iter().map(|(_, rows)| rows.memory_bytes()).sum();
        let views = self.program.views.iter().zip(&self.views).filter(|(view, _)| !view.from_unkept);
        let views: usize = views.map(|(_, rows)| rows.memory_bytes()).sum();
        let keys = self.idempotency.len() * IDEMPOTENCY_KEY_BYTES;
        let circuit = self.circuit.memory_bytes();
        (rows + views + circuit + keys + self.queued_bytes + OPEN_BYTES) as u64
    }
}
