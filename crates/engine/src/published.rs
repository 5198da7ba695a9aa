use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use headwater_relation::{RelationReader, RelationSnapshot};
use headwater_types::{Lsn, Name, TimestampMicros};

use crate::program::RunningProgram;

/// What readers see: one immutable object, swapped in when a step is both durable and applied.
#[derive(Debug)]
pub struct Published {
    /// The newest step in it.
    pub lsn: Lsn,
    /// The workspace clock as of that step.
    pub workspace_clock: TimestampMicros,
    /// The program as of that step.
    pub program: Arc<RunningProgram>,
    /// Everything that can be read. An open list: later kinds of state add kinds of parts.
    pub parts: Arc<Vec<Part>>,
}

/// One thing that can be read.
#[derive(Clone, Debug)]
pub enum Part {
    /// The rows of a table, a materialised view or a system table.
    Relation(RelationPart),
}

/// The rows of one relation as of the published LSN.
#[derive(Clone, Debug)]
pub struct RelationPart {
    /// Its name.
    pub name: Name,
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub rows: RelationSnapshot,
    /// For look-ups by key; always at the newest published LSN.
    pub reader: RelationReader,
}

impl Published {
    /// The relation of this name.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&RelationPart> {
        self.parts.iter().find_map(|part| match part {
            Part::Relation(relation) if relation.name.as_str() == name => Some(relation),
            Part::Relation(_) => None,
        })
    }

    /// Bytes of rows that this version holds and a newer one does not, about.
    pub(crate) fn bytes_beyond(&self, newer: &Published) -> usize {
        let beyond = |(index, old): (usize, &RelationPart)| {
            let same_place = newer.parts.get(index).map(|Part::Relation(new)| new);
            let new = same_place.filter(|new| new.name == old.name);
            new.or_else(|| newer.relation(old.name.as_str()))
                .map_or(0, |new| old.rows.bytes_beyond(&new.rows))
        };
        self.relations().enumerate().map(beyond).sum()
    }

    /// All relations.
    pub fn relations(&self) -> impl Iterator<Item = &RelationPart> {
        self.parts.iter().map(|part| match part {
            Part::Relation(relation) => relation,
        })
    }
}
