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

/// Long chains of AND and OR as balanced trees.
mod balance;
/// Threads for deep recursion.
mod big_stack;
/// Which constant expression of a SELECT fails.
mod blame;
/// Every bound on a text, with its reason.
mod bounds;
/// Relations as the planner sees them.
mod catalog;
/// SQL types to column types.
mod column_type;
/// How large plans and expressions may get.
mod complexity;
/// Casts that the planner has otherwise than SQL, or not at all.
mod conversions;
/// DEFAULT values, computed once.
mod default_value;
/// The grammar.
mod dialect;
/// Plans as trees that can be shown.
mod explain;
/// The rule that computes constant parts of expressions.
mod fold_constants;
/// Places of words in a statement.
mod locate;
/// Names: folding, validity, names that the system keeps.
mod names;
/// The rules a view's plan goes through.
mod optimizer;
/// Text to statements, within bounds.
mod parse;
/// What a circuit supports.
mod plan_check;
/// The planner's errors in our words.
mod plan_error;
/// Places, refusals, and the text they point into.
mod source;
/// Near names.
mod suggest;
/// CREATE TABLE.
mod table;
/// `WITH ('materialized' = …, 'retention' = …)`.
mod table_options;
/// Texts that are compared with times.
mod timestamp_literals;
/// CREATE VIEW.
mod view;
/// What a view may say.
mod view_syntax;

pub use diagnostic::Diagnostic;
pub use explain::{PlanNode, explain};
pub use program::{CompileOptions, Program, ViewDefinition, compile};
pub use query::{QueryError, QueryOptions, QueryRelation, QueryResult, QuerySource, query};
