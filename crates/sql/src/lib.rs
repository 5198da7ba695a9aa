//! SQL text → tables and views ([`compile`]), and ad-hoc queries ([`query`]), on DataFusion.
//!
//! Compiling is a pure function of the text: no clock, no data, no statistics. Reading order:

/// Where SQL text was refused, why, and what to write instead.
pub mod diagnostic;
/// What a program defines: tables and views with their plans.
pub mod program;
/// One SELECT over relations as of one LSN, within time, memory and size.
pub mod query;
/// The functions that views and queries may call.
pub mod functions;

/// Text to statements, within bounds.
mod parse;
/// CREATE TABLE.
mod table;
/// `WITH ('materialized' = …, 'retention' = …)`.
mod table_options;
/// DEFAULT values, computed once.
mod default_value;
/// SQL types to column types.
mod column_type;
/// CREATE VIEW.
mod view;
/// What a view may say.
mod view_syntax;
/// The rules a view's plan goes through.
mod optimizer;
/// The rule that computes constant parts of expressions.
mod fold_constants;
/// What a circuit supports.
mod plan_check;
/// How large plans and expressions may get.
mod complexity;
/// Relations as the planner sees them.
mod catalog;
/// The planner's errors in our words.
mod plan_error;
/// Which constant expression of a SELECT fails.
mod blame;
/// Places of words in a statement.
mod locate;
/// Places, refusals, and the text they point into.
mod source;
/// Names: folding, validity, names that the system keeps.
mod names;
/// Near names.
mod suggest;
/// Every bound on a text, with its reason.
mod bounds;
/// Threads for deep recursion.
mod big_stack;

pub use diagnostic::Diagnostic;
pub use program::{CompileOptions, Program, ViewDefinition, compile};
pub use query::{QueryError, QueryOptions, QueryRelation, QueryResult, QuerySource, query};
