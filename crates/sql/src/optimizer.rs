//! The rules that a view's plan goes through, in this order. They are fixed: no statistics, no data, no clock. What a
//! rule may do and why so few are here is in `docs/decisions/0006-view-optimizer-rules.md`.

use std::sync::Arc;

use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::analyzer::Analyzer;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerContext, OptimizerRule};

use crate::conversions;
use crate::fold_constants::FoldConstants;
use crate::timestamp_literals;

/// Columns that are computed, and how conditions are kept out of them.
mod computed;
/// Projections that only rename join the one below.
mod merge_renames;
/// Nodes that rules must not reach through.
mod shield;

/// Passes over the rules; they settle after two, except in plans made to keep them busy.
const PASSES_MAX: u8 = 4;

/// The rules that move conditions.
fn condition_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![
        // Constant parts are computed once, and short forms such as COALESCE are written out.
        Arc::new(FoldConstants),
        // `ON a.x = b.x AND …`: the equalities become the key by which the circuit indexes both sides.
        // Before the next rule, which would take a join without key for a cross join.
        Arc::new(ExtractEquijoinPredicate::new()),
        // `FROM a, b WHERE a.x = b.x` becomes a join; a circuit has no cross join.
        Arc::new(EliminateCrossJoin::new()),
        // Rows that cannot count never enter a join's state.
        Arc::new(PushDownFilter::new()),
    ]
}

/// The rule after them: columns that nobody reads never enter a join's or an aggregate's state.
fn column_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(OptimizeProjections::new())]
}

/// Settles the type of every expression; the only step that changes what a plan means.
pub(crate) fn coerce_types(plan: LogicalPlan, options: &ConfigOptions) -> Result<LogicalPlan> {
    let plan = timestamp_literals::read(conversions::write_out(plan)?)?;
    let coercion = Analyzer::with_rules(vec![Arc::new(TypeCoercion::new())]);
    conversions::check_implicit(coercion.execute_and_check(plan, options, |_, _| ())?)
}

/// Computes constant parts and writes out short forms, which makes expressions as large as they are.
pub(crate) fn fold_constants(plan: LogicalPlan, options: &Arc<ConfigOptions>) -> Result<LogicalPlan> {
    Optimizer::with_rules(vec![Arc::new(FoldConstants)]).optimize(plan, &context(options, 1), |_, _| ())
}

/// Applies the rules of views. No rule writes a computed column out in another expression: a column that fails is NULL,
/// an expression around it need not be.
pub(crate) fn optimize(plan: LogicalPlan, options: &Arc<ConfigOptions>) -> Result<LogicalPlan> {
    let plan = shield::put(computed::seal(plan)?, shield::is_closed_aggregate)?;
    let plan = apply(condition_rules(), plan, options)?;
    let plan = computed::unseal(shield::take_out(plan)?)?;

    let plan = shield::put(plan, shield::is_computing_projection)?;
    let plan = apply(column_rules(), plan, options)?;
    merge_renames::merge_renames(shield::take_out(plan)?)
}

fn apply(
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
    plan: LogicalPlan,
    options: &Arc<ConfigOptions>,
) -> Result<LogicalPlan> {
    Optimizer::with_rules(rules).optimize(plan, &context(options, PASSES_MAX), |_, _| ())
}

/// The rules of queries: all that the planner has, with our folding of constants in the place of its own, which takes
/// time exponential in the depth of nested CASE expressions.
pub(crate) fn query_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let replace = |rule: Arc<dyn OptimizerRule + Send + Sync>| match rule.name() {
        "simplify_expressions" => Arc::new(FoldConstants) as Arc<dyn OptimizerRule + Send + Sync>,
        _ => rule,
    };
    Optimizer::new().rules.into_iter().map(replace).collect()
}

fn context(options: &Arc<ConfigOptions>, passes_max: u8) -> OptimizerContext {
    OptimizerContext::new_with_config_options(Arc::clone(options))
        .without_query_execution_start_time()
        .with_max_passes(passes_max)
}
