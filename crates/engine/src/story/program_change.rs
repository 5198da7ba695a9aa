//! A program change is one record. It is built and filled beside the running program, made durable, then swapped in:
//! before its record is durable nothing has changed, and after that a restart comes to the same program.

use std::sync::Arc;

use headwater_relation::Relation;
use headwater_types::{Delta, Name};
use headwater_views::{Circuit, ExpressionError};

use crate::clock::Clocks;
use crate::program::{RelationId, RunningProgram};
use crate::record::{ErrorRecord, LogRecord, ProgramChangeRecord};
use crate::state::{FillError, State, filled_circuit, table_relation, view_relation};

/// A program that is ready to be swapped in. Dropping it leaves no trace.
pub(crate) struct Transition {
    program: Arc<RunningProgram>,
    tables: Vec<Slot>,
    views: Vec<Slot>,
    circuit: Option<Circuit>,
    /// What the new views found in rows that were there before.
    pub errors: Vec<ExpressionError>,
}

/// Where a relation of the new program comes from.
enum Slot {
    /// It is kept: its position in the old program.
    Kept(usize),
    /// It is new; `None` for a table that does not keep its rows.
    New(Option<Relation>),
}

/// Builds the new program beside the running one, and fills its views from the tables that stay.
pub(crate) fn prepare(state: &State, program: RunningProgram) -> Result<Transition, FillError> {
    let old = &state.program;
    let tables: Vec<Slot> = program
        .tables
        .iter()
        .map(|table| match position(old.tables.iter().map(|t| t.id), table.id) {
            Some(kept) => Slot::Kept(kept),
            None => Slot::New(table_relation(table)),
        })
        .collect();
    let mut views: Vec<Slot> = program
        .views
        .iter()
        .map(|view| match position(old.views.iter().map(|v| v.id), view.id) {
            Some(kept) => Slot::Kept(kept),
            None => Slot::New(Some(view_relation(view))),
        })
        .collect();
    let rows: Vec<Option<&Relation>> = tables
        .iter()
        .map(|slot| match slot {
            Slot::Kept(old) => state.tables[*old].as_ref(),
            Slot::New(rows) => rows.as_ref(),
        })
        .collect();
    let names: Vec<Name> = program.views.iter().map(|view| view.definition.name.clone()).collect();
    let kept: Vec<&Name> = names
        .iter()
        .zip(&views)
        .filter(|(_, slot)| matches!(slot, Slot::Kept(_)))
        .map(|(name, _)| name)
        .collect();
    let is_new = |name: &Name| !kept.contains(&name);
    let filled =
        filled_circuit(&program, &rows, is_new, |name, delta| add_to_new(&names, &mut views, name, &delta))?;
    let errors = filled.errors;
    Ok(Transition { program: Arc::new(program), tables, views, circuit: filled.circuit, errors })
}

fn position(ids: impl Iterator<Item = RelationId>, id: RelationId) -> Option<usize> {
    ids.enumerate().find(|(_, other)| *other == id).map(|(position, _)| position)
}

/// A kept view has its rows already; a new one gets what the circuit finds.
fn add_to_new(names: &[Name], views: &mut [Slot], name: &Name, delta: &Delta) -> Result<(), FillError> {
    let view = names.iter().position(|other| other == name).map(|position| &mut views[position]);
    if let Some(Slot::New(Some(rows))) = view {
        let change = rows
            .prepare_multiset(delta)
            .map_err(|error| FillError::Inconsistent { view: name.clone(), reason: error.to_string() })?;
        rows.publish(change);
    }
    Ok(())
}

fn error_record(error: &ExpressionError) -> ErrorRecord {
    ErrorRecord { view: error.view.to_string(), column: error.column.clone(), reason: error.reason.clone() }
}

/// The errors that a logged change found. Replay lists these: where rows lie may differ, and with it which are found first.
pub(crate) fn logged_errors(change: &ProgramChangeRecord) -> Vec<ExpressionError> {
    let error = |record: &ErrorRecord| {
        let view = Name::system(&record.view).ok()?;
        Some(ExpressionError { view, column: record.column.clone(), reason: record.reason.clone() })
    };
    change.errors.iter().filter_map(error).collect()
}

impl Transition {
    /// The record of the change.
    pub(crate) fn record(&self, state: &State, clocks: Clocks) -> LogRecord {
        LogRecord::ProgramChange(ProgramChangeRecord {
            stamp: Some(state.stamp(clocks)),
            version: self.program.version.0,
            modules: self.program.module_records(),
            relations: self.program.relation_records(),
            errors: self.errors.iter().map(error_record).collect(),
        })
    }

    /// Swaps the program in.
    pub(crate) fn settle(self, state: &mut State) {
        let mut old_tables: Vec<Option<Relation>> = std::mem::take(&mut state.tables);
        let mut old_views: Vec<Option<Relation>> =
            std::mem::take(&mut state.views).into_iter().map(Some).collect();
        state.tables = self
            .tables
            .into_iter()
            .map(|slot| match slot {
                Slot::Kept(old) => old_tables[old].take(),
                Slot::New(rows) => rows,
            })
            .collect();
        let views = self.views.into_iter().map(|slot| match slot {
            Slot::Kept(old) => old_views[old].take(),
            Slot::New(rows) => rows,
        });
        state.views = views.map(|rows| rows.expect("every view has rows, and each is kept once")).collect();
        state.circuit = self.circuit;
        state.program = self.program;
        let ids: std::collections::HashSet<RelationId> =
            state.stored().into_iter().map(|(id, _)| id).collect();
        state.changed_at.retain(|id, _| ids.contains(id));
    }
}
