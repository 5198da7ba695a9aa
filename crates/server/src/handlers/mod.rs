//! One file per noun, one function per route: take the request apart, call the engine, write its answer down.

/// Change streams.
pub mod changes;
/// The workspace clock.
pub mod clock;
/// Pause and resume.
pub mod control;
/// How views are computed.
pub mod explain;
/// Is the process alive, is it ready.
pub mod health;
/// Prometheus' text format.
pub mod metrics;
/// The description of all this.
pub mod openapi;
/// A workspace's program: set, get, plan.
pub mod program;
/// Records in.
pub mod push;
/// SELECT.
pub mod query;
/// Tables and views: their columns and how many rows they have.
pub mod relations;
/// One row by its primary key.
pub mod rows;
/// Workspaces: list, create, status, delete.
pub mod workspaces;
