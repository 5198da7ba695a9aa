use std::fmt;
use std::str::FromStr;

use headwater_types::Lsn;

use crate::commit::RelationId;

/// Tells one workspace's history from all others: drawn when its change log begins, and anew when it is restored or when
/// its history is no longer what followers have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(pub u64);

/// Between two lines of the change log: everything before it was read.
///
/// Lines are ordered by LSN, then by relation number, then by their place in what the step did to the relation. So a
/// position means the same for every set of relations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Of this LSN and later ones there may be lines to read.
    pub lsn: Lsn,
    /// In that LSN, of this relation and those of higher numbers.
    pub relation: u32,
    /// In that relation, so many lines were read.
    pub lines: u64,
}

impl Position {
    /// Before the first line of an LSN.
    #[must_use]
    pub fn before(lsn: Lsn) -> Position {
        Position { lsn, ..Position::default() }
    }

    /// Behind the last line of an LSN.
    #[must_use]
    pub fn after(lsn: Lsn) -> Position {
        Position::before(lsn.next())
    }

    /// How many lines of this relation's part of this LSN lie before the position.
    pub(crate) fn lines_read(self, lsn: Lsn, relation: RelationId) -> u64 {
        match (lsn, relation.0).cmp(&(self.lsn, self.relation)) {
            std::cmp::Ordering::Less => u64::MAX,
            std::cmp::Ordering::Equal => self.lines,
            std::cmp::Ordering::Greater => 0,
        }
    }
}

/// A position in the history of one workspace, as text: `<identity>-<lsn>.<relation>.<lines>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Whose history.
    pub identity: Identity,
    /// Where in it.
    pub position: Position,
}

/// A text is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a cursor")]
pub struct CursorError {
    /// The text, cut if it is long.
    pub text: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { lsn, relation, lines } = self.position;
        write!(f, "{:016x}-{lsn}.{relation}.{lines}", self.identity.0)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    /// Only what [`Cursor`] itself writes.
    fn from_str(text: &str) -> Result<Cursor, CursorError> {
        let refused = || CursorError { text: text.chars().take(64).collect() };
        let cursor = parse(text).ok_or_else(refused)?;
        if cursor.to_string() == text { Ok(cursor) } else { Err(refused()) }
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let (identity, rest) = text.split_once('-')?;
    let mut numbers = rest.split('.');
    let position = Position {
        lsn: Lsn(numbers.next()?.parse().ok()?),
        relation: numbers.next()?.parse().ok()?,
        lines: numbers.next()?.parse().ok()?,
    };
    let identity = Identity(u64::from_str_radix(identity, 16).ok()?);
    numbers.next().is_none().then_some(Cursor { identity, position })
}
