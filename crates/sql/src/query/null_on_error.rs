use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, internal_err};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use super::checked_arithmetic::check_expression;
/// Gives a node of a plain view the meaning of views: its expressions are NULL for the rows they fail on.
pub(super) fn null_on_error(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    let names = NamePreserver::new(&node);
    let node = node.map_expressions(|expr| {
        let name = names.save(&expr);
        Ok(expression(expr, &schema)?.update_data(|expr| name.restore(expr)))
    })?;
    // What was never NULL may be now, here or below.
    node.map_data(LogicalPlan::recompute_schema)
}

/// The units in which views evaluate: whole columns, conditions, keys, and arguments of aggregates.
fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Alias(mut alias) => {
            let inner = expression(std::mem::take(&mut *alias.expr), schema)?;
            Ok(inner.update_data(|inner| {
                *alias.expr = inner;
                Expr::Alias(alias)
            }))
        }
        Expr::AggregateFunction(mut call) => {
            let arguments = std::mem::take(&mut call.params.args).into_iter();
            call.params.args =
                arguments.map(|argument| Ok(wrap(argument, schema)?.data)).collect::<Result<_>>()?;
            Ok(Transformed::yes(Expr::AggregateFunction(call)))
        }
        other => wrap(other, schema),
    }
}

fn wrap(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !can_fail(&expr, schema)? {
        return Ok(Transformed::no(expr));
    }
    let columns: BTreeSet<Column> = expr.column_refs().into_iter().cloned().collect();
    if columns.is_empty() {
        return Ok(Transformed::no(expr));
    }
    let function = NullOnError::plan(expr, &columns, schema)?;
    let arguments = columns.into_iter().map(Expr::Column).collect();
    Ok(Transformed::yes(ScalarUDF::new_from_impl(function).call(arguments)))
}

/// Whether an expression can fail on some row. Where it cannot, it stays visible to the planner.
fn can_fail(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    expr.exists(|node| {
        Ok(match node {
            Expr::Column(_)
            | Expr::Literal(..)
            | Expr::Alias(_)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Between(_)
            | Expr::InList(_)
            | Expr::Case(_) => false,
            Expr::Cast(cast) => {
                !(cast.expr.get_type(schema)?.is_integer() && cast.field.data_type().is_floating())
            }
            Expr::BinaryExpr(binary) => match binary.op {
                Operator::And | Operator::Or => false,
                Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq => false,
                op if op.is_numerical_operators() => !node.get_type(schema)?.is_floating(),
                _ => true,
            },
            _ => true,
        })
    })
}

/// An expression as a function of the columns that it reads.
#[derive(Debug)]
struct NullOnError {
    expression: Expr,
    physical: Arc<dyn PhysicalExpr>,
    input: SchemaRef,
    data_type: DataType,
    signature: Signature,
}

impl NullOnError {
    fn plan(expression: Expr, columns: &BTreeSet<Column>, schema: &DFSchema) -> Result<NullOnError> {
        let field = |column: &Column| {
            let (qualifier, field) = schema.qualified_field_from_column(column)?;
            Ok((qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true))))
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let types = fields.iter().map(|(_, field)| field.data_type().clone()).collect();
        let input = DFSchema::new_with_metadata(fields, Default::default())?;
        let checked = check_expression(expression.clone(), &input)?.data;
        let context = PhysicalPlanningContext::default();
        Ok(NullOnError {
            physical: create_physical_expr(&checked, &input, &ExecutionProps::new(), &context)?,
            data_type: expression.get_type(&input)?,
            input: Arc::clone(input.inner()),
            signature: Signature::exact(types, Volatility::Immutable),
            expression,
        })
    }

    fn try_evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let values = self.physical.evaluate(batch)?.into_array(batch.num_rows())?;
        if values.data_type() != &self.data_type {
            return internal_err!("planned as {}, evaluated as {}", self.data_type, values.data_type());
        }
        Ok(values)
    }

    /// Halves a failing batch until the rows that fail stand alone.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(new_null_array(&self.data_type, 0));
        }
        match self.try_evaluate(batch) {
            Ok(values) => Ok(values),
            Err(_) if rows == 1 => Ok(new_null_array(&self.data_type, 1)),
            Err(_) => {
                let half = rows / 2;
                let left = self.evaluate(&batch.slice(0, half))?;
                let right = self.evaluate(&batch.slice(half, rows - half))?;
                Ok(concat(&[&left, &right])?)
            }
        }
    }
}

impl PartialEq for NullOnError {
    fn eq(&self, other: &NullOnError) -> bool {
        self.expression == other.expression && self.input == other.input
    }
}

impl Eq for NullOnError {}

impl Hash for NullOnError {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expression.hash(state);
    }
}

impl ScalarUDFImpl for NullOnError {
    fn name(&self) -> &'static str {
        "null_on_error"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.data_type.clone(), true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = arguments.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<_>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.input), columns)?;
        self.evaluate(&batch).map(ColumnarValue::Array)
    }
}
