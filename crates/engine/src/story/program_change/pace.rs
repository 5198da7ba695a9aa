use headwater_types::limits::PROGRAM_CHANGE_PIECE_MS;

/// Rows of the first piece, before anything is known of what a row costs.
const FIRST_ROWS: usize = 2_048;
/// Rows of the smallest piece: below that a step's own cost is most of it.
const ROWS_MIN: usize = 64;
/// Rows of the largest piece: a segment's.
const ROWS_MAX: usize = 65_536;
/// How much larger a piece may be than the one before.
const GROWTH_MAX: usize = 4;

/// How many rows a piece deals with, so that it takes about as long as a push may wait.
pub(crate) struct Pace {
    rows: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { rows: FIRST_ROWS }
    }
}

impl Pace {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Learns how long so many rows took; no rows tell nothing.
    pub(crate) fn took(&mut self, rows: usize, micros: i64) {
        let target = (PROGRAM_CHANGE_PIECE_MS * 1_000) as usize;
        let micros = usize::try_from(micros).unwrap_or(0);
        if rows == 0 || (rows < ROWS_MIN && micros < target) {
            return;
        }
        let fitting = rows.max(1).saturating_mul(target) / micros.max(1);
        self.rows = fitting.min(self.rows * GROWTH_MAX).clamp(ROWS_MIN, ROWS_MAX);
    }
}

#[cfg(test)]
mod tests;
