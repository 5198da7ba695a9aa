use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use headwater_sql::{CompileOptions, Diagnostic, Program, ViewDefinition};
use headwater_types::{Lsn, ProgramVersion, TableDefinition};

use crate::record::{ModuleRecord, RelationRecord};

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
    /// The LSN at which it was created.
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
        let compiled = compile_modules(&modules, options)?;
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

fn compile_modules(
    modules: &BTreeMap<String, String>,
    options: &CompileOptions,
) -> Result<Program, Diagnostic> {
    headwater_sql::compile(modules.get(SQL_MODULE).map_or("", String::as_str), options)
}

/// What setting a program may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetProgram {
    /// Tables may be dropped, or dropped and made anew, with their rows.
    pub drop_data: bool,
    /// The module that the text replaces.
    pub module: String,
}

impl Default for SetProgram {
    fn default() -> SetProgram {
        SetProgram { drop_data: false, module: SQL_MODULE.to_owned() }
    }
}

/// What became of a program change.
#[derive(Clone, Debug)]
pub struct ProgramAnswer {
    /// The LSN of the change.
    pub lsn: Lsn,
    /// The version from there on.
    pub version: ProgramVersion,
    /// What was done with each object.
    pub entries: Vec<PlanEntry>,
}

/// What a program change would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One entry per table and view, old and new.
    pub entries: Vec<PlanEntry>,
}

/// What a program change does with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanEntry {
    /// The object.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// What is done with it.
    pub action: PlanAction,
    /// Whether rows that clients sent are lost by it.
    pub drops_data: bool,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanAction {
    /// It is new.
    Create,
    /// It stays as it is, with its rows.
    Keep,
    /// It is dropped and made anew.
    Replace,
    /// It is dropped.
    Drop,
}

/// Why a program was not set. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum SetProgramError {
    /// The text is wrong.
    #[error(transparent)]
    Diagnostic(#[from] Diagnostic),
    /// The module is not one that can be set.
    #[error("there is no module {name:?}; the module that can be set is {SQL_MODULE:?}")]
    UnknownModule {
        /// The module asked for.
        name: String,
    },
    /// Tables with rows would be dropped, or views whose rows are nowhere else.
    #[error("the rows of {} would be lost", tables.join(", "))]
    DropsData {
        /// The tables and views.
        tables: Vec<String>,
    },
    /// The views could not be built or filled.
    #[error("the program's views cannot be computed: {reason}")]
    Build {
        /// Why.
        reason: String,
    },
    /// Records wait for the resume, decoded under the running program.
    #[error("{queued} records wait for the resume")]
    RecordsQueued {
        /// How many.
        queued: u64,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was changed")]
    NoSpace,
    /// The log failed while the change was being written.
    #[error("the log failed while the change was written, its outcome is unknown")]
    OutcomeUnknown,
    /// The workspace takes no writes.
    #[error("workspace {workspace:?} takes no writes: {reason}")]
    ReadOnly {
        /// Its name.
        workspace: String,
        /// Why.
        reason: String,
    },
    /// Too much waits already.
    #[error("too many requests wait for workspace {workspace:?}")]
    QueueFull {
        /// Its name.
        workspace: String,
    },
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {workspace:?} is closing")]
    ShuttingDown {
        /// Its name.
        workspace: String,
    },
}

/// A program that may follow the running one.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub compiled: Program,
    pub modules: BTreeMap<String, String>,
    pub entries: Vec<PlanEntry>,
}

/// Compiles a module's new text and compares it with the running program. `has_rows` tells whether a table holds any.
pub(crate) fn candidate(
    running: &RunningProgram,
    text: &str,
    module: &str,
    options: &CompileOptions,
    has_rows: impl Fn(&str) -> bool,
) -> Result<Candidate, SetProgramError> {
    if module != SQL_MODULE {
        return Err(SetProgramError::UnknownModule { name: module.to_owned() });
    }
    let mut modules = running.modules.clone();
    modules.insert(module.to_owned(), text.to_owned());
    let compiled = compile_modules(&modules, options)?;
    let entries = compare(running, &compiled, has_rows);
    Ok(Candidate { compiled, modules, entries })
}

/// Whether rows of one definition can be read as rows of the other. Retention may differ.
fn same_rows(old: &TableDefinition, new: &TableDefinition) -> bool {
    old.columns == new.columns && old.primary_key == new.primary_key && old.materialized == new.materialized
}

fn compare(running: &RunningProgram, new: &Program, has_rows: impl Fn(&str) -> bool) -> Vec<PlanEntry> {
    let old = &running.compiled;
    // Rows of a view over a table that does not keep its own are nowhere else.
    let unkept_rows = |name: &str| {
        running.views.iter().any(|view| view.from_unkept && view.definition.name.as_str() == name)
            && has_rows(name)
    };
    let mut kept: HashSet<&str> = HashSet::new();
    let mut entries = Vec::new();
    for table in &new.tables {
        let before = old.tables.iter().find(|t| t.name == table.name);
        let action = match before {
            None => PlanAction::Create,
            Some(before) if same_rows(before, table) => PlanAction::Keep,
            Some(_) => PlanAction::Replace,
        };
        if action == PlanAction::Keep {
            kept.insert(table.name.as_str());
        }
        let drops_data = action == PlanAction::Replace && has_rows(table.name.as_str());
        entries.push(PlanEntry { name: table.name.to_string(), kind: "table", action, drops_data });
    }
    for view in &new.views {
        let before = old.views.iter().find(|v| v.name == view.name);
        let action = match before {
            None => PlanAction::Create,
            Some(before)
                if same_view(before, view) && view.reads.iter().all(|r| kept.contains(r.as_str())) =>
            {
                kept.insert(view.name.as_str());
                PlanAction::Keep
            }
            Some(_) => PlanAction::Replace,
        };
        let drops_data = action == PlanAction::Replace && unkept_rows(view.name.as_str());
        entries.push(PlanEntry { name: view.name.to_string(), kind: "view", action, drops_data });
    }
    entries.extend(dropped(old, new, &has_rows, unkept_rows));
    entries
}

fn same_view(old: &ViewDefinition, new: &ViewDefinition) -> bool {
    old.columns == new.columns && old.materialized == new.materialized && old.plan == new.plan
}

fn dropped(
    old: &Program,
    new: &Program,
    has_rows: impl Fn(&str) -> bool,
    unkept_rows: impl Fn(&str) -> bool,
) -> Vec<PlanEntry> {
    let table_stays = |name: &str| new.tables.iter().any(|t| t.name.as_str() == name);
    let view_stays = |name: &str| new.views.iter().any(|v| v.name.as_str() == name);
    let gone = |name: &str, kind: &'static str, drops_data: bool| PlanEntry {
        name: name.to_owned(),
        kind,
        action: PlanAction::Drop,
        drops_data,
    };
    let tables = old.tables.iter().map(|t| t.name.as_str()).filter(|name| !table_stays(name));
    let views = old.views.iter().map(|v| v.name.as_str()).filter(|name| !view_stays(name));
    tables
        .map(|name| gone(name, "table", has_rows(name)))
        .chain(views.map(|name| gone(name, "view", unkept_rows(name))))
        .collect()
}

impl Candidate {
    /// The tables whose rows would be lost.
    pub(crate) fn dropped_tables(&self) -> Vec<String> {
        self.entries.iter().filter(|entry| entry.drops_data).map(|entry| entry.name.clone()).collect()
    }

    /// Whether the object of this name stays as it is.
    fn keeps(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name && entry.action == PlanAction::Keep)
    }

    /// The running program that this candidate becomes at this LSN. Kept relations keep their numbers.
    pub(crate) fn into_running(self, before: &RunningProgram, lsn: Lsn) -> RunningProgram {
        let old: HashMap<&str, (RelationId, Lsn)> = before
            .tables
            .iter()
            .map(|t| (t.definition.name.as_str(), (t.id, t.incarnation)))
            .chain(before.views.iter().map(|v| (v.definition.name.as_str(), (v.id, v.incarnation))))
            .filter(|(name, _)| self.keeps(name))
            .collect();
        let mut next = before.next_relation;
        let number = |name: &str| -> Result<(RelationId, Lsn), std::convert::Infallible> {
            Ok(old.get(name).copied().unwrap_or_else(|| {
                next += 1;
                (RelationId(next - 1), lsn)
            }))
        };
        let version = ProgramVersion(before.version.0 + 1);
        match numbered(version, self.modules, self.compiled, number, 0) {
            Ok(mut running) => {
                running.next_relation = next;
                running
            }
        }
    }
}
