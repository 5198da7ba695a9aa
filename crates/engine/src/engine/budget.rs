//! What all workspaces of a server together may take of the machine, and what each of them may.

use headwater_types::limits;

/// The server-wide budget of memory, caches and threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that all open workspaces together may hold in rows, indexes and dataflows. Beyond it idle ones are parked,
    /// then those that hold more than an equal share take deletions only.
    pub memory_bytes: u64,
    /// Bytes that one workspace may hold unless its own budget says otherwise. Beyond it takes deletions only.
    pub workspace_memory_bytes: u64,
    /// Open workspaces, each of which has threads of its own. Beyond it idle ones are parked, those unused longest
    /// first.
    pub open_workspaces: usize,
    /// How long a workspace stays open that nobody uses.
    pub idle_micros: i64,
    /// Whether a thread looks after all this. Without, somebody calls [`crate::Engine::tidy`].
    pub housekeeping: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::of_memory(limits::MEMORY_BYTES_DEFAULT)
    }
}

impl Budget {
    /// So many bytes for all workspaces, and everything else as usual.
    #[must_use]
    pub fn of_memory(memory_bytes: u64) -> Budget {
        Budget {
            memory_bytes,
            workspace_memory_bytes: memory_bytes,
            open_workspaces: limits::OPEN_WORKSPACES_WANTED,
            idle_micros: limits::IDLE_PARK_MICROS,
            housekeeping: true,
        }
    }

    /// What one workspace may hold that has this budget of its own; 0 if it has none.
    pub(super) fn of_workspace(&self, own: u64) -> u64 {
        if own == 0 { self.workspace_memory_bytes } else { own }
    }
}

/// What the server's budget leaves to each open workspace: no more than an equal share while all together are above it,
/// otherwise as much as there is.
///
/// Whoever holds more than an equal share is the one to shrink. At least one does while the sum is above the budget, so
/// the sum goes no higher than by what is under way.
pub(super) fn share(memory_bytes: u64, held: &[u64]) -> u64 {
    let sum: u64 = held.iter().sum();
    if sum <= memory_bytes { u64::MAX } else { memory_bytes / held.len().max(1) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_all_fit_nobody_is_held_back() {
        assert_eq!(share(100, &[60, 40]), u64::MAX);
        assert_eq!(share(100, &[]), u64::MAX);
    }

    #[test]
    fn beyond_the_budget_those_above_an_equal_share_are_and_small_ones_are_not() {
        let held = [5, 90, 30];
        let share = share(120, &held);
        assert_eq!(held.map(|bytes| bytes >= share), [false, true, false]);
    }
}
