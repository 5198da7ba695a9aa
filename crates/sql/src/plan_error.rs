//! What the planner refused, in our words and at its place.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, SchemaError, Span};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use crate::catalog::UnknownRelation;
use crate::complexity::ExpressionTooLarge;
use crate::fold_constants::ConstantFails;
use crate::locate::Locator;
use crate::parse::lower_first;
use crate::source::{Place, Refusal};
use crate::suggest;

/// Turns a planner's error into a refusal with a place.
pub(crate) fn refusal<'a>(
    error: &DataFusionError,
    locator: Locator<'_>,
    relations: impl IntoIterator<Item = &'a str>,
) -> Refusal {
    let place = error.diagnostic().and_then(|diagnostic| diagnostic.span).and_then(|span| place_of(&span));
    let refusal = if let Some(unknown) = find_cause::<UnknownRelation>(error) {
        unknown_relation(unknown, locator, relations)
    } else if let Some(constant) = find_cause::<ConstantFails>(error) {
        Refusal::new("constant_fails", constant.to_string()).hint("correct it: it would fail on every row")
    } else if let Some(too_large) = find_cause::<ExpressionTooLarge>(error) {
        Refusal::from(too_large)
    } else {
        match error.find_root() {
            DataFusionError::SchemaError(error, _) => schema_refusal(error, locator),
            DataFusionError::NotImplemented(message) => Refusal::new("unsupported", lower_first(message)),
            _ => other_refusal(error, locator),
        }
    };
    let mentioned = locator.mentioned(&refusal.message);
    refusal.or_at(place).or_at(mentioned).or_at(locator.start())
}

/// An error's text without the words that only a developer of the planner needs.
pub(crate) fn reason(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let text = text.lines().next().unwrap_or_default();
    let prefixes = [
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "Cast error: ",
        "Compute error: ",
        "Arithmetic overflow: ",
        "Parser error: ",
        "Invalid argument error: ",
        "External error: ",
        "This feature is not implemented: ",
        "Internal error: ",
    ];
    let text = prefixes.iter().fold(text, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    lower_first(&with_sql_types(text.trim_end_matches('.')))
}

/// Type names of the planner and what SQL calls them; longer names before those that they contain.
const TYPE_NAMES: [(&str, &str); 15] = [
    ("Timestamp(ns)", "TIMESTAMP(9)"),
    ("Timestamp(µs)", "TIMESTAMP"),
    ("FixedSizeBinary(16)", "UUID"),
    ("Time64(ns)", "TIME"),
    ("Binary", "VARBINARY"),
    ("Decimal128", "DECIMAL"),
    ("Boolean", "BOOLEAN"),
    ("Float32", "REAL"),
    ("Float64", "DOUBLE"),
    ("Date32", "DATE"),
    ("Int16", "SMALLINT"),
    ("Int32", "INTEGER"),
    ("Int64", "BIGINT"),
    ("Utf8", "VARCHAR"),
    ("String", "VARCHAR"),
];

fn with_sql_types(text: &str) -> String {
    TYPE_NAMES.iter().fold(text.to_owned(), |text, (planner, sql)| text.replace(planner, sql))
}

fn unknown_relation<'a>(
    unknown: &UnknownRelation,
    locator: Locator<'_>,
    relations: impl IntoIterator<Item = &'a str>,
) -> Refusal {
    let mut refusal = Refusal::new("unknown_relation", unknown.to_string());
    refusal.hint = suggest::hint(&unknown.name, relations, "tables and views")
        .or_else(|| Some("define it first: a view comes after what it reads".to_owned()));
    refusal.at_place(locator.identifier(&unknown.name))
}

fn schema_refusal(error: &SchemaError, locator: Locator<'_>) -> Refusal {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names: BTreeSet<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            let mut refusal = Refusal::new("unknown_column", format!("unknown column {}", quoted(field)));
            refusal.hint = suggest::hint(&field.name, names, "columns");
            refusal.at_place(column_place(field).or_else(|| locator.identifier(&field.name)))
        }
        SchemaError::AmbiguousReference { field } => {
            let message = format!("the column {} is in more than one relation", quoted(field));
            let refusal =
                Refusal::new("ambiguous_column", message).hint("write its relation before it: t.column");
            refusal.at_place(column_place(field).or_else(|| locator.identifier(&field.name)))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            duplicate_column(name).at_place(locator.identifier(name))
        }
    }
}

/// Two columns of one relation have one name.
pub(crate) fn duplicate_column(name: &str) -> Refusal {
    let refusal = Refusal::new("duplicate_name", format!("there are two columns {name:?}"));
    refusal.hint("name one of them with AS")
}

fn other_refusal(error: &DataFusionError, locator: Locator<'_>) -> Refusal {
    let message = reason(error);
    if let Some((_, rest)) = message.split_once("projections require unique expression names") {
        let name = rest.split('"').nth(1).map_or("", |quoted| quoted.rsplit('.').next().unwrap_or(quoted));
        let place = locator.second_identifier(name).or_else(|| locator.keyword(&["select"]));
        return duplicate_column(name).at_place(place);
    }
    if let Some((_, rest)) = message.split_once("While expanding wildcard, column ") {
        let column = rest.split('"').nth(1).unwrap_or_default();
        let message = format!("the column {column:?} is neither in GROUP BY nor in an aggregate");
        return Refusal::new("invalid_query", message).hint("add it to GROUP BY, or take its MIN or MAX");
    }
    if let Some(call) =
        message.split_once(" failed to match any signature").and_then(|_| message.split('\'').nth(1))
    {
        let found = message
            .split("but received ")
            .filter_map(|text| text.split(' ').next())
            .filter(|word| is_type(word))
            .last();
        let received = found.map(|name| format!(" {name}")).unwrap_or_default();
        let message = format!("{call}() does not take these arguments{}", received.replace(' ', ": "));
        return Refusal::new("type_mismatch", message)
            .hint("convert the argument with CAST")
            .at_place(locator.mentioned(call));
    }
    if let Some(name) = message.strip_prefix("invalid function '").and_then(|rest| rest.strip_suffix('\'')) {
        return Refusal::new("unknown_function", format!("unknown function {name:?}"))
            .at_place(locator.mentioned(name));
    }
    // The planner says the type received twice.
    let message =
        message.split_once(" (DataType: ").map_or(message.as_str(), |(message, _)| message).to_owned();
    let is_type = ["but received", "coerce", "type", "cast", "compatible", "signature", "non-boolean"];
    let is_type = is_type.iter().any(|word| message.contains(word));
    Refusal::new(if is_type { "type_mismatch" } else { "invalid_query" }, message)
}

/// Whether a word of the planner's messages is the name of a type, not a number of arguments.
fn is_type(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
}

fn quoted(column: &Column) -> String {
    format!("{:?}", column.flat_name())
}

fn column_place(column: &Column) -> Option<Place> {
    column.spans().first().and_then(|span| place_of(&span))
}

fn place_of(span: &Span) -> Option<Place> {
    Place::new(span.start.line, span.start.column)
}

/// Walks the causes of an error, through the wrappers that planning puts around it.
pub(crate) fn find_cause<T: std::error::Error + 'static>(error: &DataFusionError) -> Option<&T> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner)) => {
                Some(inner.as_ref())
            }
            _ => error.source(),
        };
    }
    None
}

/// The first column of the smallest expression whose type cannot be told.
pub(crate) fn ill_typed_place(plan: &LogicalPlan) -> Option<Place> {
    let mut place = None;
    let _ = plan.apply(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if part.get_type(&schema).is_err() {
                    place = first_column(part).or(place);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    place
}

fn first_column(expr: &Expr) -> Option<Place> {
    let mut place = None;
    let _ = expr.apply(|part| {
        if let (Expr::Column(column), None) = (part, place) {
            place = column_place(column);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    place
}
