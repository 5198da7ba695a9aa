use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{Limit, LogicalPlan};

use super::computed::is_computed;

/// Aggregates below which no condition belongs.
///
/// Without keys: a condition that reads no column would sink below the aggregate, where it can no longer take away the
/// one row that the aggregate gives even for no input. With a computed key: a key that fails is NULL, but written out
/// in a condition its failure would be the condition's.
pub(super) fn is_closed_aggregate(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            aggregate.group_expr.is_empty() || aggregate.group_expr.iter().any(is_computed)
        }
        _ => false,
    }
}

/// Projections that compute: an expression over a column of theirs must not take the column's failure for its own.
pub(super) fn is_computing_projection(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Projection(projection) if projection.expr.iter().any(is_computed))
}

/// Puts a limit of nothing above the nodes told by `closed`; rules do not reach through limits.
pub(super) fn put(plan: LogicalPlan, closed: impl Fn(&LogicalPlan) -> bool) -> Result<LogicalPlan> {
    let shield = |node: LogicalPlan| {
        if !closed(&node) {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(LogicalPlan::Limit(Limit { skip: None, fetch: None, input: Arc::new(node) })))
    };
    Ok(plan.transform_up(shield)?.data)
}

/// Takes the limits out again.
pub(super) fn take_out(plan: LogicalPlan) -> Result<LogicalPlan> {
    let remove = |node: LogicalPlan| match node {
        LogicalPlan::Limit(Limit { skip: None, fetch: None, input }) => {
            Ok(Transformed::yes(Arc::unwrap_or_clone(input)))
        }
        other => Ok(Transformed::no(other)),
    };
    Ok(plan.transform_up(remove)?.data)
}
