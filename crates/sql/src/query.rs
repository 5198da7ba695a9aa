use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_types::{Name, Scan, TimestampMicros, limits};

use crate::diagnostic::Diagnostic;

/// The bounds of one query, and its now.
#[derive(Clone, Copy, Debug)]
pub struct QueryOptions {
    /// The query ends with an error after this time.
    pub timeout: Duration,
    /// Memory that its operators may hold.
    pub memory_bytes_max: usize,
    /// Rows of its answer.
    pub rows_max: usize,
    /// Bytes of its answer in memory.
    pub bytes_max: usize,
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
    /// Its rows, or the SELECT that gives them.
    pub source: QuerySource,
}

/// Where the rows of a relation come from.
#[derive(Clone, Debug)]
pub enum QuerySource {
    /// Rows that are kept: a table, a materialised view, a system table.
    Rows(Arc<dyn Scan>),
    /// A plain view: its plan as compiled, expanded in place.
    View(Arc<crate::program::ViewDefinition>),
}

/// The answer of a query.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The schema of the rows.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Why a query gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueryError {
    /// The text was refused.
    #[error("{0}")]
    Refused(Box<Diagnostic>),
    /// The query ran longer than it may.
    #[error("the query ran longer than {timeout_ms} ms; ask for less, or filter earlier")]
    Timeout {
        /// The time it had.
        timeout_ms: u64,
    },
    /// The query needed more memory than it may hold.
    #[error("the query needs more than {bytes_max} bytes of memory; join or group fewer rows")]
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
    #[error("{0}")]
    Failed(String),
}

/// Runs one SELECT. Dropping the future cancels it.
pub async fn query(
    text: &str,
    relations: Vec<QueryRelation>,
    options: QueryOptions,
) -> Result<QueryResult, QueryError> {
    let _ = (text, relations, options);
    todo!()
}
