//! A program that may follow the running one.

use std::collections::{BTreeMap, HashMap};

use headwater_sql::{CompileOptions, Diagnostic, Program};
use headwater_types::{Lsn, ProgramVersion};

use super::plan::compare;
use super::{
    Object, PlanAction, PlanEntry, RelationId, RunningProgram, SQL_MODULE, SetProgramError, module, numbered,
};

/// A module's new text, compiled.
#[derive(Clone, Debug)]
pub(crate) struct NewModule {
    name: String,
    text: String,
    compiled: Program,
}

impl NewModule {
    /// Compiles a module's text. A function of the text alone, so it runs before the workspace's thread hears of it.
    pub(crate) fn compile(
        name: &str,
        text: &str,
        options: &CompileOptions,
    ) -> Result<NewModule, SetProgramError> {
        if name != SQL_MODULE {
            return Err(SetProgramError::UnknownModule { name: name.to_owned() });
        }
        let compiled = compile_sql(text, options)?;
        Ok(NewModule { name: name.to_owned(), text: text.to_owned(), compiled })
    }
}

/// Compiles the text of the SQL module.
pub(super) fn compile_sql(text: &str, options: &CompileOptions) -> Result<Program, Diagnostic> {
    headwater_sql::compile(text, options)
}

/// A program that may follow the running one.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub compiled: Program,
    modules: BTreeMap<String, String>,
    pub entries: Vec<PlanEntry>,
}

impl Candidate {
    /// Puts a module in the place of the one there is. `has_rows` tells whether a relation holds any.
    pub(crate) fn new(
        running: &RunningProgram,
        new: &NewModule,
        has_rows: impl Fn(&str) -> bool,
    ) -> Result<Candidate, SetProgramError> {
        let mut modules = running.modules.clone();
        modules.insert(new.name.clone(), new.text.clone());
        let mut entries = compare(running, &new.compiled, has_rows);
        let others: Vec<Object> =
            running.objects().into_iter().filter(|object| object.module != new.name).collect();
        entries.extend(module::effects(&entries, &others)?);
        Ok(Candidate { compiled: new.compiled.clone(), modules, entries })
    }

    /// What data would be lost, in words.
    pub(crate) fn losses(&self) -> Vec<String> {
        let loss = |entry: &PlanEntry| {
            let object = format!("{} {}", entry.kind, entry.name);
            match (entry.action, &entry.reason) {
                (PlanAction::Drop, _) => format!("{object} is dropped"),
                (_, Some(reason)) => format!("{object}: {reason}"),
                (_, None) => object,
            }
        };
        self.entries.iter().filter(|entry| entry.drops_data).map(loss).collect()
    }

    /// The running program that this becomes at this LSN. What is kept keeps its number and incarnation, what is altered
    /// its number.
    pub(crate) fn running(&self, before: &RunningProgram, lsn: Lsn) -> RunningProgram {
        let old: HashMap<&str, (RelationId, Lsn)> = before
            .tables
            .iter()
            .map(|t| (t.definition.name.as_str(), (t.id, t.incarnation)))
            .chain(before.views.iter().map(|v| (v.definition.name.as_str(), (v.id, v.incarnation))))
            .collect();
        let action = |name: &str| {
            let stays = |entry: &&PlanEntry| entry.name == name && entry.action != PlanAction::Drop;
            self.entries.iter().find(stays).map(|entry| entry.action)
        };
        let mut next = before.next_relation;
        let number = |name: &str| -> Result<(RelationId, Lsn), std::convert::Infallible> {
            Ok(match (action(name), old.get(name)) {
                (Some(PlanAction::Keep), Some(&kept)) => kept,
                (Some(PlanAction::Alter), Some(&(id, _))) => (id, lsn),
                _ => {
                    next += 1;
                    (RelationId(next - 1), lsn)
                }
            })
        };
        let version = ProgramVersion(before.version.0 + 1);
        match numbered(version, self.modules.clone(), self.compiled.clone(), number, 0) {
            Ok(mut running) => {
                running.next_relation = next;
                running
            }
        }
    }
}
