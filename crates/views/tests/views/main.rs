//! Circuits from the outside: programs in, changes in, changes out.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod aggregates;
mod changes;
mod checkpoints;
mod errors;
mod joins;
mod panics;
mod programs;
mod residue;
mod sharing;
mod steps;
mod support;
mod value;
