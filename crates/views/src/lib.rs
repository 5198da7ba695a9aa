//! A program's materialised views as one incremental circuit: changes of tables go in, changes of views come out.
//!
//! The plan of each view is lowered to a few nodes, and those to operators of dbsp. Rows travel between operators
//! as Arrow batches with weights and are computed with by DataFusion's vectorised expressions; they become
//! memcomparable byte rows only where state is kept. Reading order:

/// The circuit: built from a program, stepped by the engine.
pub mod circuit;

/// COUNT, SUM and AVG of a group.
mod accumulator;
/// Projections and filters, batch by batch.
mod chain;
/// Columns to byte rows and back.
mod codec;
/// The parts of a program that share no table, which step by themselves.
mod component;
/// The nodes between plan and operators.
mod dataflow;
/// Expressions that give NULL where they fail.
mod expression;
/// Plans to nodes.
mod lower;
/// Nodes to dbsp's operators.
mod operators;
/// One row as bytes.
mod row;
/// The thread that dbsp runs on.
mod worker;

pub use circuit::{BuildError, Circuit, StepError, StepOutput, view_schema};
pub use expression::errors::ExpressionError;
