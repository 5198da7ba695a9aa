//! One SELECT, from text to rows.
//!
//! A query gets a thread of its own, because its operators do not yield while they compute. The caller only waits:
//! when time is up or the caller goes away, it raises the stop flag, which every operator and every join condition
//! looks at for each batch of at most [`BATCH_ROWS`](crate::bounds::BATCH_ROWS) rows.

/// A place among the queries that run at once.
mod admission;
/// The answer's rows, counted and brought to column types.
mod answer;
/// Arithmetic that fails instead of wrapping.
mod checked_arithmetic;
/// Operators that look at the stop flag.
mod guard;
/// Expressions of plain views: NULL for the rows they fail on.
mod null_on_error;
/// Text to an executable plan.
mod plan;
/// Rows of a relation as a table that DataFusion scans.
mod scan;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_types::{Name, Scan, TimestampMicros, limits};
use tokio::sync::oneshot;

use crate::big_stack::panic_message;
use crate::bounds::STACK_BYTES;
use crate::diagnostic::Diagnostic;
use crate::program::ViewDefinition;

/// The bounds of one query, and its now.
#[derive(Clone, Copy, Debug)]
pub struct QueryOptions {
    /// The query ends with an error after this time, the wait for a place included.
    pub timeout: Duration,
    /// Memory that its operators may hold.
    pub memory_bytes_max: usize,
    /// Rows of its answer.
    pub rows_max: usize,
    /// Bytes of its answer in memory.
    pub bytes_max: usize,
    /// Whose places it takes: the number of its workspace. No one takes them all.
    pub owner: u64,
    /// What `now()` gives: the workspace clock.
    pub now: TimestampMicros,
    /// Whether functions that exist for tests may be called.
    pub test_hooks: bool,
}

impl Default for QueryOptions {
    fn default() -> QueryOptions {
        QueryOptions {
            timeout: Duration::from_millis(limits::QUERY_TIMEOUT_MS),
            memory_bytes_max: limits::QUERY_MEMORY_BYTES_MAX / limits::QUERIES_RUNNING_MAX,
            rows_max: limits::QUERY_ROWS_MAX,
            bytes_max: limits::QUERY_ANSWER_BYTES_MAX,
            owner: 0,
            now: TimestampMicros::default(),
            test_hooks: false,
        }
    }
}

/// A relation that a query may name.
#[derive(Clone, Debug)]
pub struct QueryRelation {
    /// Its name.
    pub name: Name,
    /// Its rows, or the view that gives them.
    pub source: QuerySource,
}

/// Where the rows of a relation come from.
#[derive(Clone, Debug)]
pub enum QuerySource {
    /// Rows that are kept: a table, a materialised view, a system table.
    Rows(Arc<dyn Scan>),
    /// A plain view. It is expanded in place; the relations that it reads must be among the query's as well.
    View(Arc<ViewDefinition>),
}

/// The answer of a query. Every column has the Arrow type of a column type.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The schema of the rows.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl QueryResult {
    /// The number of rows.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Why a query gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The text was refused.
    #[error("{0}")]
    Refused(Box<Diagnostic>),
    /// Too many queries wait already.
    #[error("too many queries wait; send it again later")]
    Busy,
    /// The query ran longer than it may.
    #[error("the query ran longer than {timeout_ms} ms; ask for less, or filter earlier")]
    Timeout {
        /// The time it had.
        timeout_ms: u64,
    },
    /// The query needed more memory than it may hold.
    #[error("the query needs more than {bytes_max} bytes of memory; join, group or sort fewer rows")]
    Memory {
        /// The memory it had.
        bytes_max: usize,
    },
    /// The answer has too many rows.
    #[error("the answer has more than {rows_max} rows; add LIMIT or a filter")]
    TooManyRows {
        /// The rows it may have.
        rows_max: usize,
    },
    /// The answer has too many bytes.
    #[error("the answer has more than {bytes_max} bytes; select fewer columns or rows")]
    TooManyBytes {
        /// The bytes it may have.
        bytes_max: usize,
    },
    /// An expression failed on some row.
    #[error("the query failed: {0}")]
    Failed(String),
}

/// Runs one SELECT. Dropping the future cancels it.
///
/// Needs a Tokio runtime with time, which it never blocks.
pub async fn query(
    text: &str,
    relations: Vec<QueryRelation>,
    options: QueryOptions,
) -> Result<QueryResult, QueryError> {
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let timed =
        tokio::time::timeout(options.timeout, run(text.to_owned(), relations, options, stop.0.clone()));
    timed.await.unwrap_or_else(|_| {
        let timeout_ms = u64::try_from(options.timeout.as_millis()).unwrap_or(u64::MAX);
        Err(QueryError::Timeout { timeout_ms })
    })
}

/// Raises the stop flag when the caller has its answer, gave up, or went away.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn run(
    text: String,
    relations: Vec<QueryRelation>,
    options: QueryOptions,
    stop: Arc<AtomicBool>,
) -> Result<QueryResult, QueryError> {
    let place = admission::enter(options.owner).await?;
    let (sender, receiver) = oneshot::channel();
    let work = move || {
        let result = catch_unwind(AssertUnwindSafe(|| answer(&text, &relations, &options, &stop)));
        // Rows, plan and memory go before the place is given to the next query.
        drop(relations);
        drop(place);
        let _ = sender
            .send(result.unwrap_or_else(|panic| Err(QueryError::Failed(panic_message(panic.as_ref())))));
    };
    let thread = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).map_err(|error| QueryError::Failed(format!("no thread to run on: {error}")))?;
    receiver
        .await
        .unwrap_or_else(|_| Err(QueryError::Failed("its thread ended without an answer".to_owned())))
}

/// The whole query, on its own thread.
fn answer(
    text: &str,
    relations: &[QueryRelation],
    options: &QueryOptions,
    stop: &Arc<AtomicBool>,
) -> Result<QueryResult, QueryError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| QueryError::Failed(format!("no runtime to run on: {error}")))?;
    runtime.block_on(async {
        let planned = plan::plan(text, relations, options, stop).await?;
        answer::collect(planned, options).await
    })
}
