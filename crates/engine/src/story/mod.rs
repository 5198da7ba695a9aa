//! The path of one event, in the order in which it happens.
//!
//! A request is decoded by whoever brings it ([`admit`]). One thread per workspace then takes what waits and makes it
//! one step: [`order`] decides what the step does, [`commit`] makes it durable while [`apply`] computes what it does to
//! the views, and [`reply`] shows the result to readers and releases the answers, in this order and at one place.
//! [`serve`] reads what was shown; [`keep`] makes the log shorter and reads it back after a stop.

/// The name under which each step of the story tells that an event passed it.
pub const TRACE_TARGET: &str = "headwater::story";

/// Tells that an event passed a step. Costs one load while nobody listens.
macro_rules! passed {
    ($step:literal) => {
        tracing::trace!(target: $crate::story::TRACE_TARGET, step = $step)
    };
}

/// Step 1: bytes to typed columns, validated; a place in the queue or a refusal.
pub mod admit;
/// Step 4: the views follow the step's changes.
pub(crate) mod apply;
/// Step 3: the step is appended to the log and synced.
pub(crate) mod commit;
/// Pause, queue, resume, and ticks of the workspace clock.
pub(crate) mod control;
/// Followers read what was published, at their own pace.
pub mod follow;
/// All rows as of one LSN, before the changes that follow.
mod follow_snapshot;
/// Step 8: snapshots, recovery and retention.
pub(crate) mod keep;
/// Step 2: what waits becomes one step with an LSN and its times; duplicates and records that cannot be are dropped.
pub(crate) mod order;
/// How a workspace's program is changed.
pub(crate) mod program_change;
/// Step 7: what a step changed is handed to the change log.
pub(crate) mod publish;
/// Step 5: the new version is published and the answers are released.
pub(crate) mod reply;
/// Step 6: tables and views are read from a published version.
pub mod serve;
/// What a panic of the views does: the step is void, its requests are tried one by one.
pub(crate) mod skip;
