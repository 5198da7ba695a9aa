use std::collections::BTreeMap;
use std::path::PathBuf;

use super::namespace::Names;
use super::state::State;

/// How much a power cut could lose now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Unsynced changes of files: sectors and lengths.
    pub file_changes: usize,
    /// Unsynced operations, per folder.
    pub folder_changes: Vec<usize>,
}

/// Which of the unsynced changes have arrived when the power goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// Only what was synced.
    Nothing,
    /// All of it, as if only the process had died.
    Everything,
    /// Those file changes whose bit is set, of the first 64 in order, and this many operations of each folder.
    Chosen {
        /// One bit per file change.
        file_changes: u64,
        /// Operations per folder, in the order of [`Pending::folder_changes`].
        folder_changes: Vec<usize>,
    },
    /// Each file change with even odds, a random prefix of each folder's operations.
    Random {
        /// Determines which.
        seed: u64,
    },
}

impl Pending {
    /// How many different sets could arrive.
    #[must_use]
    pub fn outcomes(&self) -> u64 {
        let files = 1_u64.checked_shl(self.file_changes as u32).unwrap_or(u64::MAX);
        self.folder_changes.iter().fold(files, |all, changes| all.saturating_mul(*changes as u64 + 1))
    }

    /// The n-th of the [`Pending::outcomes`], for up to 63 file changes.
    #[must_use]
    pub fn outcome(&self, n: u64) -> Arrived {
        let file_changes = n & ((1 << self.file_changes) - 1);
        let mut rest = n >> self.file_changes;
        let mut folder_changes = Vec::with_capacity(self.folder_changes.len());
        for changes in &self.folder_changes {
            folder_changes.push((rest % (*changes as u64 + 1)) as usize);
            rest /= *changes as u64 + 1;
        }
        Arrived::Chosen { file_changes, folder_changes }
    }
}

impl State {
    pub(crate) fn pending(&self) -> Pending {
        let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for change in &self.pending_names {
            *folders.entry(change.folder().to_owned()).or_default() += 1;
        }
        Pending {
            file_changes: self.files.values().map(|content| content.pending.len()).sum(),
            folder_changes: folders.into_values().collect(),
        }
    }

    /// The state that is found after a power cut.
    pub(crate) fn after_power_cut(&self, arrived: &Arrived) -> State {
        let pending = self.pending();
        let mut seed = match arrived {
            Arrived::Random { seed } => *seed,
            Arrived::Nothing | Arrived::Everything | Arrived::Chosen { .. } => 0,
        };
        let folder_counts: Vec<usize> = match arrived {
            Arrived::Nothing => vec![0; pending.folder_changes.len()],
            Arrived::Everything => pending.folder_changes.clone(),
            Arrived::Chosen { folder_changes, .. } => folder_changes.clone(),
            Arrived::Random { .. } => {
                let draw = |changes: &usize| (next_random(&mut seed) % (*changes as u64 + 1)) as usize;
                pending.folder_changes.iter().map(draw).collect()
            }
        };
        let mut index = 0_u32;
        let mut arrives = || {
            index += 1;
            match arrived {
                Arrived::Nothing => false,
                Arrived::Everything => true,
                Arrived::Chosen { file_changes, .. } => index <= 64 && file_changes >> (index - 1) & 1 == 1,
                Arrived::Random { .. } => next_random(&mut seed) & 1 == 1,
            }
        };
        let files =
            self.files.iter().map(|(file, content)| (*file, content.after_power_cut(&mut arrives))).collect();
        State::restarted(files, self.names_after_power_cut(&folder_counts), self)
    }

    fn names_after_power_cut(&self, counts: &[usize]) -> Names {
        let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for change in &self.pending_names {
            folders.entry(change.folder().to_owned()).or_default();
        }
        for (left, count) in folders.values_mut().zip(counts) {
            *left = *count;
        }
        let mut names = self.durable_names.clone();
        for change in &self.pending_names {
            if let Some(left) = folders.get_mut(change.folder()).filter(|left| **left > 0) {
                *left -= 1;
                change.apply(&mut names);
            }
        }
        names
    }
}

/// SplitMix64.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
