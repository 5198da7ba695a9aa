use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use super::computed::is_computed;

/// Merges each projection that only renames into the projection it reads, unless that would compute a column twice.
pub(super) fn merge_renames(plan: LogicalPlan) -> Result<LogicalPlan> {
    let merge_node = |node: LogicalPlan| match node {
        LogicalPlan::Projection(outer) => {
            let LogicalPlan::Projection(inner) = outer.input.as_ref() else {
                return Ok(Transformed::no(LogicalPlan::Projection(outer)));
            };
            match merged(&outer, inner)? {
                Some(exprs) => {
                    let merged =
                        Projection::try_new_with_schema(exprs, Arc::clone(&inner.input), outer.schema)?;
                    Ok(Transformed::yes(LogicalPlan::Projection(merged)))
                }
                None => Ok(Transformed::no(LogicalPlan::Projection(outer))),
            }
        }
        other => Ok(Transformed::no(other)),
    };
    Ok(plan.transform_up(merge_node)?.data)
}

/// The outer projection's expressions over the inner one's input.
fn merged(outer: &Projection, inner: &Projection) -> Result<Option<Vec<Expr>>> {
    let mut read = vec![false; inner.expr.len()];
    let mut exprs = Vec::with_capacity(outer.expr.len());
    for (expr, (qualifier, field)) in outer.expr.iter().zip(outer.schema.iter()) {
        let column = match expr.clone().unalias_nested().data {
            Expr::Column(column) => column,
            Expr::Literal(..) => {
                exprs.push(expr.clone());
                continue;
            }
            _ => return Ok(None),
        };
        let index = inner.schema.index_of_column(&column)?;
        let source = &inner.expr[index];
        if is_computed(source) && std::mem::replace(&mut read[index], true) {
            return Ok(None);
        }
        let (source_qualifier, source_name) = source.qualified_name();
        exprs.push(if source_qualifier.as_ref() == qualifier && source_name == *field.name() {
            source.clone()
        } else {
            source.clone().unalias().alias_qualified(qualifier.cloned(), field.name())
        });
    }
    Ok(Some(exprs))
}
