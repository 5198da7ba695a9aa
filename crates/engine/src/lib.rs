//! The story of one event, and what hangs off it. Knows nothing of HTTP.
//!
//! Read [`story`] first: its files, in order, are what happens to a request between its arrival and its answer.

/// The path of one event: admit, order, commit, apply, reply, serve, publish, keep.
pub mod story;

/// The two clocks of a workspace.
pub mod clock;
/// received = applied + rejected + duplicate + pending, per endpoint.
pub mod counters;
/// What an operator asks of a data folder that no server holds.
pub mod doctor;
/// All workspaces of a data folder, and the `_system` workspace that lists them.
pub mod engine;
/// Which requests were taken before.
mod idempotency;
/// What a workspace runs: its program, its relations and their numbers, and what a change of it does.
pub mod program;
/// What readers see: one immutable object.
pub mod published;
/// Requests and answers of a push.
pub mod push;
/// What the log's records hold.
mod record;
/// What a workspace knows between two steps.
mod state;
/// One workspace: the handle that everybody else holds.
pub mod workspace;

pub use clock::ClockMode;
pub use counters::Counts;
pub use engine::{
    Budget, CreateWorkspaceError, DeleteWorkspaceError, Engine, EngineOptions, OpenError, UnknownWorkspace,
    WorkspaceError,
};
pub use headwater_changes::Cursor;
pub use program::{
    ModuleConflict, Plan, PlanAction, PlanEntry, ProgramAnswer, RunningProgram, SetProgram, SetProgramError,
};
pub use published::Published;
pub use push::{IfPaused, OnError, PushAnswer, PushError, PushRequest, PushTarget};
pub use story::follow::{Change, ChangeKind, FollowError, Follower, From, Heard, ResetReason};
pub use story::keep::RecoverError;
pub use story::serve::{LookupError, QueryFailure};
pub use workspace::{Condition, ControlError, ReadAt, WaitError, Workspace, WorkspaceStatus};
