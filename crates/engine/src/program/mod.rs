//! What a workspace runs: tables and views by number, from modules that own them; and what a change of it does.

/// A program that may follow the running one.
mod candidate;
/// Who owns what, and who uses it.
mod module;
/// What setting a program does with each object.
mod plan;
/// Setting a module: request, answer, refusal.
mod set;
/// What a table's new definition makes of its rows.
mod widening;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use headwater_sql::{CompileOptions, Diagnostic, Program, ViewDefinition};
use headwater_types::{Lsn, ProgramVersion, TableDefinition};

use crate::record::{ModuleRecord, RelationRecord};
use candidate::compile_sql;

pub(crate) use candidate::{Candidate, NewModule};
pub use module::{ModuleConflict, Object};
pub use plan::{Plan, PlanAction, PlanEntry};
pub use set::{ProgramAnswer, SetProgram, SetProgramError};
pub(crate) use widening::{TableChange, table_change};

/// The number a relation keeps for life; on disk and in the log there are only numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub u32);

/// The system table `quarantine`.
pub(crate) const QUARANTINE: RelationId = RelationId(1);
/// The system table `error_view`.
pub(crate) const ERROR_VIEW: RelationId = RelationId(2);
/// The first number that a program's relation may get; those below are the system's.
const FIRST_USER_RELATION: u32 = 16;

/// The module that a workspace's SQL text makes up.
pub const SQL_MODULE: &str = "sql";

/// A table of the running program.
#[derive(Clone, Debug)]
pub struct ProgramTable {
    /// Its number.
    pub id: RelationId,
    /// The LSN at which it was created, or its columns changed.
    pub incarnation: Lsn,
    /// What `CREATE TABLE` said.
    pub definition: Arc<TableDefinition>,
}

/// A materialised view of the running program.
#[derive(Clone, Debug)]
pub struct ProgramView {
    /// Its number.
    pub id: RelationId,
    /// The LSN at which it was created.
    pub incarnation: Lsn,
    /// Its plan.
    pub definition: Arc<ViewDefinition>,
    /// Whether it reads, through whatever views, a table that does not keep its rows. Such a view cannot be computed
    /// again from tables, so its rows are snapshotted like a table's.
    pub from_unkept: bool,
}

/// The definitions of a workspace, as of one version. Immutable.
#[derive(Debug)]
pub struct RunningProgram {
    /// How many changes led here.
    pub version: ProgramVersion,
    /// The text of each module.
    pub modules: BTreeMap<String, String>,
    /// What the modules compile to.
    pub compiled: Program,
    /// The tables, in the order of `compiled.tables`.
    pub tables: Vec<ProgramTable>,
    /// The materialised views, in the order of `compiled.views`.
    pub views: Vec<ProgramView>,
    /// The next relation to come gets at least this number.
    pub(crate) next_relation: u32,
}

impl RunningProgram {
    /// The program of a new workspace: nothing is defined.
    #[must_use]
    pub fn empty() -> RunningProgram {
        RunningProgram {
            version: ProgramVersion(0),
            modules: BTreeMap::new(),
            compiled: Program { tables: Vec::new(), views: Vec::new() },
            tables: Vec::new(),
            views: Vec::new(),
            next_relation: FIRST_USER_RELATION,
        }
    }

    /// The position of a table in `tables`.
    #[must_use]
    pub fn table_index(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.definition.name.as_str() == name)
    }

    /// The position in `tables` of the table with this number.
    pub(crate) fn table_with_id(&self, id: u32) -> Option<usize> {
        self.tables.iter().position(|table| table.id.0 == id)
    }

    /// The definitions that requests are decoded with.
    #[must_use]
    pub fn table_definitions(&self) -> Vec<Arc<TableDefinition>> {
        self.tables.iter().map(|table| Arc::clone(&table.definition)).collect()
    }

    /// The modules as the log holds them.
    pub(crate) fn module_records(&self) -> Vec<ModuleRecord> {
        let record =
            |(name, text): (&String, &String)| ModuleRecord { name: name.clone(), text: text.clone() };
        self.modules.iter().map(record).collect()
    }

    /// The relations' numbers as the log holds them.
    pub(crate) fn relation_records(&self) -> Vec<RelationRecord> {
        let tables = self.tables.iter().map(|t| (t.definition.name.as_str(), t.id, t.incarnation));
        let views = self.views.iter().map(|v| (v.definition.name.as_str(), v.id, v.incarnation));
        tables
            .chain(views)
            .map(|(name, id, incarnation)| RelationRecord {
                name: name.to_owned(),
                relation: id.0,
                incarnation: incarnation.0,
            })
            .collect()
    }

    /// The program that the log's records describe.
    pub(crate) fn restore(
        version: ProgramVersion,
        modules: &[ModuleRecord],
        relations: &[RelationRecord],
        options: &CompileOptions,
    ) -> Result<RunningProgram, RestoreProgramError> {
        let modules: BTreeMap<String, String> =
            modules.iter().map(|module| (module.name.clone(), module.text.clone())).collect();
        let compiled = compile_sql(modules.get(SQL_MODULE).map_or("", String::as_str), options)?;
        let numbers: HashMap<&str, (RelationId, Lsn)> = relations
            .iter()
            .map(|r| (r.name.as_str(), (RelationId(r.relation), Lsn(r.incarnation))))
            .collect();
        let number = |name: &str| {
            numbers.get(name).copied().ok_or_else(|| RestoreProgramError::NoNumber { name: name.to_owned() })
        };
        let highest = relations.iter().map(|r| r.relation).max().unwrap_or(0);
        numbered(version, modules, compiled, number, FIRST_USER_RELATION.max(highest + 1))
    }
}

/// Why a logged program could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreProgramError {
    /// The text does not compile any more.
    #[error("the logged program does not compile with this version: {0}")]
    Compile(#[from] Diagnostic),
    /// A relation has no number.
    #[error("the logged program gives no number to {name:?}")]
    NoNumber {
        /// The relation.
        name: String,
    },
}

/// Assigns numbers and finds out which views depend on rows that are not kept.
fn numbered<E>(
    version: ProgramVersion,
    modules: BTreeMap<String, String>,
    compiled: Program,
    mut number: impl FnMut(&str) -> Result<(RelationId, Lsn), E>,
    next_relation: u32,
) -> Result<RunningProgram, E> {
    let mut tables = Vec::new();
    let mut unkept: HashSet<String> = HashSet::new();
    for definition in &compiled.tables {
        let (id, incarnation) = number(definition.name.as_str())?;
        if !definition.materialized {
            unkept.insert(definition.name.to_string());
        }
        tables.push(ProgramTable { id, incarnation, definition: Arc::clone(definition) });
    }
    let mut views = Vec::new();
    for definition in compiled.views.iter().filter(|view| view.materialized) {
        let (id, incarnation) = number(definition.name.as_str())?;
        let from_unkept = definition.reads.iter().any(|name| unkept.contains(name.as_str()));
        if from_unkept {
            unkept.insert(definition.name.to_string());
        }
        views.push(ProgramView { id, incarnation, definition: Arc::clone(definition), from_unkept });
    }
    Ok(RunningProgram { version, modules, compiled, tables, views, next_relation })
}
