use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_conjunction_owned};
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, Filter, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::sql::unparser::expr_to_sql;

use crate::complexity::{self, ExpressionTooLarge};
use crate::conversions;
use crate::functions;

/// A constant expression that fails.
#[derive(Debug, thiserror::Error)]
#[error("the constant expression {expression} fails: {reason}")]
pub(crate) struct ConstantFails {
    pub(crate) expression: String,
    pub(crate) reason: String,
}

/// Whether an error says that a constant expression fails.
pub(crate) fn is_constant_failure(error: &DataFusionError) -> bool {
    crate::plan_error::find_cause::<ConstantFails>(error).is_some()
}

/// Replaces constant parts of expressions by their values, and removes conditions that are TRUE.
///
/// It rewrites nothing else: no algebra on columns, so an expression fails on exactly the rows it failed on before.
/// A constant part that fails is an error, since it would fail on every row.
#[derive(Debug, Default)]
pub(crate) struct FoldConstants;

impl OptimizerRule for FoldConstants {
    fn name(&self) -> &str {
        "fold_constants"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let schema = Arc::new(merge_schema(&plan.inputs()));
        let options = config.options();
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let folded = fold(expr, &schema, &options)?;
            Ok(Transformed::new_transformed(name.restore(folded.data), folded.transformed))
        })?;
        plan.transform_data(remove_true_conditions)
    }
}

/// The value of an expression without columns, computed once.
pub(crate) fn evaluate(expr: Expr, options: &Arc<ConfigOptions>) -> Result<ScalarValue> {
    let schema = Arc::new(DFSchema::empty());
    match fold(expr, &schema, options)?.data {
        Expr::Literal(value, _) => Ok(value),
        other => Err(DataFusionError::Plan(format!("{other} is not constant"))),
    }
}

fn fold(expr: Expr, schema: &DFSchemaRef, options: &Arc<ConfigOptions>) -> Result<Transformed<Expr>> {
    // The types of the calls on the way down to here.
    let planned = RefCell::new(Vec::new());
    expr.transform_down_up(
        |expr| {
            if let Expr::ScalarFunction(_) = &expr {
                planned.borrow_mut().push(expr.get_type(schema)?);
            }
            Ok(Transformed::no(expr))
        },
        |expr| {
            let was_call = matches!(expr, Expr::ScalarFunction(_));
            let folded = fold_node(expr, schema, options)?;
            let planned = if was_call { planned.borrow_mut().pop() } else { None };
            match planned {
                Some(planned) if matches!(folded.data, Expr::ScalarFunction(_)) => {
                    keep_type(folded, &planned, schema)
                }
                _ => Ok(folded),
            }
        },
    )
}

/// Folds a node whose inputs were folded before it.
fn fold_node(expr: Expr, schema: &DFSchemaRef, options: &Arc<ConfigOptions>) -> Result<Transformed<Expr>> {
    let expanded = expand_function(expr, schema, options)?;
    if !is_constant(&expanded.data) {
        return Ok(expanded);
    }
    let value = evaluate_strictly(&expanded.data, schema).map_err(|error| {
        let expression = as_written(&expanded.data);
        let reason = crate::plan_error::reason(&error);
        DataFusionError::External(Box::new(ConstantFails { expression, reason }))
    })?;
    Ok(Transformed::yes(Expr::Literal(value, None)))
}

/// Gives a call the type that was planned. A function whose type depends on an argument's value, as that of
/// `round(decimal, digits)` does, may see the value only once the argument is folded.
fn keep_type(call: Transformed<Expr>, planned: &DataType, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if call.data.get_type(schema)? == *planned {
        return Ok(call);
    }
    Ok(Transformed::yes(call.data.cast_to(planned, schema)?))
}

fn as_written(expr: &Expr) -> String {
    let text = expr_to_sql(expr).map_or_else(|_| expr.to_string(), |sql| sql.to_string());
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inner.filter(|_| matches!(expr, Expr::BinaryExpr(_))).map_or(text.clone(), str::to_owned)
}

/// Functions that exist only as a short form of an expression, which must stand in their place.
const SHORT_FORMS: [&str; 7] =
    ["coalesce", "nvl", "nvl2", "arrow_cast", "arrow_try_cast", "cast_to_type", "try_cast_to_type"];

fn expand_function(
    expr: Expr,
    schema: &DFSchemaRef,
    options: &Arc<ConfigOptions>,
) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
    if !SHORT_FORMS.contains(&call.func.name()) {
        return Ok(Transformed::no(Expr::ScalarFunction(call)));
    }
    let info = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(options))
        .build();
    match call.func.simplify(std::mem::take(&mut call.args), &info)? {
        // A short form writes its arguments twice, so nested ones grow without end.
        ExprSimplifyResult::Simplified(expr) if complexity::is_too_large(&expr) => {
            Err(DataFusionError::External(Box::new(ExpressionTooLarge)))
        }
        // Conversions that the short form stands for are ours as well.
        ExprSimplifyResult::Simplified(expr) => Ok(Transformed::yes(conversions::explicit(expr, schema)?)),
        ExprSimplifyResult::Original(args) => {
            call.args = args;
            Ok(Transformed::no(Expr::ScalarFunction(call)))
        }
    }
}

/// Whether this node is computed from literals alone (its inputs were folded before it).
fn is_constant(expr: &Expr) -> bool {
    let foldable = match expr {
        Expr::BinaryExpr(_)
        | Expr::Not(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::InList(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_) => true,
        Expr::ScalarFunction(call) => functions::is_foldable(&call.func),
        _ => false,
    };
    foldable && {
        let mut literals_only = true;
        let _ = expr.apply_children(|child| {
            literals_only &= matches!(child, Expr::Literal(..));
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        });
        literals_only
    }
}

/// Evaluates with arithmetic that fails where it would wrap.
fn evaluate_strictly(expr: &Expr, schema: &DFSchema) -> Result<ScalarValue> {
    let physical =
        create_physical_expr(expr, schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
    let strict = physical.transform_up(|node| {
        let Some(binary) = node.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(node)) };
        if !matches!(binary.op(), Operator::Plus | Operator::Minus | Operator::Multiply) {
            return Ok(Transformed::no(node));
        }
        let strict = binary.clone().with_fail_on_overflow(true);
        Ok(Transformed::yes(Arc::new(strict) as Arc<dyn PhysicalExpr>))
    })?;
    match strict.data.evaluate(&one_row()?)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0),
    }
}

fn one_row() -> Result<RecordBatch> {
    let schema = Arc::new(Schema::new(vec![Field::new("nothing", DataType::Null, true)]));
    Ok(RecordBatch::try_new(schema, vec![Arc::new(NullArray::new(1)) as ArrayRef])?)
}

fn remove_true_conditions(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Filter(filter) = plan else { return Ok(Transformed::no(plan)) };
    let is_true = |expr: &Expr| matches!(expr, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    let conditions = split_conjunction_owned(filter.predicate);
    let count = conditions.len();
    let kept: Vec<Expr> = conditions.into_iter().filter(|condition| !is_true(condition)).collect();
    let changed = kept.len() < count;
    Ok(match conjunction(kept) {
        None => Transformed::yes(Arc::unwrap_or_clone(filter.input)),
        Some(predicate) => {
            let filter = LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?);
            Transformed::new_transformed(filter, changed)
        }
    })
}
