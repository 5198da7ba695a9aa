//! SQL text → tables and views ([`compile`]), and ad-hoc queries ([`query`]), on DataFusion.
//!
//! Compiling is a pure function of the text: no clock, no data, no statistics. Reading order:

/// Where SQL text was refused, why, and what to write instead.
pub mod diagnostic;
/// The functions that views and queries may call.
pub mod functions;
/// What a program defines: tables and views with their plans.
pub mod program;
/// One SELECT over relations as of one LSN, within time, memory and size.
pub mod query;

pub use diagnostic::Diagnostic;
pub use program::{CompileOptions, Program, ViewDefinition, compile};
pub use query::{QueryError, QueryOptions, QueryRelation, QueryResult, QuerySource, query};
