//! What is known of a workspace without opening it: what two small files and the head of a third say.

use std::path::Path;

use headwater_env::Env;
use headwater_log::FileLog;
use headwater_types::{Lsn, Name};

use super::workspace_dir;
use crate::story::keep::{log_dir, snapshot_facts};
use crate::workspace::WorkspaceStatus;

/// A parked workspace's status as of its newest snapshots, with the newest LSN that its log is marked with; and why it
/// cannot be opened, if these files say so already. Whoever opens it learns the rest.
pub(super) fn known(env: &Env, data_dir: &Path, id: u64, name: Name) -> (WorkspaceStatus, Option<String>) {
    let dir = workspace_dir(data_dir, id);
    let unopened = WorkspaceStatus::unopened(id, name);
    let mut damage = None;
    let mut status = match snapshot_facts(env, &dir) {
        Ok(None) => unopened,
        Ok(Some(facts)) => WorkspaceStatus {
            lsn: facts.lsn,
            snapshot_lsn: facts.lsn,
            program_version: facts.program_version,
            clock_mode: facts.clocks.mode,
            workspace_clock: facts.clocks.workspace,
            ingest_time: facts.clocks.ingest_time,
            counts: facts.counts,
            queued_bytes: facts.queued_bytes,
            memory_bytes: facts.rows_bytes,
            ..unopened
        },
        Err(error) => {
            damage = Some(error.to_string());
            unopened
        }
    };
    match FileLog::marked_lsn(env, &log_dir(&dir)) {
        Ok(marked) => status.lsn = status.lsn.max(marked.unwrap_or(Lsn::ZERO)),
        Err(error) => damage = damage.or(Some(error.to_string())),
    }
    (status, damage)
}
