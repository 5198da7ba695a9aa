//! Everything that a request can be told instead of an answer. One shape, one list of conditions, one place where the
//! engine's errors become conditions.

/// The one shape of an error in an answer.
pub mod api_error;
/// Every condition: code, status, meaning, what to do.
pub mod catalogue;
/// What each error of the engine is called at the door: one exhaustive match per operation.
pub mod from_engine;

pub use api_error::ApiError;
pub use catalogue::Condition;
