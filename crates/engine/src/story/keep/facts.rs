//! What the newest snapshots say about a workspace, read without its rows.

use std::collections::BTreeMap;
use std::path::Path;

use headwater_env::Env;
use headwater_log::sealed::SealedError;
use headwater_types::{Lsn, ProgramVersion};

use super::manifest::read_manifest;
use super::snapshot_dir;
use super::state_file::read_head;
use crate::clock::Clocks;
use crate::counters::Counts;

/// A workspace as of its newest snapshots.
pub(crate) struct SnapshotFacts {
    pub lsn: Lsn,
    pub program_version: ProgramVersion,
    pub clocks: Clocks,
    pub counts: BTreeMap<String, Counts>,
    pub queued_bytes: usize,
    /// Bytes of the rows' files: about what the rows take in memory, without indexes and views.
    pub rows_bytes: u64,
}

/// Reads the manifest and the head of the state file. `None` before the first snapshots.
pub(crate) fn snapshot_facts(env: &Env, workspace: &Path) -> Result<Option<SnapshotFacts>, SealedError> {
    let manifest = read_manifest(env, workspace)?;
    if manifest.state_file.is_empty() {
        return Ok(None);
    }
    let head = read_head(env, &snapshot_dir(workspace).join(&manifest.state_file))?;
    let queued_bytes = head.queued.iter().map(prost::Message::encoded_len).sum();
    Ok(Some(SnapshotFacts {
        lsn: head.lsn,
        program_version: head.version,
        clocks: head.clocks,
        counts: crate::counters::Counters::of_records(&head.counts).by_endpoint().clone(),
        queued_bytes,
        rows_bytes: manifest.rows.iter().map(|entry| entry.bytes).sum(),
    }))
}
