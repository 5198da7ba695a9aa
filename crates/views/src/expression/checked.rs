//! Physical expressions that fail where DataFusion's wrap around or leave their type's range.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::kernels::numeric::neg;
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, NegativeExpr};

/// The same expression, with arithmetic that fails instead of wrapping.
pub(crate) fn checked(expression: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    let rewritten = expression.transform_up(|node| {
        if let Some(negative) = node.downcast_ref::<NegativeExpr>() {
            return Ok(Transformed::yes(Arc::new(Checked::negation(negative.arg().clone())) as _));
        }
        let Some(binary) = node.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(node)) };
        if !is_arithmetic(*binary.op()) {
            return Ok(Transformed::no(node));
        }
        let failing = BinaryExpr::new(binary.left().clone(), *binary.op(), binary.right().clone())
            .with_fail_on_overflow(true);
        let failing: Arc<dyn PhysicalExpr> = Arc::new(failing);
        Ok(Transformed::yes(match failing.data_type(schema)? {
            DataType::Decimal128(precision, _) => Arc::new(Checked::precision(failing, precision)) as _,
            _ => failing,
        }))
    })?;
    Ok(rewritten.data)
}

fn is_arithmetic(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
    )
}

/// What is checked beyond the argument's own evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Check {
    /// The argument is negated; its least integer has no negation.
    Negation,
    /// The argument, a decimal, has at most this many digits. Arrow's kernels only fail beyond 128 bits.
    Precision(u8),
}

/// One checked step on top of an argument.
#[derive(Debug, Eq)]
struct Checked {
    argument: Arc<dyn PhysicalExpr>,
    check: Check,
}

impl Checked {
    fn negation(argument: Arc<dyn PhysicalExpr>) -> Checked {
        Checked { argument, check: Check::Negation }
    }

    fn precision(argument: Arc<dyn PhysicalExpr>, digits: u8) -> Checked {
        Checked { argument, check: Check::Precision(digits) }
    }
}

impl PartialEq for Checked {
    fn eq(&self, other: &Checked) -> bool {
        self.check == other.check && self.argument.eq(&other.argument)
    }
}

impl Hash for Checked {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.check.hash(state);
        self.argument.hash(state);
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check {
            Check::Negation => write!(f, "(- {})", self.argument),
            Check::Precision(_) => self.argument.fmt(f),
        }
    }
}

impl PhysicalExpr for Checked {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.argument.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let value = self.argument.evaluate(batch)?;
        match (self.check, value) {
            (Check::Negation, ColumnarValue::Array(array)) => Ok(ColumnarValue::Array(neg(&array)?)),
            (Check::Negation, ColumnarValue::Scalar(scalar)) => {
                Ok(ColumnarValue::Scalar(scalar.arithmetic_negate()?))
            }
            (Check::Precision(digits), value) => {
                let array = value.to_array(1)?;
                validate_precision(&array, digits)?;
                Ok(value)
            }
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.argument]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let argument = children
            .pop()
            .ok_or_else(|| DataFusionError::Internal("a checked expression has one argument".into()))?;
        Ok(Arc::new(Checked { argument, check: self.check }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.check == Check::Negation {
            f.write_str("- ")?;
        }
        self.argument.fmt_sql(f)
    }
}

/// Fails when a decimal has more than `digits` digits.
pub(crate) fn validate_precision(array: &dyn Array, digits: u8) -> Result<()> {
    if let Some(decimals) = array.as_primitive_opt::<Decimal128Type>() {
        decimals.validate_decimal_precision(digits)?;
    }
    Ok(())
}
