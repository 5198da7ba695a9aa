//! What a table's new definition makes of the rows that it has.

use arrow::array::{Array, new_null_array};
use headwater_relation::ColumnSource;
use headwater_types::limits::ALTER_DEFAULT_BYTES_MAX;
use headwater_types::{Column, ColumnType, TableDefinition};

/// Decimal digits that an integer of each size needs.
const TINYINT_DIGITS: u8 = 3;
const SMALLINT_DIGITS: u8 = 5;
const INT_DIGITS: u8 = 10;
const BIGINT_DIGITS: u8 = 19;

/// What becomes of a table's rows.
#[derive(Clone, Debug)]
pub(crate) enum TableChange {
    /// They stay as they are. What else changes, if anything does, is told in words.
    Same(Vec<String>),
    /// They stay, with other columns.
    Alter(Alter),
    /// They cannot stay, for these reasons.
    Replace(Vec<String>),
}

/// How rows get other columns.
#[derive(Clone, Debug)]
pub(crate) struct Alter {
    /// Where each column of the new definition comes from.
    pub sources: Vec<ColumnSource>,
    /// What changes, in words.
    pub reasons: Vec<String>,
    /// Columns whose values are lost.
    pub dropped: Vec<String>,
}

/// Compares two definitions of one table, column by column, by name.
pub(crate) fn table_change(old: &TableDefinition, new: &TableDefinition) -> TableChange {
    let mut refused = Vec::new();
    if old.materialized != new.materialized {
        let kept = if new.materialized { "kept from here on" } else { "not kept any more" };
        refused.push(format!("its rows are {kept}"));
    }
    let (old_key, new_key) = (key_names(old), key_names(new));
    if old_key != new_key {
        refused.push(format!("the PRIMARY KEY changes from ({old_key}) to ({new_key})"));
    }
    let mut alter = Alter { sources: Vec::new(), reasons: Vec::new(), dropped: Vec::new() };
    for column in &new.columns {
        match column_source(old, column) {
            Ok((source, reason)) => {
                alter.sources.push(source);
                alter.reasons.extend(reason);
            }
            Err(reason) => refused.push(reason),
        }
    }
    if !refused.is_empty() {
        return TableChange::Replace(refused);
    }
    let is_gone = |column: &&Column| new.column_index(column.name.as_str()).is_none();
    alter.dropped = old.columns.iter().filter(is_gone).map(|column| column.name.to_string()).collect();
    alter.reasons.extend(alter.dropped.iter().map(|name| format!("column {name} is dropped")));
    if old.schema() == new.schema() {
        return TableChange::Same(options_changed(old, new));
    }
    if alter.reasons.is_empty() {
        alter.reasons.push("its columns stand in another order".to_owned());
    }
    TableChange::Alter(alter)
}

/// The key's columns, in key order.
fn key_names(definition: &TableDefinition) -> String {
    let names: Vec<&str> =
        definition.primary_key.iter().map(|column| definition.columns[*column].name.as_str()).collect();
    names.join(", ")
}

fn options_changed(old: &TableDefinition, new: &TableDefinition) -> Vec<String> {
    let default = |column: &Column| column.default.as_ref().map(|value| value.to_data());
    let pairs = old.columns.iter().zip(&new.columns);
    let mut reasons: Vec<String> = pairs
        .filter(|(old, new)| default(old) != default(new))
        .map(|(column, _)| format!("column {} has another DEFAULT", column.name))
        .collect();
    if old.retention != new.retention {
        reasons.push("its retention changes".to_owned());
    }
    reasons
}

/// Where a column's values come from, and what that changes; or why the rows there have none.
fn column_source(old: &TableDefinition, new: &Column) -> Result<(ColumnSource, Option<String>), String> {
    let name = &new.name;
    let Some(position) = old.column_index(name.as_str()) else {
        let value = match &new.default {
            Some(value) => value.clone(),
            None if new.nullable => new_null_array(&new.column_type.arrow(), 1),
            None => return Err(format!("column {name} is added as NOT NULL without DEFAULT")),
        };
        if value.get_buffer_memory_size() > ALTER_DEFAULT_BYTES_MAX {
            return Err(format!(
                "the DEFAULT of the added column {name} is longer than {ALTER_DEFAULT_BYTES_MAX} bytes, too long to be \
                 written into every row"
            ));
        }
        return Ok((ColumnSource::Constant(value), Some(format!("column {name} is added"))));
    };
    let before = &old.columns[position];
    let (from, to) = (before.column_type, new.column_type);
    if before.nullable && !new.nullable {
        return Err(format!("column {name} becomes NOT NULL"));
    }
    if from != to && !is_wider(from, to) {
        return Err(format!("column {name} changes from {from} to {to}, which does not hold all its values"));
    }
    let reason = match (from == to, before.nullable == new.nullable) {
        (true, true) => None,
        (true, false) => Some(format!("column {name} may be NULL")),
        (false, true) => Some(format!("column {name} is widened from {from} to {to}")),
        (false, false) => Some(format!("column {name} is widened from {from} to {to} and may be NULL")),
    };
    Ok((ColumnSource::Kept(position), reason))
}

/// Whether every value of one type is a value of the other, the same one.
fn is_wider(from: ColumnType, to: ColumnType) -> bool {
    use ColumnType::{BigInt, Decimal, Double, Int, Real, SmallInt, TinyInt};
    match (from, to) {
        (TinyInt, SmallInt | Int | BigInt | Real | Double)
        | (SmallInt, Int | BigInt | Real | Double)
        | (Int, BigInt | Double)
        | (Real, Double) => true,
        (TinyInt, Decimal { precision, scale }) => precision - scale >= TINYINT_DIGITS,
        (SmallInt, Decimal { precision, scale }) => precision - scale >= SMALLINT_DIGITS,
        (Int, Decimal { precision, scale }) => precision - scale >= INT_DIGITS,
        (BigInt, Decimal { precision, scale }) => precision - scale >= BIGINT_DIGITS,
        (Decimal { precision, scale }, Decimal { precision: to_precision, scale: to_scale }) => {
            to_scale >= scale && to_precision - to_scale >= precision - scale
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
