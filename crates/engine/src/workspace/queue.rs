use std::collections::VecDeque;
use std::time::Duration;

use headwater_types::{TimestampMicros, limits};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::program_turns::Asked;
use super::{ControlError, WorkspaceStatus};
use crate::clock::ClockMode;
use crate::idempotency::Known;
use crate::story::admit::Ticket;
use crate::story::keep::SnapshotDone;

/// Everything that can be asked of a workspace's thread. Nothing else changes its state.
pub(crate) enum Command {
    /// Records to take.
    Push(Ticket),
    /// What is known of an idempotency key.
    Recall { key_id: String, key: String, body_hash: [u8; 32], reply: oneshot::Sender<Known> },
    /// A module's new text. Boxed, as commands are small otherwise.
    SetProgram(Box<Asked>),
    /// Pushes are refused or queued from here on.
    Pause(oneshot::Sender<Result<WorkspaceStatus, ControlError>>),
    /// Queued pushes take effect, and pushes are taken again.
    Resume(oneshot::Sender<Result<WorkspaceStatus, ControlError>>),
    /// What moves the workspace clock, and where it stands.
    SetClock {
        mode: ClockMode,
        at: Option<TimestampMicros>,
        reply: oneshot::Sender<Result<WorkspaceStatus, ControlError>>,
    },
    /// A round of snapshots has ended.
    SnapshotDone(SnapshotDone),
}

/// What waits for a workspace's thread. Bounded in requests and in bytes.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
}

#[derive(Default)]
struct Inner {
    commands: VecDeque<Command>,
    push_bytes: usize,
    closed: bool,
    /// Whether the thread waits for something to come.
    is_waiting: bool,
}

/// Why a command was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueError {
    Full,
    Closed,
}

/// What the thread does next.
pub(crate) enum Next {
    /// These pushes, as one step.
    Pushes(Vec<Ticket>),
    /// This.
    Command(Command),
    /// Nothing came within the time given.
    Idle,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    /// Adds a command. Those that do not bring records are few and small, and are never refused as too many.
    pub(crate) fn add(&self, command: Command) -> Result<(), QueueError> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(QueueError::Closed);
        }
        if let Command::Push(ticket) = &command {
            let bytes = inner.push_bytes + ticket.admitted.log_bytes;
            let many = inner.commands.len() >= limits::QUEUED_REQUESTS_MAX;
            if many || (bytes > limits::QUEUED_BYTES_MAX && inner.push_bytes > 0) {
                return Err(QueueError::Full);
            }
            inner.push_bytes = bytes;
        }
        inner.commands.push_back(command);
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    /// Puts pushes back to the front: they go into the next step.
    pub(crate) fn put_back(&self, tickets: Vec<Ticket>) {
        let mut inner = self.inner.lock();
        for ticket in tickets.into_iter().rev() {
            inner.push_bytes += ticket.admitted.log_bytes;
            inner.commands.push_front(Command::Push(ticket));
        }
    }

    /// Takes what is next, and waits for it no longer than `idle`. Pushes that stand together are taken together, up to the bytes of a step.
    pub(crate) fn next(&self, idle: Duration) -> Next {
        let mut inner = self.inner.lock();
        if inner.commands.is_empty() && !inner.closed && !idle.is_zero() {
            inner.is_waiting = true;
            self.ready.wait_for(&mut inner, idle);
            inner.is_waiting = false;
        }
        let mut pushes: Vec<Ticket> = Vec::new();
        let mut bytes = 0;
        while let Some(command) = inner.commands.pop_front() {
            match command {
                Command::Push(ticket)
                    if pushes.is_empty() || bytes + ticket.admitted.log_bytes <= limits::STEP_BYTES_MAX =>
                {
                    bytes += ticket.admitted.log_bytes;
                    pushes.push(ticket);
                }
                other if pushes.is_empty() => return Next::Command(other),
                other => {
                    inner.commands.push_front(other);
                    break;
                }
            }
        }
        inner.push_bytes = inner.push_bytes.saturating_sub(bytes);
        match (pushes.is_empty(), inner.closed) {
            (false, _) => Next::Pushes(pushes),
            (true, true) => Next::Closed,
            (true, false) => Next::Idle,
        }
    }

    /// Whether nothing waits, and the thread does: closing the queue now ends it at once.
    pub(crate) fn is_idle(&self) -> bool {
        let inner = self.inner.lock();
        inner.commands.is_empty() && inner.is_waiting
    }

    /// Bytes of pushes that wait.
    pub(crate) fn push_bytes(&self) -> usize {
        self.inner.lock().push_bytes
    }

    /// Takes nothing more, and drops what waits: whoever waits for it learns that no answer will come.
    pub(crate) fn abandon(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        inner.commands.clear();
        inner.push_bytes = 0;
    }

    /// Takes nothing more. What waits is still done.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.ready.notify_all();
    }
}
