use std::collections::HashSet;

use headwater_relation::{ColumnSource, Relation};
use headwater_types::{Lsn, Name};

use crate::program::{RelationId, RunningProgram, TableChange, table_change};
use crate::state::{State, table_relation};

/// What becomes of every relation when one program follows another: told by the numbers that relations keep for life, so
/// it is the same when the change is made and when its record is read back.
pub(crate) struct Fates {
    /// Of each table of the new program.
    pub tables: Vec<TableFate>,
    /// Of each materialised view of the new program: its position in the old one, if it is kept.
    pub views: Vec<Option<usize>>,
    /// The kept views that read the very same tables as before: what computes them may go on.
    pub undisturbed: HashSet<Name>,
}

/// Where a table's rows come from. Positions are those in the old program.
#[derive(Clone, Debug)]
pub(crate) enum TableFate {
    /// It is new.
    New,
    /// It is kept.
    Kept(usize),
    /// Its rows get other columns.
    Altered(usize, Vec<ColumnSource>),
}

/// Why one program cannot follow another.
#[derive(Debug, thiserror::Error)]
#[error("table {table} keeps its number, but its rows cannot be kept: {reason}")]
pub(crate) struct FateError {
    table: Name,
    reason: String,
}

impl Fates {
    pub(crate) fn between(old: &RunningProgram, new: &RunningProgram) -> Result<Fates, FateError> {
        let mut tables = Vec::with_capacity(new.tables.len());
        let mut altered: HashSet<&Name> = HashSet::new();
        for table in &new.tables {
            let fate = match position(old.tables.iter().map(|t| t.id), table.id) {
                None => TableFate::New,
                Some(before) => match table_change(&old.tables[before].definition, &table.definition) {
                    TableChange::Same(_) => TableFate::Kept(before),
                    TableChange::Alter(alter) => {
                        altered.insert(&table.definition.name);
                        TableFate::Altered(before, alter.sources)
                    }
                    TableChange::Replace(reasons) => {
                        let table = table.definition.name.clone();
                        return Err(FateError { table, reason: reasons.join("; ") });
                    }
                },
            };
            tables.push(fate);
        }
        let views: Vec<Option<usize>> =
            new.views.iter().map(|view| position(old.views.iter().map(|v| v.id), view.id)).collect();
        let kept = new.views.iter().zip(&views).filter(|(_, before)| before.is_some());
        let undisturbed = kept
            .filter(|(view, _)| !view.definition.reads.iter().any(|read| altered.contains(read)))
            .map(|(view, _)| view.definition.name.clone())
            .collect();
        Ok(Fates { tables, views, undisturbed })
    }
}

/// Gives the tables of the next program the rows of those that stay, at this LSN. For who has no circuit: the state's
/// program is still the old one.
pub(crate) fn carry_tables(state: &mut State, next: &RunningProgram, lsn: Lsn) -> Result<(), FateError> {
    let fates = Fates::between(&state.program, next)?;
    let mut old: Vec<Option<Relation>> = std::mem::take(&mut state.tables);
    for (table, fate) in next.tables.iter().zip(fates.tables) {
        let rows = match fate {
            TableFate::New => table_relation(table),
            TableFate::Kept(before) => old[before].take(),
            TableFate::Altered(before, sources) => {
                state.changed_at.insert(table.id, lsn);
                let definition = &table.definition;
                let rows = old[before].take();
                rows.map(|rows| rows.altered(definition.schema(), definition.primary_key.clone(), sources))
            }
        };
        state.tables.push(rows);
    }
    Ok(())
}

fn position(ids: impl Iterator<Item = RelationId>, id: RelationId) -> Option<usize> {
    ids.enumerate().find(|(_, other)| *other == id).map(|(position, _)| position)
}
