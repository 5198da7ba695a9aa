use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::bounds::{EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX, PLAN_DEPTH_MAX, PLAN_NODES_MAX};
use crate::parse::too_deep;
use crate::source::Refusal;

/// Refuses a plan with too many operators. Cheap, so it comes before anything that walks over the plan.
///
/// Inner SELECTs and plain views are expanded in place, so a short text can stand for an enormous plan.
pub(crate) fn check_operators(plan: &LogicalPlan) -> std::result::Result<(), Refusal> {
    count_nodes(plan, 1, &mut 0)
}

/// Refuses a plan whose expressions grow too large when those of inner SELECTs are written into those above, as
/// happens to every filter that is pushed down.
pub(crate) fn check_expressions(plan: &LogicalPlan) -> std::result::Result<(), Refusal> {
    column_nodes(plan).map(|_| ())
}

fn count_nodes(plan: &LogicalPlan, depth: usize, nodes: &mut usize) -> std::result::Result<(), Refusal> {
    *nodes += 1;
    if depth > PLAN_DEPTH_MAX {
        return Err(too_complex(format!("the view is built on more than {PLAN_DEPTH_MAX} layers")));
    }
    if *nodes > PLAN_NODES_MAX {
        return Err(too_complex(format!("the view expands to more than {PLAN_NODES_MAX} operators")));
    }
    try_for_each_subquery(plan, |subquery| count_nodes(subquery, depth + 1, nodes))?;
    plan.inputs().into_iter().try_for_each(|input| count_nodes(input, depth + 1, nodes))
}

/// Visits the plans of the SELECTs that stand in this operator's expressions.
fn try_for_each_subquery(
    plan: &LogicalPlan,
    mut visit: impl FnMut(&LogicalPlan) -> std::result::Result<(), Refusal>,
) -> std::result::Result<(), Refusal> {
    let mut result = Ok(());
    let _ = plan.apply_subqueries(|subquery| {
        if result.is_ok() {
            result = subquery.inputs().into_iter().try_for_each(&mut visit);
        }
        Ok(TreeNodeRecursion::Jump)
    });
    result
}

fn too_complex(message: String) -> Refusal {
    Refusal::new("too_complex", message).hint("make one of the views it reads MATERIALIZED")
}

/// For each column of a plan, the size of its expression with all projections below written into it.
fn column_nodes(plan: &LogicalPlan) -> std::result::Result<Vec<usize>, Refusal> {
    try_for_each_subquery(plan, |subquery| column_nodes(subquery).map(|_| ()))?;
    let inputs: Vec<Vec<usize>> =
        plan.inputs().into_iter().map(column_nodes).collect::<std::result::Result<_, _>>()?;
    let input: Vec<usize> = inputs.concat();
    let size = |expr: &Expr| expanded_nodes(expr, plan, &input);
    let sizes = match plan {
        LogicalPlan::Projection(projection) => projection.expr.iter().map(size).collect(),
        LogicalPlan::Aggregate(aggregate) => {
            let arguments = aggregate.aggr_expr.iter().map(size).max().unwrap_or(0);
            check_nodes(arguments)?;
            let keys = aggregate.group_expr.iter().map(size);
            keys.chain(aggregate.aggr_expr.iter().map(|_| 1)).collect()
        }
        LogicalPlan::Filter(filter) => {
            check_nodes(size(&filter.predicate))?;
            input
        }
        LogicalPlan::Union(_) => {
            let columns = plan.schema().fields().len();
            let largest =
                |column| inputs.iter().filter_map(|sizes| sizes.get(column)).copied().max().unwrap_or(1);
            (0..columns).map(largest).collect()
        }
        LogicalPlan::Join(join) => {
            let keys = join.on.iter().flat_map(|(left, right)| [left, right]);
            check_nodes(keys.chain(&join.filter).map(size).max().unwrap_or(0))?;
            input
        }
        _ if input.len() == plan.schema().fields().len() => input,
        _ => vec![1; plan.schema().fields().len()],
    };
    check_nodes(sizes.iter().copied().max().unwrap_or(0))?;
    Ok(sizes)
}

fn expanded_nodes(expr: &Expr, plan: &LogicalPlan, input: &[usize]) -> usize {
    let mut nodes = 0usize;
    let _ = expr.apply(|node| {
        let own = match node {
            Expr::Column(column) => column_index(plan, column).and_then(|index| input.get(index)).copied(),
            _ => None,
        };
        nodes = nodes.saturating_add(own.unwrap_or(1));
        Ok(TreeNodeRecursion::Continue)
    });
    nodes
}

/// The place of a column among all columns of a plan's inputs.
fn column_index(plan: &LogicalPlan, column: &Column) -> Option<usize> {
    let mut passed = 0;
    for input in plan.inputs() {
        if let Some(index) = input.schema().maybe_index_of_column(column) {
            return Some(passed + index);
        }
        passed += input.schema().fields().len();
    }
    None
}

/// Whether an expression has more than [`EXPRESSION_NODES_MAX`] parts.
pub(crate) fn is_too_large(expr: &Expr) -> bool {
    let mut nodes = 0;
    let _ = expr.apply(|_| {
        nodes += 1;
        Ok(if nodes > EXPRESSION_NODES_MAX { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    nodes > EXPRESSION_NODES_MAX
}

/// An expression that has more than [`EXPRESSION_NODES_MAX`] parts.
#[derive(Debug, thiserror::Error)]
#[error("an expression expands to more than {EXPRESSION_NODES_MAX} parts")]
pub(crate) struct ExpressionTooLarge;

impl From<&ExpressionTooLarge> for Refusal {
    fn from(error: &ExpressionTooLarge) -> Refusal {
        too_complex(error.to_string())
    }
}

fn check_nodes(nodes: usize) -> std::result::Result<(), Refusal> {
    if nodes <= EXPRESSION_NODES_MAX {
        return Ok(());
    }
    Err(Refusal::from(&ExpressionTooLarge))
}

/// Refuses expressions that grew too deep while the plan was optimised: whoever evaluates them recurses as deep.
pub(crate) fn check_expression_depth(plan: &LogicalPlan) -> Result<std::result::Result<(), Refusal>> {
    let mut deepest = 0;
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            deepest = deepest.max(depth(expr));
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(if deepest <= 2 * EXPRESSION_DEPTH_MAX {
        Ok(())
    } else {
        Err(too_deep(format!("an expression nests deeper than {}", 2 * EXPRESSION_DEPTH_MAX)))
    })
}

fn depth(expr: &Expr) -> usize {
    let mut deepest = 0;
    let _ = expr.apply_children(|child| {
        deepest = deepest.max(depth(child));
        Ok(TreeNodeRecursion::Continue)
    });
    deepest + 1
}
