//! Where LSNs lie in the log, coarsely: enough to say how much log there is since one of them.

use headwater_types::Lsn;

/// Groups closer together than this share a mark.
const BYTES_BETWEEN_MARKS: u64 = 64 << 10;

/// Marks in LSN order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    marks: Vec<Mark>,
    bytes_end: u64,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    lsn: Lsn,
    bytes_before: u64,
}

impl Marks {
    /// A group of so many bytes begins at `lsn`, at the end of what was noted.
    pub(crate) fn note(&mut self, lsn: Lsn, group_bytes: u64) {
        let is_due =
            self.marks.last().is_none_or(|last| self.bytes_end - last.bytes_before >= BYTES_BETWEEN_MARKS);
        if is_due {
            self.marks.push(Mark { lsn, bytes_before: self.bytes_end });
        }
        self.bytes_end += group_bytes;
    }

    /// Forgets what lies wholly before `lsn`.
    pub(crate) fn cut_before(&mut self, lsn: Lsn) {
        let keep_from = self.index_at_or_before(lsn).unwrap_or(0);
        self.marks.drain(..keep_from);
    }

    /// Bytes of the groups from the one that holds `lsn` on.
    pub(crate) fn bytes_since(&self, lsn: Lsn, next_lsn: Lsn) -> u64 {
        if lsn >= next_lsn {
            return 0;
        }
        let mark =
            self.index_at_or_before(lsn).map_or_else(|| self.marks.first(), |index| self.marks.get(index));
        mark.map_or(0, |mark| self.bytes_end - mark.bytes_before)
    }

    fn index_at_or_before(&self, lsn: Lsn) -> Option<usize> {
        self.marks.partition_point(|mark| mark.lsn <= lsn).checked_sub(1)
    }
}
