use std::cmp::Ordering;
use std::fmt;

use sonic_rs::{JsonValueTrait, Value};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text and times.
    Text,
    /// Integers.
    Integer,
    /// Floats.
    Real,
}

/// One value of a row. Floats are compared by their bits: an answer is right to the last digit or wrong.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
}

impl Cell {
    /// An optional integer.
    pub(super) fn integer(value: Option<impl Into<i64>>) -> Cell {
        value.map_or(Cell::Null, |value| Cell::Integer(value.into()))
    }

    /// An optional float.
    pub(super) fn real(value: Option<f64>) -> Cell {
        value.map_or(Cell::Null, Cell::Real)
    }

    /// A text.
    pub(super) fn text(value: impl Into<String>) -> Cell {
        Cell::Text(value.into())
    }

    /// A value of an answer; `None` if it is not of the column's kind.
    pub(super) fn from_json(value: &Value, kind: Kind) -> Option<Cell> {
        if value.is_null() {
            return Some(Cell::Null);
        }
        match kind {
            Kind::Text => value.as_str().map(Cell::text),
            Kind::Integer => value.as_i64().map(Cell::Integer),
            Kind::Real => value.as_f64().map(Cell::Real),
        }
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Cell) -> Ordering {
        match (self, other) {
            (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
            (Cell::Integer(a), Cell::Integer(b)) => a.cmp(b),
            (Cell::Real(a), Cell::Real(b)) => a.total_cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Cell {
    fn rank(&self) -> u8 {
        match self {
            Cell::Null => 0,
            Cell::Text(_) => 1,
            Cell::Integer(_) => 2,
            Cell::Real(_) => 3,
        }
    }
}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Cell) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Cell {}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("NULL"),
            Cell::Text(text) => f.write_str(text),
            Cell::Integer(number) => write!(f, "{number}"),
            Cell::Real(number) => write!(f, "{number}"),
        }
    }
}
