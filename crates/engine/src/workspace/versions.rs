//! The versions that readers can still ask for by LSN after newer ones were published.

use std::collections::VecDeque;
use std::sync::Arc;

use headwater_types::{Lsn, TimestampMicros, limits};

use crate::published::Published;

/// Bytes of a version beside the rows that only it holds: its list of relations.
const RELATION_BYTES: usize = 256;

/// Recent versions, oldest first, without a gap up to the newest, which is not among them. Bounded in number, in age, and
/// in the bytes that they hold beyond the newest.
#[derive(Default)]
pub(crate) struct Versions {
    kept: VecDeque<Kept>,
    bytes: usize,
}

struct Kept {
    published: Arc<Published>,
    /// When a newer one took its place.
    replaced_at: TimestampMicros,
    /// What it holds that the next one does not.
    bytes: usize,
}

impl Versions {
    /// Keeps a version that was replaced by a newer one. Returns what is kept no longer, to be dropped by the caller: that
    /// may free much, and readers need not wait for it.
    pub(crate) fn keep(
        &mut self,
        published: Arc<Published>,
        newer: &Published,
        now: TimestampMicros,
    ) -> Vec<Arc<Published>> {
        let bytes = published.bytes_beyond(newer) + RELATION_BYTES * published.parts.len();
        self.kept.push_back(Kept { published, replaced_at: now, bytes });
        self.bytes += bytes;
        self.forget(now, limits::VERSIONS_KEPT_BYTES_MAX)
    }

    /// Lets go of what is beyond a bound, or beyond so many bytes.
    pub(crate) fn forget(&mut self, now: TimestampMicros, bytes_max: usize) -> Vec<Arc<Published>> {
        let mut gone = Vec::new();
        while self.is_beyond(now, bytes_max)
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= oldest.bytes;
            gone.push(oldest.published);
        }
        gone
    }

    fn is_beyond(&self, now: TimestampMicros, bytes_max: usize) -> bool {
        let Some(oldest) = self.kept.front() else { return false };
        self.kept.len() > limits::VERSIONS_KEPT_MAX
            || self.bytes > bytes_max
            || now.0.saturating_sub(oldest.replaced_at.0) > limits::VERSIONS_KEPT_MICROS
    }

    /// The version that was the newest as of an LSN below that of `newest`, or the oldest LSN that there is one for.
    pub(crate) fn at(&self, lsn: Lsn, newest: &Published) -> Result<Arc<Published>, Lsn> {
        let after = self.kept.partition_point(|kept| kept.published.lsn <= lsn);
        match after.checked_sub(1).and_then(|index| self.kept.get(index)) {
            Some(kept) => Ok(Arc::clone(&kept.published)),
            None => Err(self.kept.front().map_or(newest.lsn, |oldest| oldest.published.lsn)),
        }
    }

    /// Bytes that are held beyond the newest version.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
