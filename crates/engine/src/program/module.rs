//! A program is a set of modules, and each owns its objects. What one module uses of another cannot be taken from under
//! it: the refusal names who uses it, and the plan tells what others notice.

use super::{PlanAction, PlanEntry, RunningProgram, SQL_MODULE};

/// One object of a program. The names of all modules' objects are one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The module that owns it.
    pub module: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The names of the objects that it uses, whichever module owns them.
    pub uses: Vec<String>,
}

/// Why a module's objects cannot become what its text says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleConflict {
    /// Objects of other modules use what would be dropped or made anew.
    #[error("{name} cannot be dropped or made anew: it is used by {}", dependents.join(", "))]
    InUse {
        /// The object.
        name: String,
        /// Who uses it: kind, name and module of each.
        dependents: Vec<String>,
    },
    /// Another module has an object of this name.
    #[error("the name {name} is taken by a {kind} of module {module}")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        kind: &'static str,
        /// Who owns that.
        module: String,
    },
}

impl RunningProgram {
    /// Every object, with what it uses.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        let object = |kind, name: &headwater_types::Name, uses| Object {
            module: SQL_MODULE.to_owned(),
            kind,
            name: name.to_string(),
            uses,
        };
        let tables = self.compiled.tables.iter().map(|table| object("table", &table.name, Vec::new()));
        let views = self.compiled.views.iter().map(|view| {
            let uses = view.reads.iter().map(ToString::to_string).collect();
            object("view", &view.name, uses)
        });
        tables.chain(views).collect()
    }
}

/// What other modules' objects notice of what one module's change does to its own: an entry for each of them.
pub(super) fn effects(entries: &[PlanEntry], others: &[Object]) -> Result<Vec<PlanEntry>, ModuleConflict> {
    let entry_of = |name: &str| {
        let stays = |entry: &&PlanEntry| entry.name == name && entry.action != PlanAction::Drop;
        entries.iter().find(stays).or_else(|| entries.iter().find(|entry| entry.name == name))
    };
    for other in others {
        if entries.iter().any(|entry| entry.name == other.name && entry.action == PlanAction::Create) {
            let Object { module, kind, name, .. } = other.clone();
            return Err(ModuleConflict::NameTaken { name, kind, module });
        }
    }
    let goes = |entry: &&PlanEntry| matches!(entry.action, PlanAction::Drop | PlanAction::Replace);
    for gone in entries.iter().filter(goes) {
        let users = others.iter().filter(|other| other.uses.contains(&gone.name));
        let dependents: Vec<String> =
            users.map(|user| format!("{} {} of module {}", user.kind, user.name, user.module)).collect();
        if !dependents.is_empty() {
            return Err(ModuleConflict::InUse { name: gone.name.clone(), dependents });
        }
    }
    let noticed = |other: &Object| {
        let altered = other.uses.iter().filter_map(|used| entry_of(used));
        let reasons: Vec<String> = altered
            .filter(|entry| entry.action == PlanAction::Alter)
            .map(|entry| {
                format!("it uses {}: {}", entry.name, entry.reason.as_deref().unwrap_or("it changes"))
            })
            .collect();
        PlanEntry {
            module: other.module.clone(),
            name: other.name.clone(),
            kind: other.kind,
            action: PlanAction::Keep,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            drops_data: false,
        }
    };
    Ok(others.iter().map(noticed).collect())
}

#[cfg(test)]
mod tests;
