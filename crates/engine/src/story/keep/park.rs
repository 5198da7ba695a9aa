//! What is written when a workspace is parked, so that it is opened again soon.

use super::manifest::read_manifest;
use super::snapshot::Round;
use super::{Keeper, SnapshotDone};
use crate::state::State;
use crate::story::commit::Committer;
use crate::workspace::Shared;

/// Bytes of log that are replayed as fast as a snapshot is written: with fewer there is nothing to gain.
const PARK_LOG_BYTES: u64 = 256 << 10;

impl Keeper {
    /// The last round, on the story's own thread, which has nothing else to do any more. Without it nothing is lost but
    /// time.
    pub(crate) fn park(&mut self, state: &State, committer: &Committer, shared: &Shared) {
        self.wait();
        if std::mem::take(&mut self.under_way)
            && let Ok(manifest) = read_manifest(&self.env, &self.dir)
        {
            // The round that was under way has ended, and nobody is left to be told.
            self.finish(SnapshotDone { result: Ok(manifest), lsn: state.lsn }, committer);
        }
        if self.tell(state, committer, shared) < PARK_LOG_BYTES {
            return;
        }
        let round = Round::of(state, &self.manifest, |lsn| committer.bytes_since(lsn));
        let lsn = round.lsn;
        let result = round.write(&self.env, &self.dir);
        self.finish(SnapshotDone { result, lsn }, committer);
        self.tell(state, committer, shared);
    }
}
