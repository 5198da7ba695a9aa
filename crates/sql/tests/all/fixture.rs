use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use headwater_sql::{
    CompileOptions, Diagnostic, Program, QueryError, QueryOptions, QueryRelation, QueryResult, QuerySource,
    compile, query,
};
use headwater_types::{Name, Scan};

/// Tables that most programs of the tests start with, on one line.
pub(crate) const TABLES: &str = "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR NOT NULL, amount DOUBLE, \
    price DECIMAL(10, 2), n INT, at TIMESTAMP); CREATE TABLE customers (name VARCHAR PRIMARY KEY, city VARCHAR); \
    CREATE TABLE raw (x INT, s VARCHAR) WITH ('materialized' = 'false');";

/// Compiles, with the functions that exist for tests.
pub(crate) fn compile_text(text: &str) -> Result<Program, Diagnostic> {
    compile(text, &CompileOptions { test_hooks: true })
}

/// The refusal of a text, as a user sees it.
pub(crate) fn refusal(text: &str) -> String {
    let diagnostic = compile_text(text).expect_err("the text must be refused");
    format!("{}: {diagnostic}", diagnostic.code)
}

/// Rows in memory.
#[derive(Debug)]
struct Rows(SchemaRef, Vec<RecordBatch>);

impl Scan for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }

    fn num_rows(&self) -> usize {
        self.1.iter().map(RecordBatch::num_rows).sum()
    }

    fn num_segments(&self) -> usize {
        self.1.len()
    }

    fn segment(&self, index: usize, projection: Option<&[usize]>) -> RecordBatch {
        match projection {
            Some(columns) => self.1[index].project(columns).unwrap(),
            None => self.1[index].clone(),
        }
    }
}

/// A relation of these batches.
pub(crate) fn stored(name: &str, batches: Vec<RecordBatch>) -> QueryRelation {
    let rows = Rows(batches[0].schema(), batches);
    QueryRelation { name: Name::system(name).unwrap(), source: QuerySource::Rows(Arc::new(rows)) }
}

/// `orders (id, customer, amount, at)`: two segments of two rows.
pub(crate) fn orders() -> QueryRelation {
    let segment = |ids: Vec<i64>, customers: Vec<Option<&str>>, amounts: Vec<f64>| {
        let times: Vec<i64> = ids.iter().map(|id| id * 1_000_000).collect();
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(ids)) as ArrayRef),
            ("customer", Arc::new(StringArray::from(customers)) as ArrayRef),
            ("amount", Arc::new(Float64Array::from(amounts)) as ArrayRef),
            ("at", Arc::new(TimestampMicrosecondArray::from(times)) as ArrayRef),
        ])
        .unwrap()
    };
    let first = segment(vec![1, 2], vec![Some("ada"), Some("bob")], vec![12.5, 3.0]);
    let schema = Arc::new(arrow::datatypes::Schema::new(
        first
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>(),
    ));
    let batches = vec![first, segment(vec![3, 4], vec![Some("ada"), None], vec![7.5, 1.0])];
    let batches = batches
        .into_iter()
        .map(|batch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap())
        .collect();
    stored("orders", batches)
}

/// `name (x)` with the numbers from 0.
pub(crate) fn numbers(name: &str, count: i64) -> QueryRelation {
    let segment = |from: i64| {
        let values = Int64Array::from_iter_values(from..(from + 50_000).min(count));
        RecordBatch::try_from_iter([("x", Arc::new(values) as ArrayRef)]).unwrap()
    };
    stored(name, (0..count.max(1)).step_by(50_000).map(segment).collect())
}

/// Runs a query on a runtime of its own.
pub(crate) fn run(
    text: &str,
    relations: Vec<QueryRelation>,
    options: QueryOptions,
) -> Result<QueryResult, QueryError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(query(text, relations, options))
}

/// A query's answer as a table of text.
pub(crate) fn table(text: &str, relations: Vec<QueryRelation>) -> String {
    match run(text, relations, QueryOptions::default()) {
        Ok(result) => pretty_format_batches(&result.batches).unwrap().to_string(),
        Err(error) => format!("error: {error}"),
    }
}

/// The refusal of each statement, behind the shared tables; the tables' lines are not counted.
pub(crate) fn refusals(statements: &[&str]) -> String {
    let refusals = statements.iter().map(|statement| refusal(&format!("{TABLES}\n{statement}")));
    refusals.collect::<Vec<_>>().join("\n\n")
}
