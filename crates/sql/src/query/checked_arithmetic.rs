use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use arrow::error::ArrowError;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, exec_datafusion_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;

/// Makes the arithmetic of a plan fail where it would wrap.
///
/// Comes after every rule that knows arithmetic by its operators.
pub(super) fn check_plan(plan: LogicalPlan) -> Result<LogicalPlan> {
    let check = |node: LogicalPlan| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(check_expression(expr, &schema)?.update_data(|expr| name.restore(expr)))
        })
    };
    Ok(plan.transform_up_with_subqueries(check)?.data)
}

/// Makes the arithmetic of an expression fail where it would wrap.
pub(super) fn check_expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expr.transform_up(|node| match node {
        Expr::Negative(ref argument) if can_wrap(&argument.get_type(schema)?) => {
            let Expr::Negative(argument) = node else { return Ok(Transformed::no(node)) };
            Ok(Transformed::yes(call(Arithmetic::Negate, vec![*argument])))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let arithmetic = match op {
                Operator::Plus => Some(Arithmetic::Add),
                Operator::Minus => Some(Arithmetic::Subtract),
                Operator::Multiply => Some(Arithmetic::Multiply),
                _ => None,
            };
            match arithmetic {
                Some(arithmetic)
                    if can_wrap(&left.get_type(schema)?) && can_wrap(&right.get_type(schema)?) =>
                {
                    Ok(Transformed::yes(call(arithmetic, vec![*left, *right])))
                }
                _ => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            }
        }
        other => Ok(Transformed::no(other)),
    })
}

fn can_wrap(data_type: &DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Decimal128(..))
}

fn call(arithmetic: Arithmetic, arguments: Vec<Expr>) -> Expr {
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    ScalarUDF::new_from_impl(CheckedArithmetic { arithmetic, signature }).call(arguments)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Negate,
}

impl Arithmetic {
    fn operator(self) -> Operator {
        match self {
            Arithmetic::Add => Operator::Plus,
            Arithmetic::Subtract | Arithmetic::Negate => Operator::Minus,
            Arithmetic::Multiply => Operator::Multiply,
        }
    }

    fn kernel(self) -> fn(&dyn Datum, &dyn Datum) -> std::result::Result<ArrayRef, ArrowError> {
        match self {
            Arithmetic::Add => numeric::add,
            Arithmetic::Subtract => numeric::sub,
            Arithmetic::Multiply => numeric::mul,
            Arithmetic::Negate => |value, _| numeric::neg(value.get().0),
        }
    }
}

/// An operator on integers or decimals that fails instead of wrapping or leaving the range of its type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedArithmetic {
    arithmetic: Arithmetic,
    signature: Signature,
}

impl ScalarUDFImpl for CheckedArithmetic {
    fn name(&self) -> &'static str {
        match self.arithmetic {
            Arithmetic::Add => "checked_add",
            Arithmetic::Subtract => "checked_subtract",
            Arithmetic::Multiply => "checked_multiply",
            Arithmetic::Negate => "checked_negate",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [left, right] => {
                BinaryTypeCoercer::new(left, &self.arithmetic.operator(), right).get_result_type()
            }
            _ => Ok(arguments[0].clone()),
        }
    }

    /// A value can be NULL exactly where the operator's can, since plans compare their schemas.
    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> =
            arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = arguments.return_type();
        let overflows = |error: DataFusionError| overflow(&error, result).unwrap_or(error);
        let (left, right) = match arguments.args.as_slice() {
            [left, right] => (left, right),
            _ => (&arguments.args[0], &arguments.args[0]),
        };
        let value = apply(left, right, self.arithmetic.kernel()).map_err(overflows)?;
        if let DataType::Decimal128(precision, _) = result {
            check_precision(&value.to_array(1)?, *precision)
                .map_err(|_| exec_datafusion_err!("a value overflows {result}"))?;
        }
        Ok(value)
    }
}

/// Arrow's kernels only fail beyond 128 bits.
fn check_precision(values: &dyn Array, precision: u8) -> std::result::Result<(), ArrowError> {
    match values.as_primitive_opt::<Decimal128Type>() {
        Some(decimals) => decimals.validate_decimal_precision(precision),
        None => Ok(()),
    }
}

/// The kernel's error in words that name the type.
fn overflow(error: &DataFusionError, result: &DataType) -> Option<DataFusionError> {
    let DataFusionError::ArrowError(error, _) = error.find_root() else { return None };
    let ArrowError::ArithmeticOverflow(text) = error.as_ref() else { return None };
    let operation = text.strip_prefix("Overflow happened on: ").unwrap_or("a value");
    Some(exec_datafusion_err!("{operation} overflows {result}"))
}
