use datafusion::logical_expr::{Expr, LogicalPlan};

/// An operator of a plan and those that feed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanNode {
    /// What it does: `scan`, `filter`, `project`, `aggregate`, `join`, `union`; another of DataFusion's words in a
    /// plain view.
    pub operator: String,
    /// With what: a relation, a condition, expressions.
    pub detail: String,
    /// Where its rows come from.
    pub inputs: Vec<PlanNode>,
}

/// The operators of a plan, as a tree that can be shown.
#[must_use]
pub fn explain(plan: &LogicalPlan) -> PlanNode {
    let (operator, detail) = match plan {
        // Names for the same rows do nothing by themselves.
        LogicalPlan::SubqueryAlias(alias) => return explain(&alias.input),
        LogicalPlan::TableScan(scan) => ("scan", scan.table_name.table().to_owned()),
        LogicalPlan::Filter(filter) => ("filter", filter.predicate.to_string()),
        LogicalPlan::Projection(projection) => ("project", listed(&projection.expr)),
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
            ("aggregate", listed(&aggregate.aggr_expr))
        }
        LogicalPlan::Aggregate(aggregate) => {
            let (values, groups) = (listed(&aggregate.aggr_expr), listed(&aggregate.group_expr));
            ("aggregate", format!("{values} by {groups}").trim_start().to_owned())
        }
        LogicalPlan::Join(join) => {
            let on = join.on.iter().map(|(left, right)| format!("{left} = {right}"));
            let conditions = on.chain(join.filter.iter().map(ToString::to_string)).collect::<Vec<_>>();
            ("join", format!("{} on {}", join.join_type.to_string().to_lowercase(), conditions.join(" and ")))
        }
        LogicalPlan::Union(_) => ("union", String::new()),
        other => {
            let shown = other.display().to_string();
            let (name, detail) = shown.split_once([':', ' ']).unwrap_or((&shown, ""));
            return PlanNode {
                operator: name.to_lowercase(),
                detail: detail.trim().to_owned(),
                inputs: other.inputs().into_iter().map(explain).collect(),
            };
        }
    };
    let inputs = plan.inputs().into_iter().map(explain).collect();
    PlanNode { operator: operator.to_owned(), detail, inputs }
}

fn listed(expressions: &[Expr]) -> String {
    expressions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
