use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

const MICROS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
const NANOS: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

/// Reads a text that is compared with a TIMESTAMP in microseconds, where it has no finer digits.
///
/// The planner would compare both in nanoseconds, which no time after 2262 has.
pub(crate) fn read(plan: LogicalPlan) -> Result<LogicalPlan> {
    let read_node = |node: LogicalPlan| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let read = expr.transform_up(|part| read_comparison(part, &schema))?;
            Ok(Transformed::new_transformed(name.restore(read.data), read.transformed))
        })
    };
    Ok(plan.transform_up_with_subqueries(read_node)?.data)
}

fn read_comparison(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_time = |expr: &Expr| expr.get_type(schema).is_ok_and(|data_type| data_type == MICROS);
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
            let (left_is_time, right_is_time) = (is_time(&left), is_time(&right));
            let left = if right_is_time { in_micros(*left) } else { *left };
            let right = if left_is_time { in_micros(*right) } else { *right };
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        Expr::Between(between) if is_time(&between.expr) => {
            let (low, high) = (in_micros(*between.low), in_micros(*between.high));
            Transformed::yes(Expr::Between(Between::new(
                between.expr,
                between.negated,
                Box::new(low),
                Box::new(high),
            )))
        }
        Expr::InList(mut list) if is_time(&list.expr) => {
            list.list = list.list.into_iter().map(in_micros).collect();
            Transformed::yes(Expr::InList(list))
        }
        other => Transformed::no(other),
    })
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The text's time, or the expression as it is.
fn in_micros(expr: Expr) -> Expr {
    let Expr::Literal(text @ ScalarValue::Utf8(Some(_)), _) = &expr else { return expr };
    let Ok(micros) = text.cast_to(&MICROS) else { return expr };
    let is_exact = match text.cast_to(&NANOS) {
        Ok(nanos) => micros.cast_to(&NANOS).is_ok_and(|same| same == nanos),
        Err(_) => true,
    };
    if is_exact { Expr::Literal(micros, None) } else { expr }
}
