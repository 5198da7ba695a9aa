use std::fmt;

/// The number of one step in its workspace's log. Steps are numbered 1, 2, 3 …; zero means "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Before the first step.
    pub const ZERO: Lsn = Lsn(0);

    /// The step after this one.
    ///
    /// # Panics
    /// If 2^64 steps have been taken, which no workspace lives to see.
    #[must_use]
    pub fn next(self) -> Lsn {
        Lsn(self.0.checked_add(1).expect("a workspace cannot take 2^64 steps"))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often the program of a workspace has been changed. Rows in the log are read with the schema of this version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramVersion(pub u64);

impl fmt::Display for ProgramVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
