use headwater_types::{Column, ColumnType, IfAbsent, OperationKind, RecordErrorCode, TableDefinition};

use super::scalar::Scalar;
use crate::decode::{DecodeOptions, OperationName};
use crate::problem::Problem;

/// How the records of one table and one operation are read: what each column's presence and absence means.
#[derive(Debug)]
pub(crate) struct RowPlan<'t> {
    pub(crate) definition: &'t TableDefinition,
    pub(crate) kind: OperationKind,
    /// One per column of the table, in its order.
    pub(crate) columns: Vec<ColumnPlan<'t>>,
}

/// How one column is read.
#[derive(Debug)]
pub(crate) struct ColumnPlan<'t> {
    pub(crate) name: &'t str,
    /// Whether the name stands in JSON as it is, without escapes.
    pub(crate) stands_for_itself: bool,
    pub(crate) column_type: ColumnType,
    /// Whether values are kept; otherwise the field is known and its value is not looked at.
    pub(crate) kept: bool,
    /// Why an explicit NULL is refused, if it is.
    pub(crate) null: Nullness,
    pub(crate) absence: Absence,
}

/// What an explicit NULL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nullness {
    Allowed,
    Refused,
    /// Refused as a missing key.
    Key,
}

/// What a record without the column means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Absence {
    Default(Scalar),
    Null,
    NotNull,
    KeyMissing,
    /// The column is not part of the row.
    LeftOut,
}

impl<'t> RowPlan<'t> {
    /// The plan, or why the table does not take the operation.
    pub(crate) fn new(
        definition: &'t TableDefinition,
        options: &DecodeOptions,
    ) -> Result<RowPlan<'t>, Box<Problem>> {
        let kind = operation_kind(definition, options)?;
        let plan = |(index, column): (usize, &'t Column)| {
            let is_key = definition.primary_key.contains(&index);
            ColumnPlan {
                name: column.name.as_str(),
                stands_for_itself: !column.name.as_str().contains(['"', '\\']),
                column_type: column.column_type,
                kept: is_key || kind != OperationKind::DeleteKey,
                null: match (is_key, column.nullable) {
                    (true, _) => Nullness::Key,
                    (false, true) => Nullness::Allowed,
                    (false, false) => Nullness::Refused,
                },
                absence: absence(column, is_key, kind),
            }
        };
        let columns = definition.columns.iter().enumerate().map(plan).collect();
        Ok(RowPlan { definition, kind, columns })
    }
}

impl ColumnPlan<'_> {
    /// The refusal of an explicit NULL, if it is refused.
    pub(crate) fn check_null(&self) -> Result<(), Box<Problem>> {
        match self.null {
            Nullness::Allowed => Ok(()),
            Nullness::Refused => Err(self.not_null("NULL")),
            Nullness::Key => Err(self.key_missing("NULL")),
        }
    }

    pub(crate) fn not_null(&self, given: &str) -> Box<Problem> {
        let message = format!("column '{}' is {given}, and it is NOT NULL without default", self.name);
        let message = if given == "NULL" { format!("column '{}' is NOT NULL", self.name) } else { message };
        Problem::new(RecordErrorCode::NotNull, message).at(self.name)
    }

    pub(crate) fn key_missing(&self, given: &str) -> Box<Problem> {
        let message = format!("primary key column '{}' is {given}", self.name);
        Problem::new(RecordErrorCode::KeyMissing, message).at(self.name)
    }
}

fn operation_kind(
    definition: &TableDefinition,
    options: &DecodeOptions,
) -> Result<OperationKind, Box<Problem>> {
    let keyed = definition.has_primary_key();
    let needs_key = |operation: &str| {
        let message = format!("table '{}' has no primary key, so it takes no {operation}", definition.name);
        Problem::new(RecordErrorCode::Operation, message)
            .hint("use insert and delete, or declare a PRIMARY KEY")
    };
    let needs_rows = |operation: &str| {
        let message =
            format!("table '{}' does not keep its rows, so it takes no {operation}", definition.name);
        Problem::new(RecordErrorCode::Operation, message)
            .hint("use insert, or keep the rows: leave out 'materialized' = 'false'")
    };
    match options.operation {
        OperationName::Insert if keyed => Ok(OperationKind::Upsert),
        OperationName::Insert => Ok(OperationKind::Insert),
        OperationName::Upsert if keyed => Ok(OperationKind::Upsert),
        OperationName::Upsert => Err(needs_key("upsert")),
        OperationName::Delete if keyed => Ok(OperationKind::DeleteKey),
        OperationName::Delete if definition.materialized => Ok(OperationKind::DeleteRow),
        OperationName::Delete => Err(needs_rows("delete")),
        OperationName::Patch if !definition.materialized => Err(needs_rows("patch")),
        OperationName::Patch if keyed => Ok(OperationKind::Patch(options.if_absent)),
        OperationName::Patch => Err(needs_key("patch")),
    }
}

fn absence(column: &Column, is_key: bool, kind: OperationKind) -> Absence {
    match kind {
        OperationKind::DeleteKey if !is_key => return Absence::LeftOut,
        OperationKind::DeleteKey | OperationKind::Patch(_) if is_key => return Absence::KeyMissing,
        OperationKind::Patch(IfAbsent::Insert) if column.nullable || has_default_value(column) => {
            return Absence::LeftOut;
        }
        OperationKind::Patch(IfAbsent::Error | IfAbsent::Ignore) => return Absence::LeftOut,
        _ => {}
    }
    match column.default.as_ref().and_then(|default| Scalar::of_default(default, column.column_type)) {
        Some(default) => Absence::Default(default),
        None if is_key => Absence::KeyMissing,
        None if column.nullable => Absence::Null,
        None => Absence::NotNull,
    }
}

fn has_default_value(column: &Column) -> bool {
    column.default.as_ref().is_some_and(|default| default.is_valid(0))
}
