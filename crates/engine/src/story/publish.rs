//! What a step changed is handed to the change log, while it is applied as while it is replayed: a few pointers, as the
//! order of its lines is worked out by whoever reads them first.

use std::path::Path;
use std::sync::Arc;

use headwater_changes as changes;
use headwater_changes::{ChangeLog, ChangeLogOptions, LiveStream, StreamDefinition};
use headwater_env::Env;
use headwater_types::schema::schema_of;
use headwater_types::{ChangesKept, Lsn, Name, Scan, limits};

use crate::program::{ERROR_VIEW, QUARANTINE, RelationId, RunningProgram};
use crate::record::LogRecord;
use crate::state::{State, error_view_schema, quarantine_schema};
use crate::story::apply::RelationDelta;

/// Folder of a workspace's change log.
pub(crate) fn changes_dir(workspace: &Path) -> std::path::PathBuf {
    workspace.join("changes")
}

/// Opens the change log for the replay of what lies behind the state, up to `log_end`.
pub(crate) fn open(
    env: &Env,
    workspace: &Path,
    state: &State,
    log_end: Lsn,
) -> std::io::Result<Arc<ChangeLog>> {
    let options = ChangeLogOptions {
        env: env.clone(),
        dir: changes_dir(workspace),
        workspace: workspace.display().to_string(),
        flush_bytes: limits::CHANGES_FLUSH_BYTES,
        bytes_max: env.disk.available_bytes(workspace)? / limits::CHANGES_VOLUME_PARTS,
    };
    ChangeLog::open(options, log_end, state.lsn, live_streams(&state.program))
}

/// Hands over what the record that was just settled changed.
pub(crate) fn hand_over(state: &State, record: &LogRecord, deltas: Vec<RelationDelta>) {
    passed!("publish");
    let Some(log) = &state.changes else { return };
    let deltas = deltas.into_iter().map(|it| (number(it.relation), it.delta, it.order));
    let (lsn, time) = (state.lsn, state.clocks.ingest_time);
    match record {
        LogRecord::ProgramChange(_) => {
            let rows_of = |relation: changes::RelationId| rows_of(state, relation);
            log.change_streams(lsn, time, live_streams(&state.program), rows_of, deltas);
        }
        _ => log.append(lsn, time, deltas),
    }
}

fn number(relation: RelationId) -> changes::RelationId {
    changes::RelationId(relation.0)
}

fn rows_of(state: &State, relation: changes::RelationId) -> Option<Arc<dyn Scan>> {
    let tables = state.program.tables.iter().map(|table| table.id).zip(&state.tables);
    let views = state.program.views.iter().map(|view| view.id).zip(&state.views);
    let tables = tables.filter_map(|(id, rows)| Some((id, rows.as_ref()?)));
    let (_, rows) = tables.chain(views).find(|(id, _)| id.0 == relation.0)?;
    Some(Arc::new(rows.snapshot()))
}

/// The relations of a program whose changes are kept.
fn live_streams(program: &RunningProgram) -> Vec<LiveStream> {
    let stream = |relation: RelationId, name: &Name, incarnation, schema, kept| {
        let definition =
            StreamDefinition { relation: number(relation), name: name.clone(), incarnation, schema };
        Some(LiveStream { definition, keep: keep(kept)? })
    };
    let tables = program.tables.iter().filter_map(|table| {
        let definition = &table.definition;
        stream(table.id, &definition.name, table.incarnation, definition.schema(), definition.changes)
    });
    let views = program.views.iter().filter_map(|view| {
        let definition = &view.definition;
        stream(
            view.id,
            &definition.name,
            view.incarnation,
            schema_of(&definition.columns),
            definition.changes,
        )
    });
    let system =
        [(QUARANTINE, "quarantine", quarantine_schema()), (ERROR_VIEW, "error_view", error_view_schema())];
    let system = system.into_iter().filter_map(|(id, name, schema)| {
        stream(id, &Name::system(name).ok()?, Lsn::ZERO, schema, ChangesKept::Usual)
    });
    system.chain(tables).chain(views).collect()
}

/// How much is kept; `None` for nothing.
fn keep(kept: ChangesKept) -> Option<changes::Keep> {
    match kept {
        ChangesKept::Usual => Some(changes::Keep::default()),
        ChangesKept::Off => None,
        ChangesKept::AtMost { micros, bytes } => {
            Some(changes::Keep { micros, bytes: bytes.unwrap_or(u64::MAX) })
        }
    }
}
