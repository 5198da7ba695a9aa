use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::http::Method;

use super::super::client::Client;
use super::super::error::CliError;
use super::super::table;

#[derive(Deserialize)]
struct Tables {
    tables: Vec<Relation>,
}

#[derive(Deserialize)]
struct Views {
    views: Vec<Relation>,
}

/// A table or a view; what only one of them has is absent for the other.
#[derive(Deserialize)]
struct Relation {
    name: String,
    columns: Vec<Column>,
    #[serde(default)]
    primary_key: Vec<String>,
    rows: Option<u64>,
    materialized: Option<bool>,
    /// A view's SELECT.
    sql: Option<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    column_type: String,
    nullable: bool,
}

/// All tables and views.
pub(super) fn list(client: &Client, workspace: &str) -> Result<String, CliError> {
    let (tables, views) = relations(client, workspace)?;
    let row = |relation: &Relation, kind: &str| {
        let mut row = Map::new();
        row.insert("name".to_owned(), relation.name.clone().into());
        row.insert("kind".to_owned(), kind.into());
        row.insert("columns".to_owned(), relation.columns.len().into());
        row.insert("rows".to_owned(), relation.rows.map_or("-".into(), Value::from));
        row
    };
    let kind = |view: &Relation| if view.materialized == Some(false) { "view" } else { "materialized view" };
    let tables = tables.iter().map(|table| row(table, "table"));
    let rows = tables.chain(views.iter().map(|view| row(view, kind(view)))).collect::<Vec<_>>();
    if rows.is_empty() {
        return Ok("the workspace has no tables and views yet\n".to_owned());
    }
    Ok(table::render(&["name", "kind", "columns", "rows"].map(str::to_owned), &rows))
}

/// The columns of a table or view.
pub(super) fn one(client: &Client, workspace: &str, name: &str) -> Result<String, CliError> {
    let (tables, views) = relations(client, workspace)?;
    let Some(relation) = tables.iter().chain(&views).find(|relation| relation.name == name) else {
        let known = tables.iter().chain(&views).map(|relation| relation.name.as_str()).collect::<Vec<_>>();
        return Err(CliError::new(format!("there is no table or view {name:?}"))
            .hint(format!("there are: {}", known.join(", "))));
    };
    let row = |column: &Column| {
        let mut row = Map::new();
        row.insert("column".to_owned(), column.name.clone().into());
        row.insert("type".to_owned(), column.column_type.clone().into());
        row.insert("".to_owned(), constraints(relation, column).into());
        row
    };
    let rows = relation.columns.iter().map(row).collect::<Vec<_>>();
    let mut text = table::render(&["column", "type", ""].map(str::to_owned), &rows);
    if let Some(query) = &relation.sql {
        text.push_str(&format!("AS {}\n", query.trim()));
    }
    Ok(text)
}

/// The names of tables, views and their columns, each once.
pub(super) fn names(client: &Client, workspace: &str) -> Result<Vec<String>, CliError> {
    let (tables, views) = relations(client, workspace)?;
    let all = tables.into_iter().chain(views);
    let mut names = all
        .flat_map(|relation| {
            std::iter::once(relation.name).chain(relation.columns.into_iter().map(|c| c.name))
        })
        .collect::<Vec<_>>();
    names.sort();
    names.dedup();
    Ok(names)
}

fn constraints(relation: &Relation, column: &Column) -> &'static str {
    if relation.primary_key.contains(&column.name) {
        "PRIMARY KEY"
    } else if column.nullable {
        ""
    } else {
        "NOT NULL"
    }
}

fn relations(client: &Client, workspace: &str) -> Result<(Vec<Relation>, Vec<Relation>), CliError> {
    let unreadable = |error| CliError::new(format!("the server's answer cannot be read: {error}"));
    let tables = client.ask(Method::GET, &format!("{workspace}/tables"), b"")?;
    let views = client.ask(Method::GET, &format!("{workspace}/views"), b"")?;
    let tables: Tables = serde_json::from_str(&tables).map_err(unreadable)?;
    let views: Views = serde_json::from_str(&views).map_err(unreadable)?;
    Ok((tables.tables, views.views))
}
