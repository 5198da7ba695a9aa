use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::sql::sqlparser::ast::{ObjectName, Spanned, Statement};
use headwater_types::limits::RELATIONS_MAX;
use headwater_types::schema::schema_of;
use headwater_types::{ChangesKept, Column, Name, TableDefinition};

use crate::big_stack;
use crate::catalog::{Catalog, RelationSource};
use crate::diagnostic::Diagnostic;
use crate::functions;
use crate::locate::Locator;
use crate::parse::{ParsedStatement, parse};
use crate::source::{Refusal, Source};
use crate::{table, view};

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
    /// Its columns, in order. Each may be NULL: an expression that fails on a row is NULL there.
    pub columns: Vec<Column>,
    /// Whether its rows are kept; otherwise queries expand it.
    pub materialized: bool,
    /// What is kept for followers.
    pub changes: ChangesKept,
    /// The optimised plan. It scans tables and materialised views only; plain views are expanded.
    pub plan: LogicalPlan,
    /// The SELECT as written.
    pub sql: String,
    /// Whether the plan joins or aggregates, and so needs state.
    pub stateful: bool,
    /// The relations that the plan scans, sorted, each once.
    pub reads: Vec<Name>,
}

impl ViewDefinition {
    /// Whether this view computes the same from the columns that it reads, by name: so its rows are the same as long as
    /// those columns hold what they did, wherever they stand among others.
    #[must_use]
    pub fn computes_the_same_as(&self, other: &ViewDefinition) -> bool {
        self.columns == other.columns
            && (self.plan == other.plan || by_name(&self.plan) == by_name(&other.plan))
    }
}

/// A plan whose scans tell the names and types of the columns that they read, and not where those stand.
fn by_name(plan: &LogicalPlan) -> LogicalPlan {
    let scan = |node: LogicalPlan| match node {
        LogicalPlan::TableScan(mut scan) => {
            let mut columns: Vec<_> = scan
                .projected_schema
                .iter()
                .map(|(table, field)| (table.cloned(), Arc::clone(field)))
                .collect();
            columns.sort_by(|(_, a), (_, b)| a.name().cmp(b.name()));
            scan.projected_schema = Arc::new(DFSchema::new_with_metadata(columns, HashMap::new())?);
            scan.projection = None;
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        other => Ok(Transformed::no(other)),
    };
    plan.clone().transform_down(scan).map_or_else(|_| plan.clone(), |transformed| transformed.data)
}

/// Compiles a program. Equal texts give equal programs.
pub fn compile(text: &str, options: &CompileOptions) -> Result<Program, Diagnostic> {
    let source = Source::new(text);
    let compiled = big_stack::run(|| {
        compile_source(text, &source, options).map_err(|refusal| source.diagnostic(refusal))
    });
    compiled.unwrap_or_else(|panic| {
        let refusal = Refusal::new("internal", format!("the planner gave up: {panic}"));
        Err(source.diagnostic(refusal.hint("take statements out until it compiles, and report the last one")))
    })
}

fn compile_source(text: &str, source: &Source<'_>, options: &CompileOptions) -> Result<Program, Refusal> {
    let statements = parse(text)?;
    let mut compiler = Compiler {
        source,
        catalog: Catalog { state: functions::state(options.test_hooks), relations: BTreeMap::new() },
        program: Program::default(),
    };
    statements.iter().try_for_each(|statement| compiler.add(statement))?;
    Ok(compiler.program)
}

struct Compiler<'a> {
    source: &'a Source<'a>,
    catalog: Catalog<'a>,
    program: Program,
}

impl Compiler<'_> {
    fn add(&mut self, statement: &ParsedStatement) -> Result<(), Refusal> {
        let locator = Locator::new(statement);
        match &statement.ast {
            Statement::CreateTable(create) => {
                let table = table::compile(create, self.catalog.state, locator)?;
                let source = RelationSource::stored(&table.schema());
                self.define(&table.name, &create.name, Arc::new(source))?;
                self.program.tables.push(table);
            }
            Statement::CreateView(create) => {
                let view = view::compile(create, statement, self.source, &self.catalog)?;
                self.check_kept(&view, locator)?;
                let source = if view.materialized {
                    Arc::new(RelationSource::stored(&schema_of(&view.columns)))
                } else {
                    view::expanded(&view)
                };
                self.define(&view.name, &create.name, source)?;
                self.program.views.push(Arc::new(view));
            }
            _ => {
                let refusal = Refusal::unsupported(
                    "a program holds CREATE TABLE, CREATE VIEW and CREATE MATERIALIZED VIEW only",
                    "push rows to change data, send a SELECT as a query",
                );
                return Err(refusal.at_place(locator.start()));
            }
        }
        Ok(())
    }

    fn define(
        &mut self,
        name: &Name,
        written: &ObjectName,
        source: Arc<dyn TableSource>,
    ) -> Result<(), Refusal> {
        let relations = &mut self.catalog.relations;
        if relations.contains_key(name.as_str()) {
            let message = format!("the name {:?} is taken", name.as_str());
            let refusal =
                Refusal::new("duplicate_name", message).hint("tables and views share one space of names");
            return Err(refusal.at(written.span()));
        }
        if relations.len() >= RELATIONS_MAX {
            let message = format!("a program defines at most {RELATIONS_MAX} tables and views");
            return Err(Refusal::new("too_large", message)
                .hint("split it over workspaces")
                .at(written.span()));
        }
        relations.insert(name.as_str().to_owned(), source);
        Ok(())
    }

    /// A table that keeps no rows can feed stateless views only: state could not be rebuilt from it. Nor can a view over
    /// such a view be filled: views are computed from tables, whose rows are gone after a restart.
    fn check_kept(&self, view: &ViewDefinition, locator: Locator<'_>) -> Result<(), Refusal> {
        let refused_at = |name: &Name, refusal: Refusal| {
            Err(refusal.at_place(locator.identifier(name.as_str()).or_else(|| locator.start())))
        };
        if view.stateful
            && let Some(table) = self.unkept_table(&view.reads)
        {
            let message = format!(
                "the table {:?} keeps no rows, so a view that joins or aggregates cannot read it",
                table.as_str()
            );
            return refused_at(
                table,
                Refusal::unsupported(message, "take 'materialized' = 'false' off the table"),
            );
        }
        if view.materialized
            && let Some((read, table)) = self.view_over_unkept_table(&view.reads)
        {
            let message = format!(
                "{read} reads table {table}, which does not keep its rows, so nothing can be computed from {read} later"
            );
            let hint = format!(
                "write {read} as CREATE VIEW (not materialized), or drop 'materialized' = 'false' from {table}"
            );
            return refused_at(read, Refusal::unsupported(message, hint));
        }
        Ok(())
    }

    /// The first of these relations that is a table that keeps no rows.
    fn unkept_table<'r>(&self, reads: &'r [Name]) -> Option<&'r Name> {
        let is_unkept = |name: &&Name| {
            self.program.tables.iter().any(|table| table.name == **name && !table.materialized)
        };
        reads.iter().find(is_unkept)
    }

    /// The first of these relations that is a materialised view over a table that keeps no rows, and that table. One
    /// step is enough: a view over such a view is refused or plain, and plain views do not occur in what a plan reads.
    fn view_over_unkept_table(&self, reads: &[Name]) -> Option<(&Name, &Name)> {
        self.program
            .views
            .iter()
            .filter(|view| view.materialized && reads.contains(&view.name))
            .find_map(|view| Some((&view.name, self.unkept_table(&view.reads)?)))
    }
}
