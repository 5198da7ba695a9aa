use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use headwater_relation::{Alteration, Relation};
use headwater_types::limits::ERRORS_PER_STEP_MAX;
use headwater_types::{Delta, Lsn, Name, WeightedRows};
use headwater_views::{ExpressionError, StepOutput};

use super::backlog::Backlog;
use super::fates::{Fates, TableFate};
use super::fill::{FILL_ROWS, Fill, FillError, begin};
use crate::program::{RelationId, RunningProgram};
use crate::state::{State, table_relation, view_relation};
use crate::story::apply::RelationDelta;

/// A program in the making: its views are filled, its tables altered, beside the running one, which goes on. Nothing of it
/// shows before it is settled.
pub(crate) struct Transition {
    fates: Fates,
    fill: Fill,
    /// Whether all is computed that follows from the fill's rows.
    is_computed: bool,
    backlog: Backlog,
    /// Relations whose changes the new parts need to hear of.
    followed: HashMap<RelationId, Name>,
    /// By the name of the table.
    alterations: HashMap<Name, Alteration>,
    /// The rows of each view of the new program that is new.
    views: HashMap<Name, Relation>,
    /// What the new views found in rows that were there, as far as it is listed.
    pub errors: Vec<ExpressionError>,
}

/// What one piece did.
pub(crate) struct Piece {
    /// Rows that it dealt with; none if it computed what follows from rows of earlier pieces.
    pub rows: usize,
    /// Whether nothing is left to do: the program may be swapped in if nothing changes before.
    pub is_last: bool,
}

impl Transition {
    /// Builds what is new of `next` beside what runs. One that had begun in this state's circuit is dropped.
    pub(crate) fn begin(state: &mut State, next: &RunningProgram) -> Result<Transition, FillError> {
        let fates =
            Fates::between(&state.program, next).map_err(|error| FillError::Build(error.to_string()))?;
        begin(&mut state.circuit, next, &fates.undisturbed)?;
        let mut alterations = HashMap::new();
        let mut stored: HashSet<Name> = HashSet::new();
        for (table, fate) in next.tables.iter().zip(&fates.tables) {
            let definition = &table.definition;
            if matches!(fate, TableFate::New) || !definition.materialized {
                continue;
            }
            stored.insert(definition.name.clone());
            if let TableFate::Altered(_, sources) = fate {
                let key = definition.primary_key.clone();
                let alteration = Alteration::new(definition.schema(), key, sources.clone());
                alterations.insert(definition.name.clone(), alteration);
            }
        }
        let mut views = HashMap::new();
        for (view, before) in next.views.iter().zip(&fates.views) {
            let name = view.definition.name.clone();
            if before.is_some() {
                stored.insert(name);
            } else {
                views.insert(name, view_relation(view));
            }
        }
        // Rows that are not kept cannot be fed, so their changes are not either: a new view begins with what comes after.
        let sources: Vec<Name> =
            state.circuit.change_sources().into_iter().filter(|name| stored.contains(name)).collect();
        let rows = |name: &Name| state.rows(name).map(|rows| (name.clone(), rows.snapshot()));
        let fill = Fill::of(sources.iter().filter_map(rows));
        let running = &state.program;
        let relations = running.tables.iter().map(|table| (table.id, &table.definition.name));
        let relations = relations.chain(running.views.iter().map(|view| (view.id, &view.definition.name)));
        let followed = relations.filter(|(_, name)| sources.contains(name));
        let followed = followed.map(|(id, name)| (id, name.clone())).collect();
        let backlog = Backlog::default();
        let is_computed = false;
        Ok(Transition { fates, fill, is_computed, backlog, followed, alterations, views, errors: Vec::new() })
    }

    /// Hears what a step did to a relation of the running program.
    pub(crate) fn follow(&mut self, change: &RelationDelta) {
        if let Some(name) = self.followed.get(&change.relation)
            && !change.delta.is_empty()
        {
            self.backlog.add(name.clone(), change.delta.clone());
        }
    }

    /// Memory of what waits to be followed.
    pub(crate) fn backlog_bytes(&self) -> usize {
        self.backlog.bytes()
    }

    /// Does about so many rows' worth of what is left: first tables get their columns, then views the rows that were
    /// there when it began, then what changed since.
    ///
    /// An error drops it; what runs goes on.
    pub(crate) fn piece(&mut self, state: &mut State, rows: usize) -> Result<Piece, FillError> {
        let brought = self.backlog.take_rows_brought();
        let converted = self.convert(state, rows);
        if converted >= rows {
            return Ok(Piece { rows: converted, is_last: false });
        }
        let rest = rows - converted;
        let done = if let Some(piece) = self.fill.next(rest) {
            let inputs = piece.into_iter().map(|(name, rows)| (name, Delta::inserted(rows))).collect();
            let (inputs, rows) = self.in_new_columns(inputs);
            let output = state.circuit.load_change(inputs)?;
            self.add(output)?;
            rows
        } else if !self.is_computed {
            let (output, is_done) = state.circuit.compute_change()?;
            self.is_computed = is_done;
            self.add(output)?;
            0
        } else {
            // More than comes in, or it would never end.
            let changes = self.backlog.take(rest.max(brought.saturating_mul(2)));
            let (inputs, rows) = self.in_new_columns(changes);
            let output = state.circuit.feed_change(inputs)?;
            self.add(output)?;
            rows
        };
        let is_last = self.fill.is_empty() && self.is_computed && self.backlog.is_empty();
        Ok(Piece { rows: converted + done, is_last })
    }

    /// Does all that is left, for who has nobody waiting.
    pub(crate) fn run_to_end(&mut self, state: &mut State) -> Result<(), FillError> {
        while !self.piece(state, FILL_ROWS)?.is_last {}
        Ok(())
    }

    fn convert(&mut self, state: &State, rows: usize) -> usize {
        let mut converted = 0;
        for (name, alteration) in &mut self.alterations {
            if let Some(table) = state.rows(name).filter(|_| converted < rows) {
                converted += alteration.convert(table, rows - converted);
            }
        }
        converted
    }

    /// Changes as the new program's tables have them, and how many rows they are.
    fn in_new_columns(&self, inputs: Vec<(Name, Delta)>) -> (Vec<(Name, Delta)>, usize) {
        let converted = |(name, delta): (Name, Delta)| match self.alterations.get(&name) {
            None => (name, delta),
            Some(alteration) => {
                let part = |part: WeightedRows| WeightedRows { rows: alteration.batch(&part.rows), ..part };
                (name, Delta { parts: delta.parts.into_iter().map(part).collect() })
            }
        };
        let rows = inputs.iter().map(|(_, delta)| delta.num_rows()).sum();
        (inputs.into_iter().map(converted).collect(), rows)
    }

    /// New views get what the circuit finds; a kept one has its rows already.
    fn add(&mut self, output: StepOutput) -> Result<(), FillError> {
        let room = ERRORS_PER_STEP_MAX.saturating_sub(self.errors.len());
        let of_new = output.errors.into_iter().filter(|error| self.views.contains_key(&error.view));
        self.errors.extend(of_new.take(room));
        for (name, delta) in output.deltas {
            if let Some(rows) = self.views.get_mut(&name) {
                let change = rows.prepare_multiset(&delta).map_err(|error| FillError::Inconsistent {
                    view: name.clone(),
                    reason: error.to_string(),
                })?;
                rows.publish(change);
            }
        }
        Ok(())
    }

    /// Swaps the program in, at this LSN: rows, circuit and all.
    pub(crate) fn settle(mut self, state: &mut State, program: RunningProgram, lsn: Lsn) {
        let mut old_tables: Vec<Option<Relation>> = std::mem::take(&mut state.tables);
        let mut old_views: Vec<Option<Relation>> =
            std::mem::take(&mut state.views).into_iter().map(Some).collect();
        for (table, fate) in program.tables.iter().zip(&self.fates.tables) {
            let rows = match fate {
                TableFate::New => table_relation(table),
                TableFate::Kept(before) => old_tables[*before].take(),
                TableFate::Altered(before, _) => {
                    state.changed_at.insert(table.id, lsn);
                    let alteration = self.alterations.remove(&table.definition.name);
                    old_tables[*before]
                        .as_ref()
                        .zip(alteration)
                        .map(|(rows, alteration)| alteration.finish(rows))
                }
            };
            state.tables.push(rows);
        }
        for (view, before) in program.views.iter().zip(&self.fates.views) {
            let rows = match before {
                Some(before) => old_views[*before].take(),
                None => self.views.remove(&view.definition.name),
            };
            state.views.push(rows.expect("every view has rows, and each is kept once"));
        }
        state.circuit.finish_change();
        state.program = Arc::new(program);
        let ids: HashSet<RelationId> = state.stored().into_iter().map(|(id, _)| id).collect();
        state.changed_at.retain(|id, _| ids.contains(id));
    }
}
