use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::{
    CreateView, Ident, Query, SelectItem, SetExpr, Spanned, Statement, ViewColumnDef,
};
use headwater_types::limits::COLUMNS_MAX;
use headwater_types::{Column, ColumnType, Name};

use crate::balance::balance_plan;
use crate::blame;
use crate::catalog::Catalog;
use crate::complexity;
use crate::fold_constants;
use crate::locate::Locator;
use crate::names;
use crate::optimizer;
use crate::parse::ParsedStatement;
use crate::plan_check;
use crate::plan_error;
use crate::program::ViewDefinition;
use crate::source::{Place, Refusal, Source};
use crate::table_options;
use crate::view_syntax;

/// Compiles one CREATE VIEW against what was defined before it.
pub(crate) fn compile(
    create: &CreateView,
    statement: &ParsedStatement,
    source: &Source<'_>,
    catalog: &Catalog<'_>,
) -> Result<ViewDefinition, Refusal> {
    let locator = Locator::new(statement);
    refuse_clauses(create, locator)?;
    let changes = table_options::compile_of_view(&create.options, locator)?;
    let name = names::relation_name(&create.name)?;
    view_syntax::check_view(&create.query, catalog.state)?;
    let plan = plan(unnamed_columns_named(&create.query, create.columns.len()), locator, catalog)?;
    complexity::check_operators(&plan).map_err(|refusal| refusal.or_at(locator.start()))?;

    let refuse = |error: &DataFusionError| plan_error::refusal(error, locator, names_of(catalog));
    let options = catalog.state.config_options();
    let typed = optimizer::coerce_types(plan.clone(), options)
        .map_err(|error| refuse(&error).at_place(plan_error::ill_typed_place(&plan)))?;
    let (named, columns) = name_columns(typed, &create.columns, locator)?;
    let folded = optimizer::fold_constants(named, options)
        .map_err(|error| refuse(&error).at_place(constant_place(&error, &create.query, catalog)))?;
    complexity::check_expressions(&folded).map_err(|refusal| refusal.or_at(locator.start()))?;
    let plan = optimizer::optimize(folded, options)
        .and_then(balance_plan)
        .map_err(|error| refuse(&error).at_place(constant_place(&error, &create.query, catalog)))?;
    plan_check::check(&plan, locator)?;
    complexity::check_expression_depth(&plan)
        .map_err(|error| refuse(&error))?
        .map_err(|refusal| refusal.or_at(locator.start()))?;

    let stateful = plan_check::is_stateful(&plan);
    let reads = relations_read(&plan).map_err(|error| refuse(&error))?;
    let sql = select_text(create, statement, source);
    let materialized = create.materialized;
    Ok(ViewDefinition { name, columns, materialized, changes, plan, sql, stateful, reads })
}

fn plan(query: Query, locator: Locator<'_>, catalog: &Catalog<'_>) -> Result<LogicalPlan, Refusal> {
    let planner = SqlToRel::new(catalog);
    planner
        .sql_statement_to_plan(Statement::Query(Box::new(query)))
        .map_err(|error| plan_error::refusal(&error, locator, names_of(catalog)))
}

/// Gives the expressions of a SELECT whose columns the view names a name of their own until it does: the planner calls
/// `i + 2 * j` and `(i + 2) * j` the same, and takes only one of them.
fn unnamed_columns_named(query: &Query, given: usize) -> Query {
    let mut query = query.clone();
    let mut body = query.body.as_mut();
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    let SetExpr::Select(select) = body else { return query };
    if select.projection.len() != given {
        return query;
    }
    for (index, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) = item {
            let alias = Ident::with_quote('"', format!("?column {index}?"));
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
    query
}

/// Where the constant stands that an error tells of.
fn constant_place(error: &DataFusionError, query: &Query, catalog: &Catalog<'_>) -> Option<Place> {
    fold_constants::is_constant_failure(error)
        .then(|| blame::failing_constant(query, catalog.state))
        .flatten()
}

fn names_of<'a>(catalog: &'a Catalog<'_>) -> impl Iterator<Item = &'a str> {
    catalog.relations.keys().map(String::as_str)
}

/// Names the plan's columns as the view does, and brings texts, bytes and times into the one form that columns have.
fn name_columns(
    plan: LogicalPlan,
    given: &[ViewColumnDef],
    locator: Locator<'_>,
) -> Result<(LogicalPlan, Vec<Column>), Refusal> {
    let count = plan.schema().fields().len();
    check_column_count(count, given, locator)?;
    let mut columns: Vec<Column> = Vec::with_capacity(count);
    let mut exprs = Vec::with_capacity(count);
    for (index, (qualifier, field)) in plan.schema().iter().enumerate() {
        let given = given.get(index);
        let name = match given {
            Some(definition) => names::column_name(&definition.name)?,
            None => names::checked(field.name()).map_err(|refusal| {
                let refusal = if refusal.code == "invalid_name" {
                    refusal.hint("name the column with AS")
                } else {
                    refusal
                };
                refusal.at_place(locator.identifier(field.name())).or_at(locator.start())
            })?,
        };
        let place = given
            .and_then(|definition| Place::of(definition.name.span))
            .or_else(|| locator.identifier(name.as_str()));
        if columns.iter().any(|earlier| earlier.name == name) {
            let again = locator.second_identifier(name.as_str()).filter(|_| given.is_none());
            return Err(plan_error::duplicate_column(name.as_str())
                .at_place(again.or(place))
                .or_at(locator.start()));
        }
        let (column_type, expr) = column(Expr::from((qualifier, field)), field.data_type(), &plan)
            .map_err(|refusal| refusal.at_place(place).or_at(locator.start()))?;
        exprs.push(expr.alias(name.as_str()));
        columns.push(Column { name, column_type, nullable: true, default: None });
    }
    let named = LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build);
    let named = named.map_err(|error| plan_error::refusal(&error, locator, []))?;
    Ok((named, columns))
}

fn column(expr: Expr, data_type: &DataType, plan: &LogicalPlan) -> Result<(ColumnType, Expr), Refusal> {
    if let Some(column_type) = ColumnType::from_arrow(data_type) {
        return Ok((column_type, expr));
    }
    let kept = match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => Some(ColumnType::Varchar),
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            Some(ColumnType::Varbinary)
        }
        DataType::Time32(_) | DataType::Time64(_) => Some(ColumnType::Time),
        _ => None,
    };
    let cast =
        kept.and_then(|kept| Some((kept, expr.clone().cast_to(&kept.arrow(), plan.schema().as_ref()).ok()?)));
    cast.ok_or_else(|| {
        let message = format!("the column {expr} is a {data_type}, which a view cannot keep");
        Refusal::new("type_mismatch", message)
            .hint("convert it: CAST(… AS VARCHAR), or another type of a column")
    })
}

fn check_column_count(count: usize, given: &[ViewColumnDef], locator: Locator<'_>) -> Result<(), Refusal> {
    if count > COLUMNS_MAX {
        let message = format!("the view has {count} columns, the most is {COLUMNS_MAX}");
        return Err(Refusal::new("too_large", message).at_place(locator.start()));
    }
    let Some(first) = given.first() else { return Ok(()) };
    if given.len() == count {
        return Ok(());
    }
    let message = format!("the view names {} columns, its SELECT gives {count}", given.len());
    Err(Refusal::new("invalid_query", message).hint("name each column, or none").at(first.name.span))
}

fn relations_read(plan: &LogicalPlan) -> Result<Vec<Name>, DataFusionError> {
    let mut names = BTreeSet::new();
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = Name::system(scan.table_name.table());
            names.insert(name.map_err(|error| DataFusionError::Plan(error.to_string()))?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(names.into_iter().collect())
}

/// The SELECT as written.
fn select_text(create: &CreateView, statement: &ParsedStatement, source: &Source<'_>) -> String {
    match (Place::of(create.query.span()), statement.end()) {
        (Some(from), Some(to)) => source.slice(from, to).trim_end().to_owned(),
        _ => create.query.to_string(),
    }
}

fn refuse_clauses(create: &CreateView, locator: Locator<'_>) -> Result<(), Refusal> {
    if create.or_replace || create.or_alter || create.if_not_exists {
        let refusal = Refusal::unsupported(
            "a program states what there is, so OR REPLACE and IF NOT EXISTS mean nothing",
            "write CREATE VIEW; setting the program again changes only what differs",
        );
        return Err(refusal.at_place(locator.keyword(&["replace", "alter", "if"])));
    }
    let extras = create.temporary
        || create.secure
        || create.comment.is_some()
        || create.with_no_schema_binding
        || create.copy_grants
        || create.to.is_some()
        || create.params.is_some()
        || !create.cluster_by.is_empty()
        || create.columns.iter().any(|column| column.data_type.is_some() || column.options.is_some());
    if extras {
        let refusal = Refusal::unsupported(
            "CREATE VIEW takes a name, column names, WITH ('changes' = …) and a SELECT",
            "leave out the rest",
        );
        return Err(refusal.at_place(locator.start()));
    }
    Ok(())
}

/// The plan as the relation that views after it read.
pub(crate) fn expanded(view: &ViewDefinition) -> Arc<crate::catalog::RelationSource> {
    Arc::new(crate::catalog::RelationSource::expanded(view.plan.clone()))
}
