//! Reading: look-ups by key and queries, from one published version.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater_codec::parse_key;
use headwater_sql::{QueryError, QueryOptions, QueryRelation, QueryResult, QuerySource};
use headwater_types::{Lsn, RecordError, Scan};

use crate::published::{Published, RelationPart};
use crate::workspace::{ReadAt, WaitError, Workspace};

/// Why a look-up found nothing to answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No such table.
    #[error("table {name:?} does not exist in workspace {workspace:?}")]
    UnknownTable {
        /// The table asked for.
        name: String,
        /// Where it was looked for.
        workspace: String,
        /// The tables there are.
        known: Vec<String>,
    },
    /// The table has no primary key.
    #[error("table {name:?} has no primary key")]
    NoPrimaryKey {
        /// The table.
        name: String,
    },
    /// The key cannot be read.
    #[error("{}", .0.message)]
    BadKey(RecordError),
}

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryFailure {
    /// The LSN to wait for did not come.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// The query was refused or failed.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Workspace {
    /// The row with this key, as of the LSN given with it. One text per key column.
    pub fn lookup(&self, table: &str, key: &[&str]) -> Result<(Lsn, Option<RecordBatch>), LookupError> {
        passed!("serve");
        // Held so that the row and the LSN are of one version.
        let changing = self.shared.changing.read();
        let published = self.published();
        let (relation, key) = self.sought(&published, table, key)?;
        let found = relation.reader.lookup(&key);
        drop(changing);
        Ok((published.lsn, (found.num_rows() > 0).then_some(found)))
    }

    /// The row with this key in a version that was published, the newest or an older one.
    pub fn lookup_in(
        &self,
        published: &Published,
        table: &str,
        key: &[&str],
    ) -> Result<Option<RecordBatch>, LookupError> {
        passed!("serve");
        let (relation, key) = self.sought(published, table, key)?;
        let found = relation.reader.lookup_at(&relation.rows, &key);
        Ok((found.num_rows() > 0).then_some(found))
    }

    /// The table and the key's columns of a look-up.
    fn sought<'a>(
        &self,
        published: &'a Published,
        table: &str,
        key: &[&str],
    ) -> Result<(&'a RelationPart, RecordBatch), LookupError> {
        let unknown = || LookupError::UnknownTable {
            name: table.to_owned(),
            workspace: self.name().to_string(),
            known: published.program.tables.iter().map(|table| table.definition.name.to_string()).collect(),
        };
        let index = published.program.table_index(table).ok_or_else(unknown)?;
        let definition = &published.program.tables[index].definition;
        if !definition.has_primary_key() {
            return Err(LookupError::NoPrimaryKey { name: table.to_owned() });
        }
        let key = parse_key(key, definition).map_err(LookupError::BadKey)?;
        Ok((published.relation(table).ok_or_else(unknown)?, key))
    }

    /// Runs one SELECT over a published version that holds at least `min_lsn`.
    pub async fn query(&self, text: &str, min_lsn: Option<Lsn>) -> Result<(Lsn, QueryResult), QueryFailure> {
        self.query_at(text, min_lsn.map_or(ReadAt::Newest, ReadAt::AtLeast)).await
    }

    /// Runs one SELECT over a published version.
    pub async fn query_at(&self, text: &str, at: ReadAt) -> Result<(Lsn, QueryResult), QueryFailure> {
        passed!("serve");
        let published = self.version(at).await?;
        let options = QueryOptions {
            owner: self.shared.id,
            now: self.shared.now(&published),
            test_hooks: self.shared.options.test_hooks,
            ..QueryOptions::default()
        };
        let result = headwater_sql::query(text, query_relations(&published), options).await?;
        Ok((published.lsn, result))
    }
}

fn query_relations(published: &Published) -> Vec<QueryRelation> {
    let rows = published.relations().map(|relation| {
        let rows: Arc<dyn Scan> = Arc::new(relation.rows.clone());
        QueryRelation { name: relation.name.clone(), source: QuerySource::Rows(rows) }
    });
    let plain = published.program.compiled.views.iter().filter(|view| !view.materialized);
    let plain = plain
        .map(|view| QueryRelation { name: view.name.clone(), source: QuerySource::View(Arc::clone(view)) });
    rows.chain(plain).collect()
}
