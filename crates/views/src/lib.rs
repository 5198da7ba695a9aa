//! A program's materialised views as one incremental circuit: changes of tables go in, changes of views come out.
//!
//! Reading order:

/// The circuit: built from a program, stepped by the engine.
pub mod circuit;

pub use circuit::{BuildError, Circuit, ExpressionError, StepError, StepOutput};
