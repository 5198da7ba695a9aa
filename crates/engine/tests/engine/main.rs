//! The engine as its callers see it, on a simulated disk and a clock that is set by hand.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod altered_tables;
mod change_streams;
mod changes_under_load;
mod clocks_and_retention;
mod column_types;
mod counters;
mod crash_images;
mod doctor;
mod idempotency;
mod parking;
mod pause_and_resume;
mod program_changes;
mod pushes;
mod read_at;
mod recovery;
mod skip;
mod story;
mod sync_failure;
mod world;
