use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use headwater_types::Scan;

use crate::bounds::BATCH_ROWS;
use crate::catalog::nullable;

/// A relation's rows as a table.
///
/// Its columns may all be NULL, as in compiled views, so that a view's plan fits it.
#[derive(Debug)]
pub(super) struct RelationTable {
    rows: Arc<dyn Scan>,
    schema: SchemaRef,
}

impl RelationTable {
    pub(super) fn new(rows: Arc<dyn Scan>) -> RelationTable {
        let schema = nullable(&rows.schema());
        RelationTable { rows, schema }
    }
}

#[async_trait]
impl TableProvider for RelationTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(ScanExec::new(Arc::clone(&self.rows), &self.schema, projection.cloned())?))
    }
}

/// Reads a relation segment by segment; a segment is touched only when the operators above ask for it.
#[derive(Debug)]
struct ScanExec {
    rows: Arc<dyn Scan>,
    projection: Option<Vec<usize>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    fn new(rows: Arc<dyn Scan>, schema: &SchemaRef, projection: Option<Vec<usize>>) -> Result<ScanExec> {
        let schema = match &projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => Arc::clone(schema),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(ScanExec { rows, projection, schema, properties: Arc::new(properties) })
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec: rows={}", self.rows.num_rows())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batches = Batches {
            rows: Arc::clone(&self.rows),
            projection: self.projection.clone(),
            schema: Arc::clone(&self.schema),
            next_segment: 0,
            current: None,
        };
        let stream = futures::stream::iter(batches);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Exact(self.rows.num_rows());
        Ok(Arc::new(statistics))
    }
}

/// The rows of a relation in pieces of at most [`BATCH_ROWS`].
struct Batches {
    rows: Arc<dyn Scan>,
    projection: Option<Vec<usize>>,
    schema: SchemaRef,
    next_segment: usize,
    /// A segment and how many of its rows have been given out.
    current: Option<(RecordBatch, usize)>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        loop {
            if let Some((segment, given)) = &mut self.current {
                let rows = (segment.num_rows() - *given).min(BATCH_ROWS);
                if rows > 0 {
                    let piece = segment.slice(*given, rows);
                    *given += rows;
                    return Some(self.with_schema(&piece));
                }
            }
            if self.next_segment >= self.rows.num_segments() {
                return None;
            }
            let segment = self.rows.segment(self.next_segment, self.projection.as_deref());
            self.next_segment += 1;
            self.current = Some((segment, 0));
        }
    }
}

impl Batches {
    fn with_schema(&self, piece: &RecordBatch) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(piece.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), piece.columns().to_vec(), &options)
            .map_err(DataFusionError::from)
    }
}
