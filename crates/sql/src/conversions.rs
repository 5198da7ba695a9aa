//! Conversions between VARCHAR, VARBINARY, UUID and TIME as SQL has them: the planner has other ones, or none.

/// One conversion as a function of the plan.
mod convert;
/// What a text or bytes become beside a UUID or VARBINARY.
mod operands;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, TryCast};
use headwater_types::ColumnType;

pub(crate) use operands::OperandPlanner;

use convert::{Conversion, OnFailure};

/// Puts our conversions in the place of the casts that were written, before types are settled.
pub(crate) fn write_out(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite(plan, |part, schema| operands::settle(explicit(part, schema)?, schema))
}

/// The same for one expression.
pub(crate) fn write_out_in(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let write = |part| operands::settle(explicit(part, schema)?, schema).map(Transformed::yes);
    Ok(expr.transform_up(write)?.data)
}

/// Does the same with the casts that settling the types brought in, and refuses those that would surprise.
pub(crate) fn check_implicit(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite(plan, implicit)
}

/// The same for one expression.
pub(crate) fn check_implicit_in(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    Ok(expr.transform_up(|part| implicit(part, schema).map(Transformed::yes))?.data)
}

fn rewrite(plan: LogicalPlan, change: impl Fn(Expr, &DFSchema) -> Result<Expr>) -> Result<LogicalPlan> {
    let rewrite_node = |node: LogicalPlan| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let changed = expr.transform_up(|part| change(part, &schema).map(Transformed::yes))?;
            Ok(Transformed::yes(name.restore(changed.data)))
        })
    };
    Ok(plan.transform_up_with_subqueries(rewrite_node)?.data)
}

/// A cast that the text of the statement asks for.
pub(crate) fn explicit(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let (argument, to, on_failure) = match &expr {
        Expr::Cast(Cast { expr, field }) => (expr, field.data_type(), OnFailure::Fail),
        Expr::TryCast(TryCast { expr, field }) => (expr, field.data_type(), OnFailure::Null),
        _ => return Ok(expr),
    };
    let Ok(from) = argument.get_type(schema) else { return Ok(expr) };
    let conversion = match (&from, to) {
        (from, to) if from == to || from.is_null() => None,
        (from, to) if is_text(from) && is_uuid(to) => Some(Conversion::TextToUuid),
        (from, to) if is_text(from) && is_time(to) => Some(Conversion::TextToTime),
        (from, DataType::Binary) if is_text(from) => Some(Conversion::TextToBinary),
        (from, to) if is_uuid(from) && is_text(to) => Some(Conversion::UuidToText),
        (from, DataType::Binary) if is_uuid(from) => None,
        (from, to) if is_binary(from) && is_uuid(to) => Some(Conversion::BinaryToUuid),
        (from, to) if is_binary(from) && is_text(to) => Some(Conversion::BinaryToText),
        (from, to) if is_binary(to) && (is_text(from) || is_binary(from)) => None,
        (from, to) if is_time(from) && is_text(to) => Some(Conversion::TimeToText),
        (DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_), to) if is_time(to) => None,
        (from, to) if is_ours(from) || is_ours(to) => return cannot_cast(from, to),
        _ => None,
    };
    Ok(match conversion {
        Some(conversion) => conversion.of(argument.as_ref().clone(), on_failure),
        None => expr,
    })
}

/// A cast that settling the types brought in.
fn implicit(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let Expr::Cast(Cast { expr: argument, field }) = &expr else { return Ok(expr) };
    let (Ok(from), to) = (argument.get_type(schema), field.data_type()) else { return Ok(expr) };
    let conversion = match (&from, to) {
        (from, to) if is_text(from) && is_time(to) => Conversion::TextToTime,
        (from, to) if is_time(from) && is_text(to) => Conversion::TimeToText,
        (from, to) if is_uuid(from) && is_text(to) => Conversion::UuidToText,
        (from, to) if is_binary(from) && is_text(to) => {
            return plan_err!(
                "a VARBINARY stands where the type VARCHAR is expected; write encode(…, 'hex') or CAST"
            );
        }
        _ => return Ok(expr),
    };
    Ok(conversion.of(argument.as_ref().clone(), OnFailure::Fail))
}

fn cannot_cast<T>(from: &DataType, to: &DataType) -> Result<T> {
    let name = |data_type: &DataType| match ColumnType::from_arrow(data_type) {
        Some(known) => known.to_string(),
        None => data_type.to_string(),
    };
    plan_err!("cannot cast {} to {}", name(from), name(to))
}

/// Types whose casts are all listed in [`explicit`].
fn is_ours(data_type: &DataType) -> bool {
    is_uuid(data_type) || is_binary(data_type) || is_time(data_type)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

pub(crate) fn is_uuid(data_type: &DataType) -> bool {
    *data_type == ColumnType::Uuid.arrow()
}

/// Bytes in any of the forms that functions give.
pub(crate) fn is_binary(data_type: &DataType) -> bool {
    match data_type {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        DataType::FixedSizeBinary(_) => !is_uuid(data_type),
        _ => false,
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time64(TimeUnit::Nanosecond))
}
