//! The change log as its writer and its readers see it, on a simulated disk.
#![allow(clippy::unwrap_used)]

/// What is damaged or lost is noticed and told.
mod damage;
/// The same as a list of lines in memory, whatever happens on the way.
mod followers;
/// The order of lines, and cursors as text.
mod lines;
/// Programs, steps and restarts in short words, and the slow and obvious change log.
mod model;
