use std::sync::Arc;

use datafusion::execution::context::SessionState;
use datafusion::sql::sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use datafusion::sql::sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, Expr, Ident, IndexColumn, Spanned, TableConstraint,
};
use headwater_types::limits::COLUMNS_MAX;
use headwater_types::{Column, TableDefinition};

use crate::column_type::column_type;
use crate::default_value;
use crate::locate::Locator;
use crate::names;
use crate::source::Refusal;
use crate::table_options;

/// Compiles one CREATE TABLE.
pub(crate) fn compile(
    create: &CreateTable,
    state: &SessionState,
    locator: Locator<'_>,
) -> Result<Arc<TableDefinition>, Refusal> {
    refuse_clauses(create, locator)?;
    let name = names::relation_name(&create.name)?;
    let mut columns = Vec::with_capacity(create.columns.len());
    let mut key = Vec::new();
    for column in &create.columns {
        let compiled = compile_column(column, state, locator)?;
        if columns.iter().any(|earlier: &Column| earlier.name == compiled.column.name) {
            let message = format!("there are two columns {:?}", compiled.column.name.as_str());
            return Err(Refusal::new("duplicate_name", message)
                .hint("rename one of them")
                .at(column.name.span));
        }
        if compiled.is_key {
            add_key(&mut key, vec![columns.len()], &column.name)?;
        }
        columns.push(compiled.column);
    }
    check_column_count(create, columns.len())?;
    for constraint in &create.constraints {
        compile_constraint(constraint, &columns, &mut key)?;
    }
    for index in &key {
        columns[*index].nullable = false;
    }
    let options = table_options::compile(&create.table_options, &columns, locator)?;
    let refuse = |message: &str, hint: &str| {
        Refusal::new("invalid_option", message).hint(hint).at_place(options.place)
    };
    if !options.materialized && !key.is_empty() {
        return Err(refuse(
            "a table with PRIMARY KEY keeps its rows",
            "leave out 'materialized', or the PRIMARY KEY",
        ));
    }
    if !options.materialized && options.retention.is_some() {
        return Err(refuse(
            "a table that keeps no rows has no retention",
            "leave out 'retention' or 'materialized'",
        ));
    }
    let materialized = options.materialized;
    Ok(Arc::new(TableDefinition {
        name,
        columns,
        primary_key: key,
        materialized,
        retention: options.retention,
        changes: options.changes,
    }))
}

struct CompiledColumn {
    column: Column,
    is_key: bool,
}

fn compile_column(
    definition: &ColumnDef,
    state: &SessionState,
    locator: Locator<'_>,
) -> Result<CompiledColumn, Refusal> {
    let name = names::column_name(&definition.name)?;
    let column_type = column_type(&definition.data_type).map_err(|refusal| {
        Refusal::unsupported(refusal.message, refusal.hint).at_place(locator.behind(definition.name.span))
    })?;
    let mut column = Column { name, column_type, nullable: true, default: None };
    let mut is_key = false;
    let mut default: Option<&Expr> = None;
    for option in &definition.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => column.nullable = false,
            ColumnOption::PrimaryKey(_) => is_key = true,
            ColumnOption::Default(expr) => default = Some(expr),
            other => {
                let message = format!("{other} is not supported in a column");
                let refusal = Refusal::unsupported(message, "use NOT NULL, DEFAULT or PRIMARY KEY");
                return Err(refusal.at(definition.name.span).at(other.span()));
            }
        }
    }
    if let Some(expr) = default {
        let must_be_value = !column.nullable || is_key;
        let value = default_value::compile(expr, column_type, must_be_value, state);
        column.default = Some(value.map_err(|refusal| refusal.at(definition.name.span).at(expr.span()))?);
    }
    Ok(CompiledColumn { column, is_key })
}

fn compile_constraint(
    constraint: &TableConstraint,
    columns: &[Column],
    key: &mut Vec<usize>,
) -> Result<(), Refusal> {
    let TableConstraint::PrimaryKey(primary) = constraint else {
        let refusal =
            Refusal::unsupported("this constraint is not supported", "PRIMARY KEY and NOT NULL are");
        return Err(refusal.at(constraint.span()));
    };
    let mut indexes = Vec::new();
    let mut first = None;
    for column in &primary.columns {
        let ident = key_column(column)?;
        let folded = names::fold(ident);
        let Some(index) = columns.iter().position(|known| known.name.as_str() == folded) else {
            let mut refusal = Refusal::new("unknown_column", format!("unknown column {folded:?}"));
            refusal.hint =
                crate::suggest::hint(&folded, columns.iter().map(|known| known.name.as_str()), "columns");
            return Err(refusal.at(ident.span));
        };
        if indexes.contains(&index) {
            let message = format!("the column {folded:?} is in the key twice");
            return Err(Refusal::new("invalid_key", message).hint("name it once").at(ident.span));
        }
        indexes.push(index);
        first = first.or(Some(ident));
    }
    match first {
        Some(ident) => add_key(key, indexes, ident),
        None => Err(Refusal::new("invalid_key", "a PRIMARY KEY needs a column").at(constraint.span())),
    }
}

fn key_column(column: &IndexColumn) -> Result<&Ident, Refusal> {
    match &column.column.expr {
        Expr::Identifier(ident) => Ok(ident),
        other => Err(Refusal::new("invalid_key", "a PRIMARY KEY is a list of column names").at(other.span())),
    }
}

fn add_key(key: &mut Vec<usize>, indexes: Vec<usize>, place: &Ident) -> Result<(), Refusal> {
    if !key.is_empty() {
        let refusal = Refusal::new("invalid_key", "a table has one PRIMARY KEY");
        return Err(refusal
            .hint("for a key of several columns write PRIMARY KEY (a, b) at the end")
            .at(place.span));
    }
    *key = indexes;
    Ok(())
}

fn check_column_count(create: &CreateTable, count: usize) -> Result<(), Refusal> {
    if count == 0 {
        return Err(Refusal::new("syntax", "a table needs at least one column").at(create.name.span()));
    }
    if count > COLUMNS_MAX {
        let message = format!("the table has {count} columns, the most is {COLUMNS_MAX}");
        return Err(Refusal::new("too_large", message).at(create.name.span()));
    }
    Ok(())
}

/// Refuses everything that the syntax allows between `CREATE` and the columns, and behind them.
fn refuse_clauses(create: &CreateTable, locator: Locator<'_>) -> Result<(), Refusal> {
    if create.or_replace || create.if_not_exists {
        let refusal = Refusal::unsupported(
            "a program states what there is, so OR REPLACE and IF NOT EXISTS mean nothing",
            "write CREATE TABLE; setting the program again changes only what differs",
        );
        return Err(refusal.at_place(locator.keyword(&["replace", "if"])));
    }
    let plain = CreateTableBuilder::new(create.name.clone())
        .columns(create.columns.clone())
        .constraints(create.constraints.clone())
        .table_options(create.table_options.clone())
        .build();
    if *create == plain {
        return Ok(());
    }
    let refusal = Refusal::unsupported(
        "CREATE TABLE takes columns, a PRIMARY KEY and WITH (…) only",
        "leave out other clauses; fill a table by pushing to it, derive one with CREATE VIEW",
    );
    Err(refusal.at_place(locator.start()))
}
