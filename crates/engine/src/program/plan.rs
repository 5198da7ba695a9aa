//! What setting a program does with each object, and why.

use std::collections::HashSet;

use headwater_sql::{Program, ViewDefinition};
use headwater_types::Name;

use super::widening::{TableChange, table_change};
use super::{RunningProgram, SQL_MODULE};

/// What a program change would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One entry per table and view, old and new.
    pub entries: Vec<PlanEntry>,
}

/// What a program change does with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanEntry {
    /// The module that the object is of.
    pub module: String,
    /// The object.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// What is done with it.
    pub action: PlanAction,
    /// Why, where the action alone does not say it.
    pub reason: Option<String>,
    /// Whether data that clients sent is lost by it.
    pub drops_data: bool,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanAction {
    /// It is new.
    Create,
    /// It stays as it is, with its rows.
    Keep,
    /// It stays with its rows, which get other columns.
    Alter,
    /// It is dropped and made anew.
    Replace,
    /// It is dropped.
    Drop,
}

/// Compares what is running with what the SQL module says now. `has_rows` tells whether a relation holds any.
pub(super) fn compare(
    running: &RunningProgram,
    new: &Program,
    has_rows: impl Fn(&str) -> bool,
) -> Vec<PlanEntry> {
    let mut comparison = Comparison { running, has_rows, kept: HashSet::new(), altered: HashSet::new() };
    let mut entries: Vec<PlanEntry> = new.tables.iter().map(|table| comparison.table(table)).collect();
    entries.extend(new.views.iter().map(|view| comparison.view(view)));
    entries.extend(comparison.dropped(new));
    entries
}

struct Comparison<'a, F> {
    running: &'a RunningProgram,
    has_rows: F,
    /// Relations that stay as they are.
    kept: HashSet<Name>,
    /// Tables that get other columns.
    altered: HashSet<Name>,
}

impl<F: Fn(&str) -> bool> Comparison<'_, F> {
    fn table(&mut self, table: &headwater_types::TableDefinition) -> PlanEntry {
        let name = table.name.as_str();
        let before = self.running.compiled.tables.iter().find(|t| t.name == table.name);
        let Some(before) = before else { return entry(name, "table", PlanAction::Create) };
        let has_rows = (self.has_rows)(name);
        match table_change(before, table) {
            TableChange::Same(reasons) => {
                self.kept.insert(table.name.clone());
                because(reasons, entry(name, "table", PlanAction::Keep))
            }
            TableChange::Alter(alter) => {
                self.altered.insert(table.name.clone());
                let drops_data = has_rows && !alter.dropped.is_empty();
                let altered = PlanEntry { drops_data, ..entry(name, "table", PlanAction::Alter) };
                because(alter.reasons, altered)
            }
            TableChange::Replace(reasons) => {
                let replaced = entry(name, "table", PlanAction::Replace);
                because(reasons, PlanEntry { drops_data: has_rows, ..replaced })
            }
        }
    }

    fn view(&mut self, view: &ViewDefinition) -> PlanEntry {
        let name = view.name.as_str();
        let before = self.running.compiled.views.iter().find(|v| v.name == view.name);
        let Some(before) = before else { return entry(name, "view", PlanAction::Create) };
        match self.changed(before, view) {
            None => {
                self.kept.insert(view.name.clone());
                entry(name, "view", PlanAction::Keep)
            }
            Some(reason) => {
                let replaced = entry(name, "view", PlanAction::Replace);
                because(vec![reason], PlanEntry { drops_data: self.holds_unkept_rows(name), ..replaced })
            }
        }
    }

    /// Why a view's rows are not what they were, if so.
    fn changed(&self, before: &ViewDefinition, view: &ViewDefinition) -> Option<String> {
        if before.materialized != view.materialized {
            let kept = if view.materialized { "kept from here on" } else { "not kept any more" };
            return Some(format!("its rows are {kept}"));
        }
        let stays = |name: &&Name| self.kept.contains(*name) || self.altered.contains(*name);
        if let Some(read) = view.reads.iter().find(|read| !stays(read)) {
            return Some(format!("it reads {read}, which is made anew"));
        }
        if before.computes_the_same_as(view) {
            return None;
        }
        // The same words over other columns: the table is to blame, not the view.
        let altered = view.reads.iter().find(|read| self.altered.contains(*read) && before.sql == view.sql);
        Some(altered.map_or_else(
            || "its SELECT changes".to_owned(),
            |table| format!("it reads columns of {table} that change"),
        ))
    }

    /// Whether it is a view over a table that does not keep its rows, and holds some: they are nowhere else.
    fn holds_unkept_rows(&self, name: &str) -> bool {
        let mut views = self.running.views.iter();
        views.any(|view| view.from_unkept && view.definition.name.as_str() == name) && (self.has_rows)(name)
    }

    fn dropped(&self, new: &Program) -> Vec<PlanEntry> {
        let old = &self.running.compiled;
        let gone = |name: &Name, kind, drops_data| PlanEntry {
            drops_data,
            ..entry(name.as_str(), kind, PlanAction::Drop)
        };
        let tables = old.tables.iter().filter(|old| !new.tables.iter().any(|table| table.name == old.name));
        let views = old.views.iter().filter(|old| !new.views.iter().any(|view| view.name == old.name));
        tables
            .map(|table| gone(&table.name, "table", (self.has_rows)(table.name.as_str())))
            .chain(views.map(|view| gone(&view.name, "view", self.holds_unkept_rows(view.name.as_str()))))
            .collect()
    }
}

fn entry(name: &str, kind: &'static str, action: PlanAction) -> PlanEntry {
    let module = SQL_MODULE.to_owned();
    PlanEntry { module, name: name.to_owned(), kind, action, reason: None, drops_data: false }
}

fn because(reasons: Vec<String>, entry: PlanEntry) -> PlanEntry {
    PlanEntry { reason: (!reasons.is_empty()).then(|| reasons.join("; ")), ..entry }
}
