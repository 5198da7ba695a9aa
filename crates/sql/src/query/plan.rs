use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::context::{SQLOptions, SessionState};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::Statement;

use super::null_on_error::null_on_error;
use super::scan::RelationTable;
use super::{QueryError, QueryOptions, QueryRelation, QuerySource, checked_arithmetic, guard};
use crate::catalog::{Catalog, RelationSource};
use crate::complexity;
use crate::functions;
use crate::locate::Locator;
use crate::optimizer;
use crate::parse::{ParsedStatement, parse};
use crate::plan_error;
use crate::source::{Place, Refusal, Source};
use crate::view_syntax;

/// A query that is ready to run.
pub(super) struct PlannedQuery {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
}

/// Plans a query over these relations.
pub(super) async fn plan(
    text: &str,
    relations: &[QueryRelation],
    options: &QueryOptions,
    stop: &Arc<AtomicBool>,
) -> Result<PlannedQuery, QueryError> {
    let source = Source::new(text);
    let refused = |refusal| QueryError::Refused(Box::new(source.diagnostic(refusal)));
    let statement = single_select(text).map_err(refused)?;
    let state = session(options).map_err(|error| run_error(&error, options))?;
    let catalog =
        Catalog { state: &state, relations: sources(relations).map_err(|error| run_error(&error, options))? };
    let locator = Locator::new(&statement);
    let refuse = |error: &DataFusionError| {
        let names = catalog.relations.keys().map(String::as_str);
        refused(plan_error::refusal(error, locator, names))
    };
    let logical = SqlToRel::new(&catalog)
        .sql_statement_to_plan(statement.ast.clone())
        .map_err(|error| refuse(&error))?;
    let only_reads =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only_reads.verify_plan(&logical).map_err(|_| refused(not_a_select(locator.start())))?;
    complexity::check_operators(&logical).map_err(|refusal| refused(refusal.or_at(locator.start())))?;
    let options = state.config_options();
    let typed = optimizer::coerce_types(logical.clone(), options).map_err(|error| {
        let place = plan_error::ill_typed_place(&logical);
        let names = catalog.relations.keys().map(String::as_str);
        refused(plan_error::refusal(&error, locator, names).at_place(place))
    })?;
    let folded = optimizer::fold_constants(typed, options).map_err(|error| refuse(&error))?;
    complexity::check_expressions(&folded).map_err(|refusal| refused(refusal.or_at(locator.start())))?;
    let optimized = state.optimize(&folded).map_err(|error| refuse(&error))?;
    let checked = checked_arithmetic::check_plan(optimized).map_err(|error| refuse(&error))?;
    let guarded = guard::guard_join_conditions(checked, stop).map_err(|error| refuse(&error))?;
    let physical =
        state.query_planner().create_physical_plan(&guarded, &state).await.map_err(|error| refuse(&error))?;
    let plan = guard::guard_operators(physical, stop).map_err(|error| refuse(&error))?;
    Ok(PlannedQuery { plan, context: state.task_ctx() })
}

/// What went wrong while a query ran.
pub(super) fn run_error(error: &DataFusionError, options: &QueryOptions) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => QueryError::Memory { bytes_max: options.memory_bytes_max },
        _ => QueryError::Failed(plan_error::reason(error)),
    }
}

/// The one SELECT of the text.
fn single_select(text: &str) -> Result<ParsedStatement, Refusal> {
    let mut statements = parse(text)?;
    if let Some(second) = statements.get(1) {
        return Err(Refusal::unsupported("a query is one statement", HINT).at_place(second.start()));
    }
    let Some(statement) = statements.pop() else {
        return Err(Refusal::new("syntax", "the query is empty").hint(HINT));
    };
    match &statement.ast {
        Statement::Query(query) => view_syntax::check_size(query)?,
        _ => return Err(not_a_select(statement.start())),
    }
    Ok(statement)
}

const HINT: &str = "send one SELECT; tables change by pushing rows, definitions by setting the program";

fn not_a_select(place: Option<Place>) -> Refusal {
    Refusal::unsupported("a query is a SELECT", HINT).at_place(place)
}

/// A session of its own for each query, so that memory is counted per query; the functions are shared.
fn session(options: &QueryOptions) -> datafusion::error::Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory_bytes_max)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()?;
    let shared = functions::state(options.test_hooks).clone();
    let mut state = SessionStateBuilder::new_from_existing(shared).with_runtime_env(runtime).build();
    functions::set_now(&mut state, options.now)?;
    Ok(state)
}

/// Stored relations as tables; plain views as plans over these.
fn sources(relations: &[QueryRelation]) -> datafusion::error::Result<BTreeMap<String, Arc<dyn TableSource>>> {
    let mut sources: BTreeMap<String, Arc<dyn TableSource>> = BTreeMap::new();
    for relation in relations {
        if let QuerySource::Rows(rows) = &relation.source {
            let table = provider_as_source(Arc::new(RelationTable::new(Arc::clone(rows))));
            sources.insert(relation.name.as_str().to_owned(), table);
        }
    }
    for relation in relations {
        if let QuerySource::View(view) = &relation.source {
            // A view whose table keeps no rows cannot be asked; its name is unknown to queries.
            if view.reads.iter().all(|name| sources.contains_key(name.as_str())) {
                let plan = bind(view.plan.clone(), &sources)?;
                sources.insert(relation.name.as_str().to_owned(), Arc::new(RelationSource::expanded(plan)));
            }
        }
    }
    Ok(sources)
}

/// Puts the query's tables in the place of those that the view was compiled against, and lets the view's expressions
/// fail as those of views do.
fn bind(
    plan: LogicalPlan,
    sources: &BTreeMap<String, Arc<dyn TableSource>>,
) -> datafusion::error::Result<LogicalPlan> {
    let bind = |node: LogicalPlan| match node {
        LogicalPlan::TableScan(scan) => {
            let source = sources.get(scan.table_name.table()).cloned().ok_or_else(|| {
                DataFusionError::Plan(format!("the rows of {} are not at hand", scan.table_name))
            })?;
            LogicalPlanBuilder::scan(scan.table_name, source, scan.projection)?.build().map(Transformed::yes)
        }
        other => null_on_error(other),
    };
    Ok(plan.transform_up(bind)?.data)
}
