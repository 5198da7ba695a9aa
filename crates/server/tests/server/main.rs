//! The server from outside: over HTTP, over raw sockets, and as a binary. One file per concern, one binary for all,
//! as linking takes longer than testing.
#![allow(clippy::unwrap_used)]

/// Changes as they happen.
mod change_streams;
/// The body of an answer in chunks.
#[path = "../common/chunks.rs"]
mod chunks;
/// Arrow, CSV and compressed bodies, in and out.
mod columnar_forms;
/// What the binary prints, what it says when something is in the way, and how it ends.
mod command_line;
/// What holds for every request.
mod door;
/// Every documented error.
mod error_catalogue;
/// The examples that a newcomer types first.
mod first_five_minutes;
/// Clients that mean harm, or are broken.
mod hostile_clients;
/// The tables in the documentation.
mod http_docs;
/// The description of the API.
mod openapi;
/// The forms that records may come in.
mod push_forms;
/// Python's own Arrow library.
mod pyarrow_client;
/// Looking up, waiting, listing.
mod reads;
/// A server in this process and the least of a client.
mod support;
