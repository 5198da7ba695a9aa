use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use headwater_codec::{BodyFormat, DecodeOptions, OperationName};
use headwater_types::{Scan, TimestampMicros};

use crate::program::{SetProgram, SetProgramError};
use crate::push::{IfPaused, OnError, PushAnswer, PushError, PushRequest, PushTarget};
use crate::workspace::{Workspace, WorkspaceStatus};

/// The name of the workspace that lists the others. Users cannot choose a name that begins like this.
pub(super) const NAME: &str = "_system";

const TABLE: &str = "workspaces";
const PROGRAM: &str = "CREATE TABLE workspaces (
    id BIGINT PRIMARY KEY,
    name VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL
);";

/// The workspaces of a data folder, as rows of a table: one durable format, one recovery.
pub(super) struct System {
    workspace: Workspace,
}

impl System {
    /// Takes the workspace that holds the list, and defines its table if it is new.
    pub(super) fn start(workspace: Workspace) -> Result<System, SetProgramError> {
        if workspace.published().program.tables.is_empty() {
            wait(workspace.set_program(PROGRAM.to_owned(), SetProgram::default()))?;
        }
        Ok(System { workspace })
    }

    /// Numbers and names of all workspaces.
    pub(super) fn workspaces(&self) -> Vec<(u64, String)> {
        let published = self.workspace.published();
        let Some(table) = published.relation(TABLE) else { return Vec::new() };
        let mut found = Vec::new();
        for segment in 0..table.rows.num_segments() {
            let batch = table.rows.segment(segment, Some(&[0, 1]));
            let ids = batch.column(0).as_primitive::<Int64Type>();
            let names = batch.column(1).as_string::<i32>();
            let rows = ids.values().iter().zip(names.iter());
            found.extend(rows.filter_map(|(id, name)| Some((id.cast_unsigned(), name?.to_owned()))));
        }
        found.sort_unstable();
        found
    }

    /// Lists a workspace and returns its number, which no workspace had before.
    pub(super) fn add(&self, name: &str, created: TimestampMicros) -> Result<u64, PushError> {
        // Every change of the list takes a step, so its next LSN is a number that was never given.
        let id = self.workspace.published().lsn.next().0;
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        self.push(&format!(r#"{{"id":{id},"name":"{name}","created":"{created}"}}"#), OperationName::Insert)?;
        Ok(id)
    }

    /// Takes a workspace off the list.
    pub(super) fn remove(&self, id: u64) -> Result<(), PushError> {
        self.push(&format!(r#"{{"id":{id}}}"#), OperationName::Delete).map(|_| ())
    }

    fn push(&self, body: &str, operation: OperationName) -> Result<PushAnswer, PushError> {
        wait(self.workspace.push(PushRequest {
            body: body.to_owned().into(),
            format: BodyFormat::Json,
            target: PushTarget::Table(TABLE.to_owned()),
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

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread. The list changes rarely, and its callers are not asynchronous.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
