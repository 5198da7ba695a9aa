use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, Operator};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::convert::{Conversion, OnFailure};
use super::{is_binary, is_text, is_time, is_uuid};
use crate::functions::bytes;

/// Gives the operands of an operator one type where the planner would find none, calls of functions with a syntax of
/// their own the functions that also take bytes, and arguments of aggregates names that tell them apart.
#[derive(Debug)]
pub(crate) struct OperandPlanner;

impl ExprPlanner for OperandPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, StringConcat};
        let RawBinaryExpr { op, left, right } = expr;
        let (left, right) = match op {
            Eq | NotEq | Lt | LtEq | Gt | GtEq => compared(left, right, schema),
            StringConcat => joined(left, right, schema),
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }

    /// The planner leaves casts and parentheses out of names, and takes only one of `MAX(v)` and `MAX(CAST(v AS BIGINT))`.
    fn plan_aggregate(&self, call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        let named = |argument: Expr| {
            let (name, exact) = (argument.schema_name().to_string(), argument.to_string());
            let is_named = matches!(argument, Expr::Column(_) | Expr::Literal(..) | Expr::Alias(_));
            if !is_named && name != exact { argument.alias(exact) } else { argument }
        };
        let args = call.args.into_iter().map(named).collect();
        Ok(PlannerResult::Original(RawAggregateExpr { args, ..call }))
    }

    fn plan_substring(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(bytes::call("substr", arguments)))
    }

    fn plan_position(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(bytes::call("strpos", arguments)))
    }
}

/// Comparisons that are written without an operator's sign.
pub(super) fn settle(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
            let (left, right) = compared(*left, *right, schema);
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let (_, low) = compared(expr.as_ref().clone(), *low, schema);
            let (_, high) = compared(expr.as_ref().clone(), *high, schema);
            Expr::Between(Between::new(expr, negated, Box::new(low), Box::new(high)))
        }
        Expr::InList(mut list) => {
            let member = |member| compared(list.expr.as_ref().clone(), member, schema).1;
            list.list = std::mem::take(&mut list.list).into_iter().map(member).collect();
            Expr::InList(list)
        }
        other => other,
    })
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// What is compared with a UUID is one; a text that is compared with bytes is bytes.
fn compared(left: Expr, right: Expr, schema: &DFSchema) -> (Expr, Expr) {
    let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else {
        return (left, right);
    };
    let left_to = counterpart(&left_type, &right_type);
    let right_to = counterpart(&right_type, &left_type);
    (convert(left, left_to), convert(right, right_to))
}

fn counterpart(own: &DataType, other: &DataType) -> Option<Conversion> {
    if is_uuid(other) {
        return is_text(own)
            .then_some(Conversion::TextToUuid)
            .or(is_binary(own).then_some(Conversion::BinaryToUuid));
    }
    (is_binary(other) && is_text(own)).then_some(Conversion::TextToBinary)
}

/// What is joined to a text is one.
fn joined(left: Expr, right: Expr, schema: &DFSchema) -> (Expr, Expr) {
    let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else {
        return (left, right);
    };
    let text_of = |own: &DataType, other: &DataType| match own {
        _ if !is_text(other) => None,
        own if is_uuid(own) => Some(Conversion::UuidToText),
        own if is_time(own) => Some(Conversion::TimeToText),
        _ => None,
    };
    let (left_to, right_to) = (text_of(&left_type, &right_type), text_of(&right_type, &left_type));
    (convert(left, left_to), convert(right, right_to))
}

fn convert(expr: Expr, conversion: Option<Conversion>) -> Expr {
    match conversion {
        Some(conversion) => conversion.of(expr, OnFailure::Fail),
        None => expr,
    }
}
