//! A program's materialised views as an incremental circuit in several parts: changes of tables go in, changes of views come out.
//!
//! The plan of each view is lowered to a few nodes, and those to operators of dbsp. Rows travel between operators
//! as Arrow batches with weights and are computed with by DataFusion's vectorised expressions; they become
//! memcomparable byte rows only where state is kept. Reading order:

/// State in files, taken between two steps.
pub mod checkpoint;
/// The circuit: changed with the program, stepped by the engine.
pub mod circuit;
/// How a circuit runs.
pub mod options;
/// What each operator did and holds.
pub mod profile;

/// COUNT, SUM and AVG of a group.
mod accumulator;
/// Projections and filters, batch by batch.
mod chain;
/// Program changes: new parts beside the running ones.
mod change;
/// Columns to byte rows and back.
mod codec;
/// The parts of a program that share no table, which step by themselves.
mod component;
/// The nodes between plan and operators.
mod dataflow;
/// Nodes in words.
mod describe;
/// Expressions that give NULL where they fail.
mod expression;
/// Plans to nodes.
mod lower;
/// Nodes to dbsp's operators.
mod operators;
/// One part: one circuit of dbsp.
mod part;
/// All parts, on the thread that runs them.
mod parts;
/// One row as bytes.
mod row;
/// The files that dbsp keeps state in.
mod storage;
/// The thread that dbsp runs on.
mod worker;

pub use checkpoint::{
    CheckpointDecodeError, CheckpointError, CircuitCheckpoint, PreparedCheckpoint, RestoreError,
};
pub use circuit::{BuildError, Circuit, StepError, StepOutput, view_schema};
pub use expression::errors::ExpressionError;
pub use options::{CircuitOptions, CircuitStorage};
pub use profile::{CircuitProfile, OperatorProfile, PartProfile};
pub use storage::book::FileMismatch;
