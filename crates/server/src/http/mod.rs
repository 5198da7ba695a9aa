//! From bytes on a socket to a request that a handler may trust, and back. In the order of a request:

/// Answers in JSON.
pub mod answer;
/// A request's body, within its bounds.
pub mod body;
/// Bytes that all bodies together hold.
pub mod body_budget;
/// Changes as lines of text.
pub mod change_lines;
/// A change stream as the body of an answer.
pub mod change_stream;
/// Answers compressed for clients that take that.
pub mod compress;
/// One connection: which HTTP it speaks, and how long it may stall.
pub mod connection;
/// What happens to every request and every answer.
pub mod door;
/// Headers that say how a body is written.
pub mod headers;
/// Accepts connections, up to the limit, until told to stop; then drains them.
pub mod listener;
/// Only loopback names in `Host`, only loopback origins in `Origin`.
pub mod loopback;
/// Query parameters, of which none may be unknown.
pub mod params;
/// A request's name in answers and log lines.
pub mod request_id;
/// Rows of a query, written while they are sent.
pub mod rows_body;
/// The parts of a path.
pub mod segments;
/// A socket that gives up on a peer who does not read.
mod stall;
