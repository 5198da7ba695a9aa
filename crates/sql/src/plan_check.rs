//! The last gate: what a circuit is built from. Syntax was refused before with better words; whatever a rewrite or an
//! overlooked construct brings in ends here.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, Join, LogicalPlan};
use headwater_types::ColumnType;

use crate::functions::{self, VIEW_AGGREGATES};
use crate::locate::Locator;
use crate::source::Refusal;

/// Refuses a plan that a circuit does not support.
pub(crate) fn check(plan: &LogicalPlan, locator: Locator<'_>) -> Result<(), Refusal> {
    check_node(plan, locator)?;
    let mut refused = Ok(());
    let _ = plan.apply_expressions(|expr| {
        let _ = expr.apply(|part| {
            if refused.is_ok() {
                refused = check_expression(part, locator);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        Ok(TreeNodeRecursion::Continue)
    });
    refused?;
    plan.inputs().into_iter().try_for_each(|input| check(input, locator))
}

fn check_node(plan: &LogicalPlan, locator: Locator<'_>) -> Result<(), Refusal> {
    match plan {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Union(_) => Ok(()),
        LogicalPlan::TableScan(scan) if scan.filters.is_empty() && scan.fetch.is_none() => Ok(()),
        LogicalPlan::Join(join) => check_join(join, locator),
        LogicalPlan::Aggregate(aggregate) => check_aggregate(aggregate, locator),
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => {
            let refusal = Refusal::unsupported(
                "a view without a table never changes",
                "read from a table or view, or write the constants where they are used",
            );
            Err(refusal.at_place(locator.keyword(&["select", "values"])))
        }
        other => {
            let name = other.display().to_string();
            let name = name.split(':').next().unwrap_or_default().to_lowercase();
            Err(Refusal::unsupported(
                format!("{name} is not supported in a view"),
                "use it in a query instead",
            )
            .at_place(locator.start()))
        }
    }
}

fn check_join(join: &Join, locator: Locator<'_>) -> Result<(), Refusal> {
    let place = locator.keyword(&["join"]).or_else(|| locator.keyword(&["from"]));
    if join.join_type != JoinType::Inner || join.null_equality != NullEquality::NullEqualsNothing {
        let refusal =
            Refusal::unsupported("only inner joins are supported in a view", "use it in a query instead");
        return Err(refusal.at_place(place));
    }
    if join.on.is_empty() {
        let refusal = Refusal::unsupported(
            "a join in a view needs an equality between its two sides",
            "join with ON a.x = b.y; without an equality every row would meet every other",
        );
        return Err(refusal.at_place(place));
    }
    Ok(())
}

fn check_aggregate(aggregate: &Aggregate, locator: Locator<'_>) -> Result<(), Refusal> {
    let schema = aggregate.input.schema();
    for expr in &aggregate.aggr_expr {
        let Expr::AggregateFunction(call) = unalias(expr) else { continue };
        let name = call.func.name();
        let params = &call.params;
        let plain = !params.distinct && params.filter.is_none() && params.order_by.is_empty();
        let place = locator.keyword(&[name]);
        if !VIEW_AGGREGATES.contains(&name) || !plain || params.null_treatment.is_some() {
            let message = format!("this use of {name} is not supported in a view");
            return Err(Refusal::unsupported(message, "use COUNT, SUM, AVG, MIN or MAX").at_place(place));
        }
        let column_type = call
            .params
            .args
            .first()
            .and_then(|argument| argument.get_type(schema.as_ref()).ok())
            .map(|data_type| (ColumnType::from_arrow(&data_type), data_type));
        match (name, column_type) {
            ("count", _) => {}
            ("sum" | "avg", Some((Some(known), _))) if is_number(known) => {}
            ("min" | "max", Some((Some(_), _))) if params.args.len() == 1 => {}
            (_, found) => {
                let found =
                    found.map_or_else(|| "nothing".to_owned(), |(_, data_type)| data_type.to_string());
                let refusal = Refusal::new("type_mismatch", format!("{name} does not take {found}"));
                return Err(refusal.hint("convert the argument with CAST").at_place(place));
            }
        }
    }
    Ok(())
}

fn is_number(column_type: ColumnType) -> bool {
    !matches!(
        column_type,
        ColumnType::Boolean
            | ColumnType::Varchar
            | ColumnType::Varbinary
            | ColumnType::Uuid
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::TimestampNanos
    )
}

fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

fn check_expression(expr: &Expr, locator: Locator<'_>) -> Result<(), Refusal> {
    match expr {
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
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
        | Expr::AggregateFunction(_)
        | Expr::InList(_) => Ok(()),
        Expr::ScalarFunction(call) if functions::is_deterministic(&call.func) => Ok(()),
        Expr::ScalarFunction(call) => {
            Err(not_deterministic(call.func.name()).at_place(locator.keyword(&[call.func.name()])))
        }
        other => {
            let message = format!("{} is not supported in a view", other.variant_name());
            Err(Refusal::unsupported(message, "use it in a query instead").at_place(locator.start()))
        }
    }
}

/// A function whose value is not told by its arguments.
pub(crate) fn not_deterministic(name: &str) -> Refusal {
    let message = format!("{name}() is not allowed here: it gives a different value each time");
    Refusal::new("not_deterministic", message).hint("call it in a query, or push its value in a column")
}

/// Whether a plan needs state: the rows it gives depend on more than one row.
pub(crate) fn is_stateful(plan: &LogicalPlan) -> bool {
    let own = matches!(plan, LogicalPlan::Join(_) | LogicalPlan::Aggregate(_));
    own || plan.inputs().into_iter().any(is_stateful)
}
