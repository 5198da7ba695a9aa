use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use headwater_codec::{BodyFormat, DecodeOptions, OperationName};
use headwater_types::{Scan, TimestampMicros};

use super::wait::wait;
use crate::program::{SetProgram, SetProgramError};
use crate::published::Published;
use crate::push::{IfPaused, OnError, PushAnswer, PushError, PushRequest, PushTarget};
use crate::workspace::{Workspace, WorkspaceStatus};

/// The name of the workspace that lists the others. Users cannot choose a name that begins like this.
pub(super) const NAME: &str = "_system";

const TABLE: &str = "workspaces";
/// What an operator has set for a workspace; no row for what is as usual.
const BUDGETS: &str = "workspace_budgets";
const PROGRAM: &str = "CREATE TABLE workspaces (
    id BIGINT PRIMARY KEY,
    name VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL
);
CREATE TABLE workspace_budgets (
    id BIGINT PRIMARY KEY,
    memory_bytes BIGINT NOT NULL
);";

/// A workspace as the list has it.
pub(super) struct Listed {
    /// Its number.
    pub(super) id: u64,
    /// Its name.
    pub(super) name: String,
    /// Bytes that it may hold in memory, if that was set.
    pub(super) memory_bytes_max: Option<u64>,
}

/// The workspaces of a data folder, as rows of a table: one durable format, one recovery.
pub(super) struct System {
    workspace: Workspace,
}

impl System {
    /// Takes the workspace that holds the list, and defines those of its tables that are new.
    pub(super) fn start(workspace: Workspace) -> Result<System, SetProgramError> {
        if workspace.published().relation(BUDGETS).is_none() {
            wait(workspace.set_program(PROGRAM.to_owned(), SetProgram::default()))?;
        }
        Ok(System { workspace })
    }

    /// All workspaces, by number.
    pub(super) fn workspaces(&self) -> Vec<Listed> {
        let published = self.workspace.published();
        let mut budgets: HashMap<u64, u64> = HashMap::new();
        each_batch(&published, BUDGETS, |ids, bytes| {
            let bytes = bytes.as_primitive::<Int64Type>().values();
            budgets
                .extend(ids.iter().zip(bytes).map(|(id, bytes)| (id.cast_unsigned(), bytes.cast_unsigned())));
        });
        let mut found = Vec::new();
        each_batch(&published, TABLE, |ids, names| {
            let rows = ids.iter().zip(names.as_string::<i32>());
            found.extend(rows.filter_map(|(id, name)| {
                let id = id.cast_unsigned();
                Some(Listed { id, name: name?.to_owned(), memory_bytes_max: budgets.get(&id).copied() })
            }));
        });
        found.sort_unstable_by_key(|listed| listed.id);
        found
    }

    /// Lists a workspace and returns its number, which no workspace had before.
    pub(super) fn add(&self, name: &str, created: TimestampMicros) -> Result<u64, PushError> {
        // Every change of the list takes a step, so its next LSN is a number that was never given.
        let id = self.workspace.published().lsn.next().0;
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let row = format!(r#"{{"id":{id},"name":"{name}","created":"{created}"}}"#);
        self.push(TABLE, &row, OperationName::Insert)?;
        Ok(id)
    }

    /// Takes a workspace off the list.
    pub(super) fn remove(&self, id: u64) -> Result<(), PushError> {
        self.push(TABLE, &format!(r#"{{"id":{id}}}"#), OperationName::Delete)?;
        if let Err(error) = self.set_memory_bytes_max(id, None) {
            // Numbers are not given twice, so it does nothing.
            tracing::warn!(%error, id, "the budget of a workspace that is gone stays in the list");
        }
        Ok(())
    }

    /// Notes what a workspace may hold in memory.
    pub(super) fn set_memory_bytes_max(&self, id: u64, bytes: Option<u64>) -> Result<(), PushError> {
        let key = format!(r#"{{"id":{id}}}"#);
        let set = match bytes {
            Some(bytes) => {
                let row = format!(r#"{{"id":{id},"memory_bytes":{bytes}}}"#);
                self.push(BUDGETS, &row, OperationName::Insert)
            }
            None if self.has_budget(id) => self.push(BUDGETS, &key, OperationName::Delete),
            None => return Ok(()),
        };
        set.map(|_| ())
    }

    fn has_budget(&self, id: u64) -> bool {
        let mut found = false;
        each_batch(&self.workspace.published(), BUDGETS, |ids, _| {
            found |= ids.contains(&id.cast_signed());
        });
        found
    }

    fn push(&self, table: &str, body: &str, operation: OperationName) -> Result<PushAnswer, PushError> {
        wait(self.workspace.push(PushRequest {
            body: body.to_owned().into(),
            format: BodyFormat::Json,
            target: PushTarget::Table(table.to_owned()),
            options: DecodeOptions { operation, ..DecodeOptions::default() },
            on_error: OnError::RejectRequest,
            if_paused: IfPaused::Refuse,
            idempotency_key: None,
            endpoint: NAME.to_owned(),
            key_id: String::new(),
        }))
    }

    pub(super) fn status(&self) -> WorkspaceStatus {
        self.workspace.status()
    }

    pub(super) fn close(&self) {
        self.workspace.close();
    }
}

/// The first two columns of a table, batch by batch; the first is its number.
fn each_batch(published: &Published, table: &str, mut each: impl FnMut(&[i64], &dyn Array)) {
    let Some(table) = published.relation(table) else { return };
    for segment in 0..table.rows.num_segments() {
        let batch = table.rows.segment(segment, Some(&[0, 1]));
        each(batch.column(0).as_primitive::<Int64Type>().values(), &**batch.column(1));
    }
}
