//! The server: what the binary `headwater` is made of. It translates between HTTP or the command line and the engine,
//! and does nothing else.
//!
//! Reading order:

/// What every connection and handler shares.
pub mod app;
/// The command line.
pub mod cli;
/// What the door counts.
pub mod counters;
/// A month of flights, replayed.
pub mod demo;
/// What a request can be told instead of an answer.
pub mod errors;
/// One file per noun, one function per route.
pub mod handlers;
/// From bytes on a socket to a request that a handler may trust, and back.
pub mod http;
/// Log lines and panics.
pub mod logging;
/// How much memory the machine has.
mod memory;
/// Every route, and the router over them.
pub mod routes;
/// A server as a value: bind, serve, stop.
pub mod server;
