//! The real binary under the worst that can happen to a process: killed at every named point and at random moments under
//! load, with a disk that fails a sync or is full, with a view that panics, told to stop while requests are under way.
//!
//! Each test is short by default and as long as wanted on request: `HEADWATER_KILLS` (at random moments),
//! `HEADWATER_KILL_ROUNDS` (two kills at each point), `HEADWATER_SYNC_FAILURES`, `HEADWATER_FULL_DISK_ROUNDS`,
//! `HEADWATER_HISTORY_OPERATIONS`, `HEADWATER_FLIP_LIVES`, `HEADWATER_NEW_VIEW_ROWS`, `HEADWATER_FOLLOWER_KILLS` (at each
//! point, with followers attached).
//! A failure prints its seed and the command that replays it.
#![allow(clippy::unwrap_used)]

/// The body of an answer in chunks.
#[path = "../common/chunks.rs"]
mod chunks;
/// Where clients find the server between its lives.
mod door;
/// Followers of change streams over kills.
mod followers;
/// A volume that fills up and is freed, again and again.
mod full_disk;
/// What was done when, and whether it can be.
mod history;
/// The order of answers, over many operations and crashes.
mod history_holds;
/// The least of a client.
mod http;
/// Clients that change everything a workspace has, and know what must be there.
mod load;
/// A view over rows that are there, while more come.
mod new_view;
/// `headwater serve` as a process.
mod process;
/// A program that changes all the time under load.
mod program_flips;
mod random;
mod scale;
/// SIGKILL at named points and at random moments.
mod sigkill;
/// A view that panics on one value.
mod skip;
/// SIGTERM, and what is in the way of a start.
mod stop;
/// A client of a change stream.
mod stream;
/// A sync of the log that fails.
mod sync_failure;
/// After a restart everything is as it must be.
mod verify;
