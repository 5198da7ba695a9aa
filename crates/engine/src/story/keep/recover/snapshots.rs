use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_relation::Relation;
use headwater_sql::CompileOptions;
use headwater_types::Delta;

use super::RecoverError;
use crate::program::{ERROR_VIEW, QUARANTINE, RelationId, RunningProgram};
use crate::state::{State, table_relation, view_relation};
use crate::story::keep::manifest::Manifest;
use crate::story::keep::rows_file::read_rows;
use crate::story::keep::snapshot_dir;
use crate::story::keep::state_file::{StateRead, read_state};

/// The state as of the newest snapshots, without circuit; tables whose own snapshot is older are as old as that.
pub(super) fn restore(
    env: &Env,
    workspace: &Path,
    manifest: &Manifest,
    options: &CompileOptions,
) -> Result<State, RecoverError> {
    if manifest.state_file.is_empty() {
        return Ok(State::new());
    }
    let dir = snapshot_dir(workspace);
    let read: StateRead = read_state(env, &dir.join(&manifest.state_file))?;
    let mut program = RunningProgram::restore(read.version, &read.modules, &read.relations, options)
        .map_err(|error| RecoverError::restore(read.lsn, &error))?;
    program.next_relation = program.next_relation.max(read.next_relation);
    let mut state = State::new();
    let load = |id: RelationId, rows: Relation, keyed: bool| load_rows(env, &dir, manifest, id, rows, keyed);
    for table in &program.tables {
        let keyed = table.definition.has_primary_key();
        state.tables.push(table_relation(table).map(|rows| load(table.id, rows, keyed)).transpose()?);
    }
    for view in &program.views {
        let rows = view_relation(view);
        state.views.push(if view.from_unkept { load(view.id, rows, false)? } else { rows });
    }
    let quarantine = Relation::new(Arc::clone(state.quarantine.rows().schema()), Vec::new());
    state.quarantine.restore(load(QUARANTINE, quarantine, false)?);
    let error_view = Relation::new(Arc::clone(state.error_view.rows().schema()), Vec::new());
    state.error_view.restore(load(ERROR_VIEW, error_view, false)?);
    state.lsn = read.lsn;
    state.clocks = read.clocks;
    state.program = Arc::new(program);
    state.counters.add(&read.counts);
    state.paused = read.paused;
    state.queue(&read.queued);
    for entry in read.keys {
        state.idempotency.remember(entry);
    }
    Ok(state)
}

fn load_rows(
    env: &Env,
    dir: &Path,
    manifest: &Manifest,
    id: RelationId,
    mut rows: Relation,
    keyed: bool,
) -> Result<Relation, RecoverError> {
    let entry = manifest.entry(id.0).ok_or(RecoverError::NoRows { relation: id.0 })?;
    let schema = Arc::clone(rows.schema());
    let path = dir.join(&entry.file);
    let mut refused = None;
    read_rows(env, &path, id.0, &schema, |batch| {
        let change = if keyed {
            Ok(rows.prepare_keyed(Vec::new(), batch))
        } else {
            rows.prepare_multiset(&Delta::inserted(batch))
        };
        match change {
            Ok(change) => rows.publish(change),
            Err(error) => refused = Some(error.to_string()),
        }
    })?;
    match refused {
        None => Ok(rows),
        Some(reason) => Err(RecoverError::Program { lsn: manifest.state_lsn, reason }),
    }
}
