//! Setting a module of the program: how it is asked, what is answered, why it is refused.

use headwater_sql::Diagnostic;
use headwater_types::{Lsn, ProgramVersion};

use super::module::ModuleConflict;
use super::{PlanEntry, SQL_MODULE};

/// What setting a program may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetProgram {
    /// Data may be lost: tables may be dropped or made anew with their rows, columns dropped with their values.
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

/// Why a program was not set. Nothing changed, unless said otherwise.
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
    /// What other modules have stands in the way.
    #[error(transparent)]
    Conflict(#[from] ModuleConflict),
    /// Rows or columns would be lost that clients sent.
    #[error("data would be lost: {}", losses.join("; "))]
    DropsData {
        /// What is lost, and why: one text for each table or view.
        losses: Vec<String>,
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
    /// Too many changes of the program wait for the one that is under way.
    #[error("the program of workspace {workspace:?} is being changed, and many changes wait")]
    Changing {
        /// Its name.
        workspace: String,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was changed")]
    NoSpace,
    /// The log failed while the change was being written: whether it took place is not known.
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
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {workspace:?} is closing")]
    ShuttingDown {
        /// Its name.
        workspace: String,
    },
}
