use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use headwater_types::{Column, Name, TableDefinition};

use crate::diagnostic::Diagnostic;

/// How a program is compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileOptions {
    /// Whether functions that exist for tests (`hw_test_panic`) may be called.
    pub test_hooks: bool,
}

/// What one SQL text defines.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Tables, in the order of the text.
    pub tables: Vec<Arc<TableDefinition>>,
    /// Views, in the order of the text, so that a view comes after all it reads.
    pub views: Vec<Arc<ViewDefinition>>,
}

/// One view.
#[derive(Clone, Debug)]
pub struct ViewDefinition {
    /// The view's name.
    pub name: Name,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Whether its rows are kept; otherwise queries expand it.
    pub materialized: bool,
    /// The optimised plan. It scans tables and materialised views only; plain views are expanded.
    pub plan: LogicalPlan,
    /// The SELECT as written, with the view's column names applied.
    pub sql: String,
    /// Whether the plan joins or aggregates, and so needs state.
    pub stateful: bool,
    /// The relations that the plan scans, sorted, each once.
    pub reads: Vec<Name>,
}

/// Compiles a program. Equal texts give equal programs.
pub fn compile(text: &str, options: &CompileOptions) -> Result<Program, Diagnostic> {
    let _ = (text, options);
    todo!()
}
