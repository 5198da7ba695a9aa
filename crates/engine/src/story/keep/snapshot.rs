use std::path::Path;
use std::sync::Arc;

use headwater_changes::ChangeLog;
use headwater_env::disk::is_no_space;
use headwater_env::{Env, kill_point};
use headwater_relation::RelationSnapshot;
use headwater_types::Lsn;

use super::manifest::{Manifest, RowsEntry};
use super::rows_file::write_rows;
use super::snapshot_dir;
use super::state_file::StateSnapshot;
use crate::program::RelationId;
use crate::state::State;

/// What one round writes, taken from the state at one LSN. Immutable, so it is written on another thread.
pub(crate) struct Round {
    pub lsn: Lsn,
    state: StateSnapshot,
    rows: Vec<(RelationId, Rows)>,
    changes: Option<Arc<ChangeLog>>,
}

enum Rows {
    /// The file there is: nothing changed since, or too little to pay off.
    Old(RowsEntry),
    /// A new file.
    New(RelationSnapshot),
}

/// Why a round was not finished. The manifest there was is still right.
#[derive(Debug, thiserror::Error)]
#[error("cannot write snapshots: {0}")]
pub(crate) struct RoundError(#[from] std::io::Error);

impl Round {
    /// Decides what is written: a relation's snapshot is rewritten when the log since the last exceeds its size.
    pub(crate) fn of(state: &State, manifest: &Manifest, log_bytes_since: impl Fn(Lsn) -> u64) -> Round {
        let mut rows = Vec::new();
        for (id, relation) in state.stored() {
            let changed_at = state.changed_at.get(&id).copied().unwrap_or(Lsn::ZERO);
            let unchanged = |entry: &RowsEntry| changed_at <= Lsn(entry.lsn);
            let too_little = |entry: &RowsEntry| {
                can_lag(state, id, Lsn(entry.lsn)) && log_bytes_since(Lsn(entry.lsn).next()) <= entry.bytes
            };
            let kept = match manifest.entry(id.0) {
                Some(entry) if unchanged(entry) => Rows::Old(RowsEntry { lsn: state.lsn.0, ..entry.clone() }),
                Some(entry) if too_little(entry) => Rows::Old(entry.clone()),
                Some(_) | None => Rows::New(relation.snapshot()),
            };
            rows.push((id, kept));
        }
        Round { lsn: state.lsn, state: StateSnapshot::of(state), rows, changes: state.changes.clone() }
    }

    /// Writes the files, then the manifest that names them.
    pub(crate) fn write(self, env: &Env, workspace: &Path) -> Result<Manifest, RoundError> {
        let dir = snapshot_dir(workspace);
        env.disk.create_dir_all(&dir)?;
        env.disk.sync_dir(workspace)?;
        kill_point::reach("snapshot.begin");
        let mut entries = Vec::with_capacity(self.rows.len());
        for (id, rows) in self.rows {
            entries.push(match rows {
                Rows::Old(entry) => entry,
                Rows::New(snapshot) => {
                    let file = format!("rows-{}-{}", id.0, self.lsn);
                    let bytes = write_rows(env, &dir.join(&file), id.0, self.lsn, &snapshot)?;
                    RowsEntry { relation: id.0, lsn: self.lsn.0, file, bytes }
                }
            });
        }
        let state_file = format!("state-{}", self.lsn);
        self.state.write(env, &dir.join(&state_file))?;
        kill_point::reach("snapshot.written");
        // What a replay from here on will not see again.
        if let Some(changes) = &self.changes {
            match changes.flush_through(self.lsn) {
                Err(error) if is_no_space(&error) => changes.give_up_through(self.lsn),
                flushed => flushed?,
            }
        }
        let manifest = Manifest { state_lsn: self.lsn, state_file, rows: entries };
        manifest.write(env, workspace)?;
        kill_point::reach("snapshot.done");
        Ok(manifest)
    }
}

/// Rows of a keyed or unkeyed table follow from its snapshot and the log alone, if its columns are those that it had at
/// the snapshot. What the system or a view writes does not, so its snapshot is always as new as the state file.
fn can_lag(state: &State, id: RelationId, snapshot: Lsn) -> bool {
    state.program.tables.iter().any(|table| table.id == id && table.incarnation <= snapshot)
}
