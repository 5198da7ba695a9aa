use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::Stream;

/// Whether the query must end.
#[derive(Clone, Debug)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(DataFusionError::Execution("the query was stopped".to_owned()));
        }
        Ok(())
    }
}

/// Flags are equal only if they are the same flag.
impl PartialEq for Stop {
    fn eq(&self, other: &Stop) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Stop {}

impl Hash for Stop {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Arc::as_ptr(&self.0).hash(hasher);
    }
}

/// Makes the condition of every join look at the flag.
///
/// A join tries pairs of rows for as long as none of them passes its condition, and gives out no batch meanwhile, so
/// that [`guard_operators`] alone would come too late.
pub(super) fn guard_join_conditions(plan: LogicalPlan, stop: &Arc<AtomicBool>) -> Result<LogicalPlan> {
    let function = Arc::new(ScalarUDF::new_from_impl(Condition {
        stop: Stop(Arc::clone(stop)),
        signature: Signature::exact(vec![DataType::Boolean], Volatility::Volatile),
    }));
    let guard = |node: LogicalPlan| match node {
        LogicalPlan::Join(mut join) => match join.filter.take() {
            Some(condition) => {
                join.filter = Some(function.call(vec![condition]));
                Ok(Transformed::yes(LogicalPlan::Join(join)))
            }
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    };
    Ok(plan.transform_up_with_subqueries(guard)?.data)
}

/// A condition as it is, unless the query must end.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Condition {
    stop: Stop,
    signature: Signature,
}

impl ScalarUDFImpl for Condition {
    fn name(&self) -> &'static str {
        "unless_stopped"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn is_nullable(&self, _arguments: &[Expr], _schema: &dyn datafusion::common::ExprSchema) -> bool {
        true
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.stop.check()?;
        Ok(arguments.args.swap_remove(0))
    }
}

/// Makes every operator look at the flag before each batch.
pub(super) fn guard_operators(
    plan: Arc<dyn ExecutionPlan>,
    stop: &Arc<AtomicBool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let guard = |input| {
        Ok(Transformed::yes(
            Arc::new(GuardExec { input, stop: Stop(Arc::clone(stop)) }) as Arc<dyn ExecutionPlan>
        ))
    };
    Ok(plan.transform_up(guard)?.data)
}

/// Its input's batches, until the query must end.
#[derive(Debug)]
struct GuardExec {
    input: Arc<dyn ExecutionPlan>,
    stop: Stop,
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardExec")
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &'static str {
        "GuardExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(GuardExec { input: children.swap_remove(0), stop: self.stop.clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(GuardStream { input, stop: self.stop.clone() }))
    }
}

struct GuardStream {
    input: SendableRecordBatchStream,
    stop: Stop,
}

impl Stream for GuardStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        if let Err(error) = self.stop.check() {
            return Poll::Ready(Some(Err(error)));
        }
        self.input.as_mut().poll_next(context)
    }
}

impl RecordBatchStream for GuardStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
