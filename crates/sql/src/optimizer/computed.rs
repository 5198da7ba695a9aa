use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

/// Whether an expression computes something, and so may fail: it is more than a column or a literal under names.
pub(super) fn is_computed(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_computed(&alias.expr),
        Expr::Column(_) | Expr::Literal(..) => false,
        _ => true,
    }
}

/// Puts each computed column of a projection into a call that conditions are not moved into.
///
/// A computed column that fails is NULL in itself; written out in a condition, its failure would be the condition's.
pub(super) fn seal(plan: LogicalPlan) -> Result<LogicalPlan> {
    let function =
        Arc::new(ScalarUDF::new_from_impl(Sealed { signature: Signature::any(1, Volatility::Volatile) }));
    let seal_node = |node: LogicalPlan| match node {
        LogicalPlan::Projection(projection) if projection.expr.iter().any(is_computed) => {
            let exprs = projection.expr.into_iter().map(|expr| seal_expr(expr, &function)).collect();
            let sealed = Projection::try_new_with_schema(exprs, projection.input, projection.schema)?;
            Ok(Transformed::yes(LogicalPlan::Projection(sealed)))
        }
        other => Ok(Transformed::no(other)),
    };
    Ok(plan.transform_up(seal_node)?.data)
}

fn seal_expr(expr: Expr, function: &Arc<ScalarUDF>) -> Expr {
    if !is_computed(&expr) {
        return expr;
    }
    let name = NamePreserver::new_for_projection().save(&expr);
    let call = ScalarFunction::new_udf(Arc::clone(function), vec![expr.unalias()]);
    name.restore(Expr::ScalarFunction(call))
}

/// Takes the calls out again.
pub(super) fn unseal(plan: LogicalPlan) -> Result<LogicalPlan> {
    let unseal_node = |node: LogicalPlan| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let unsealed = expr.transform_up(unseal_expr)?;
            Ok(unsealed.update_data(|expr| name.restore(expr)))
        })
    };
    Ok(plan.transform_up(unseal_node)?.data)
}

fn unseal_expr(expr: Expr) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::ScalarFunction(mut call) if call.func.name() == NAME && call.args.len() == 1 => {
            Transformed::yes(call.args.remove(0))
        }
        // The name that a sealed expression was given, though it had it by itself.
        Expr::Alias(alias)
            if alias.relation.is_none()
                && is_computed(&alias.expr)
                && alias.expr.schema_name().to_string() == alias.name =>
        {
            Transformed::yes(*alias.expr)
        }
        other => Transformed::no(other),
    })
}

/// No name that a text can call: it is in no registry.
const NAME: &str = "hw_sealed";

/// A function of one value that gives the value. It calls itself volatile, which keeps it where it is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sealed {
    signature: Signature,
}

impl ScalarUDFImpl for Sealed {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [argument] => Ok(argument.clone()),
            _ => internal_err!("{NAME} takes one value"),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match arguments.arg_fields {
            [argument] => Ok(Arc::clone(argument)),
            _ => internal_err!("{NAME} takes one value"),
        }
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{NAME} is taken out before a plan is run")
    }
}
