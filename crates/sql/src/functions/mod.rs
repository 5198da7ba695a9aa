//! One registry of functions for planning, for views and for queries, so that a name means the same everywhere.

/// Functions whose result can be far longer than their arguments, held to a bound.
mod bounded;
/// Functions of texts that also take bytes.
pub(crate) mod bytes;
/// `now()` and its like, telling the workspace clock.
mod clock;
/// Aggregates that give what views give.
mod exact_aggregates;
/// The state of an exact SUM or AVG.
mod exact_total;
/// Random UUIDs, for queries.
mod random_uuid;
/// A function that panics, for tests of what a panic does.
mod test_panic;

use std::sync::{Arc, LazyLock};

use datafusion::execution::SessionStateDefaults;
use datafusion::execution::context::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{ScalarUDF, Volatility};
use datafusion::prelude::{SessionConfig, SessionContext};
use headwater_types::TimestampMicros;

use crate::bounds::BATCH_ROWS;
use crate::column_type::HeadwaterTypes;
use crate::conversions::OperandPlanner;
use crate::optimizer;

/// Aggregate functions that a view can maintain.
pub(crate) const VIEW_AGGREGATES: [&str; 5] = ["count", "sum", "avg", "min", "max"];

/// Functions that call themselves immutable but depend on more than their arguments.
const DEPENDS_ON_MORE: [&str; 3] = ["version", "input_file_name", "file_row_index"];

static SESSION: LazyLock<SessionState> = LazyLock::new(|| build_state(false));
static SESSION_WITH_TEST_HOOKS: LazyLock<SessionState> = LazyLock::new(|| build_state(true));

/// A session that holds every function, for planning and for evaluating expressions.
///
/// With `test_hooks` it also holds `hw_test_panic(x BIGINT)`, which gives `x` and panics on 666.
#[must_use]
pub fn session(test_hooks: bool) -> SessionContext {
    SessionContext::new_with_state(state(test_hooks).clone())
}

/// The state behind [`session`]; built once.
pub(crate) fn state(test_hooks: bool) -> &'static SessionState {
    if test_hooks { &SESSION_WITH_TEST_HOOKS } else { &SESSION }
}

/// Makes the functions of time tell this time.
pub(crate) fn set_now(state: &mut SessionState, now: TimestampMicros) -> datafusion::error::Result<()> {
    for function in clock::functions(now) {
        state.register_udf(Arc::new(function))?;
    }
    Ok(())
}

/// Whether a view may call this function: its value depends on its arguments alone.
pub(crate) fn is_deterministic(function: &ScalarUDF) -> bool {
    function.signature().volatility == Volatility::Immutable && !DEPENDS_ON_MORE.contains(&function.name())
}

/// Whether a call with constant arguments is computed when the program is compiled.
pub(crate) fn is_foldable(function: &ScalarUDF) -> bool {
    is_deterministic(function) && function.name() != test_panic::NAME
}

fn build_state(test_hooks: bool) -> SessionState {
    let mut state = SessionStateBuilder::new()
        .with_config(config())
        .with_default_features()
        .with_session_id("headwater".to_owned())
        .with_type_planner(Arc::new(HeadwaterTypes))
        .with_expr_planners(expression_planners())
        .with_optimizer_rules(optimizer::query_rules())
        .build();
    for function in bounded::functions(&state) {
        state.register_udf(Arc::new(function)).expect("a session takes every function");
    }
    bytes::register(&mut state).expect("a session takes every function");
    state.register_udf(Arc::new(random_uuid::function())).expect("a session takes every function");
    for function in exact_aggregates::functions() {
        state.register_udaf(Arc::new(function)).expect("a session takes every function");
    }
    if test_hooks {
        state.register_udf(Arc::new(test_panic::function())).expect("a session takes every function");
    }
    state
}

/// Ours is asked first.
fn expression_planners() -> Vec<Arc<dyn ExprPlanner>> {
    let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(OperandPlanner)];
    planners.extend(SessionStateDefaults::default_expr_planners());
    planners
}

fn config() -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    // Filters that change while a query runs would hide a join's condition from the check for its deadline.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    config
}
