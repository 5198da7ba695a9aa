use std::io;

/// Failures to come.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Operations of this kind …
    pub kind: FaultKind,
    /// … fail at the n-th from now (the first is 1); `None` for never.
    pub nth: Option<u64>,
    /// Do all later ones fail, too?
    pub is_permanent: bool,
    /// Every sync, of files and folders, says that it is done and does nothing. For negative controls.
    pub ignores_syncs: bool,
}

/// What fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultKind {
    /// Syncs of files and folders.
    #[default]
    Sync,
    /// Everything that changes the disk: writes, lengths, names, syncs.
    AnyChange,
}

impl Faults {
    /// The n-th sync from now fails.
    #[must_use]
    pub fn nth_sync(n: u64) -> Faults {
        Faults { nth: Some(n), ..Faults::default() }
    }

    /// The n-th change from now fails.
    #[must_use]
    pub fn nth_change(n: u64) -> Faults {
        Faults { nth: Some(n), kind: FaultKind::AnyChange, ..Faults::default() }
    }

    /// Counts an operation, and fails it if it is its turn.
    pub(crate) fn count(&mut self, is_sync: bool) -> io::Result<()> {
        if !is_sync && self.kind == FaultKind::Sync {
            return Ok(());
        }
        match &mut self.nth {
            None => Ok(()),
            Some(nth) if *nth > 1 => {
                *nth -= 1;
                Ok(())
            }
            Some(_) => {
                if !self.is_permanent {
                    self.nth = None;
                }
                Err(rustix::io::Errno::IO.into())
            }
        }
    }
}
