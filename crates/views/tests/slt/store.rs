//! The tables of a script, filled and asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater_relation::Relation;
use headwater_sql::{
    CompileOptions, Program, QueryError, QueryOptions, QueryRelation, QuerySource, compile, query,
};
use headwater_types::{Delta, Scan, WeightedRows};

use crate::values;

pub struct Store {
    pub program: Program,
    tables: BTreeMap<String, Relation>,
    runtime: tokio::runtime::Runtime,
}

/// Rows that a table got (+1) or lost (−1).
pub struct Change {
    pub table: String,
    pub rows: Vec<RecordBatch>,
    pub weight: i64,
}

impl Store {
    pub fn new(definitions: &str) -> Store {
        let program =
            compile(definitions, &CompileOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let relation = |table: &Arc<headwater_types::TableDefinition>| {
            (table.name.as_str().to_owned(), Relation::new(table.schema(), Vec::new()))
        };
        let tables = program.tables.iter().map(relation).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Store { program, tables, runtime }
    }

    /// Runs an INSERT or a DELETE.
    pub fn change(&mut self, sql: &str) -> Change {
        let change = if sql.starts_with("INSERT ") {
            let (table, rows) = values::inserted(sql, &self.program.tables);
            Change { table: self.program.tables[table].name.as_str().to_owned(), rows, weight: 1 }
        } else {
            let from =
                sql.strip_prefix("DELETE ").unwrap_or_else(|| panic!("a statement that is not known: {sql}"));
            let table = from.split_whitespace().nth(1).unwrap().to_owned();
            let schema = self.tables[&table].schema().clone();
            // An answer's columns may all be NULL; a table's need not.
            let typed =
                |batch: RecordBatch| RecordBatch::try_new(schema.clone(), batch.columns().to_vec()).unwrap();
            let rows = self.query(&format!("SELECT * {from}")).unwrap().into_iter().map(typed).collect();
            Change { table, rows, weight: -1 }
        };
        let part =
            |rows: &RecordBatch| WeightedRows::weighted(rows.clone(), vec![change.weight; rows.num_rows()]);
        publish(
            self.tables.get_mut(&change.table).unwrap(),
            &Delta { parts: change.rows.iter().map(part).collect() },
        );
        change
    }

    pub fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let mut relations: Vec<QueryRelation> = Vec::new();
        for table in &self.program.tables {
            let rows: Arc<dyn Scan> = Arc::new(self.tables[table.name.as_str()].snapshot());
            relations.push(QueryRelation { name: table.name.clone(), source: QuerySource::Rows(rows) });
        }
        for view in &self.program.views {
            relations
                .push(QueryRelation { name: view.name.clone(), source: QuerySource::View(view.clone()) });
        }
        let answer = self.runtime.block_on(query(sql, relations, QueryOptions::default()))?;
        Ok(answer.batches)
    }
}

/// Adds a change to a relation without key.
pub fn publish(relation: &mut Relation, delta: &Delta) {
    let change = relation.prepare_multiset(delta).unwrap();
    relation.publish(change);
}

/// All rows of a relation.
pub fn rows(relation: &Relation) -> Vec<RecordBatch> {
    let snapshot = relation.snapshot();
    (0..snapshot.num_segments()).map(|segment| snapshot.segment(segment, None)).collect()
}
