use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::util::display::FormatOptions;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use headwater_types::ColumnType;

use super::plan::{PlannedQuery, run_error};
use super::{QueryError, QueryOptions, QueryResult};

/// Runs a query to its end, or to the bound that it breaks.
pub(super) async fn collect(
    planned: PlannedQuery,
    options: &QueryOptions,
) -> Result<QueryResult, QueryError> {
    let failed = |error: DataFusionError| run_error(&error, options);
    let schema = answer_schema(&planned.plan.schema())?;
    let mut stream = execute_stream(planned.plan, planned.context).map_err(failed)?;
    let (mut rows, mut bytes) = (0usize, 0usize);
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        rows += batch.num_rows();
        if rows > options.rows_max {
            return Err(QueryError::TooManyRows { rows_max: options.rows_max });
        }
        let batch = convert(&batch, &schema).map_err(|error| failed(error.into()))?;
        bytes = bytes.saturating_add(batch_bytes(&batch));
        if bytes > options.bytes_max {
            return Err(QueryError::TooManyBytes { bytes_max: options.bytes_max });
        }
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok(QueryResult { schema, batches })
}

/// What the rows of a batch take, not the larger arrays that they may be a slice of.
fn batch_bytes(batch: &RecordBatch) -> usize {
    let size = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0);
    batch.columns().iter().map(size).sum()
}

/// The schema of the answer: each column as the nearest column type.
fn answer_schema(schema: &Schema) -> Result<SchemaRef, QueryError> {
    let field = |field: &Arc<Field>| match answer_type(field.data_type()) {
        Some(data_type) => Ok(Field::new(field.name(), data_type, true)),
        None => Err(QueryError::Failed(format!(
            "the column {:?} is a {}, which an answer cannot hold; convert it with CAST or take it apart",
            field.name(),
            field.data_type()
        ))),
    };
    Ok(Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Result<Vec<_>, _>>()?)))
}

fn answer_type(data_type: &DataType) -> Option<DataType> {
    if ColumnType::from_arrow(data_type).is_some() {
        return Some(data_type.clone());
    }
    Some(match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Timestamp(_, _) | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Null
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Interval(_)
        | DataType::Duration(_)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::Dictionary(_, values) => answer_type(values)?,
        _ => return None,
    })
}

fn convert(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    let convert = |(column, field): (&ArrayRef, &Arc<Field>)| {
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        cast_with_options(column, field.data_type(), &options)
    };
    let columns = batch.columns().iter().zip(schema.fields()).map(convert).collect::<Result<Vec<_>, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}
