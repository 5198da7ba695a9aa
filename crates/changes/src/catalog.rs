use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use headwater_types::{Lsn, Name};

use crate::commit::{Keep, RelationId, StreamDefinition};
use crate::cursor::Position;
use crate::reader::{Gone, Selection};

/// A relation with changes, from its beginning to its end or the next change of its columns.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) definition: Arc<StreamDefinition>,
    pub(crate) keep: Keep,
    /// The LSN that ended it; that LSN is the next incarnation's already.
    pub(crate) ended_at: Option<Lsn>,
}

/// Which relations have changes, and from which LSN on they are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    streams: Vec<Stream>,
    live: HashMap<RelationId, Arc<StreamDefinition>>,
    /// What a relation changed up to this LSN is gone.
    floors: BTreeMap<RelationId, Lsn>,
    /// Streams that ended up to this LSN may have been forgotten.
    known_from: Lsn,
}

impl Catalog {
    pub(crate) fn new(streams: Vec<Stream>, floors: BTreeMap<RelationId, Lsn>, known_from: Lsn) -> Catalog {
        let live = streams.iter().filter(|stream| stream.ended_at.is_none());
        let live = live.map(|s| (s.definition.relation, Arc::clone(&s.definition))).collect();
        Catalog { streams, live, floors, known_from }
    }

    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    pub(crate) fn floors(&self) -> &BTreeMap<RelationId, Lsn> {
        &self.floors
    }

    pub(crate) fn known_from(&self) -> Lsn {
        self.known_from
    }

    pub(crate) fn live(&self, relation: RelationId) -> Option<&Arc<StreamDefinition>> {
        self.live.get(&relation)
    }

    pub(crate) fn find(&self, relation: RelationId, incarnation: Lsn) -> Option<Arc<StreamDefinition>> {
        let is_it =
            |s: &&Stream| s.definition.relation == relation && s.definition.incarnation == incarnation;
        self.streams.iter().find(is_it).map(|stream| Arc::clone(&stream.definition))
    }

    pub(crate) fn add(&mut self, definition: Arc<StreamDefinition>, keep: Keep) {
        self.live.insert(definition.relation, Arc::clone(&definition));
        self.streams.push(Stream { definition, keep, ended_at: None });
    }

    pub(crate) fn end(&mut self, relation: RelationId, lsn: Lsn) {
        self.live.remove(&relation);
        let is_live = |s: &&mut Stream| s.definition.relation == relation && s.ended_at.is_none();
        if let Some(stream) = self.streams.iter_mut().find(is_live) {
            stream.ended_at = Some(lsn);
        }
    }

    pub(crate) fn set_keep(&mut self, relation: RelationId, keep: Keep) {
        let of_it = self.streams.iter_mut().filter(|stream| stream.definition.relation == relation);
        of_it.for_each(|stream| stream.keep = keep);
    }

    pub(crate) fn keep(&self, relation: RelationId) -> Keep {
        let newest = self.streams.iter().rev().find(|stream| stream.definition.relation == relation);
        newest.map(|stream| stream.keep).unwrap_or_default()
    }

    pub(crate) fn floor(&self, relation: RelationId) -> Lsn {
        self.floors.get(&relation).copied().unwrap_or(Lsn::ZERO)
    }

    /// What a relation changed up to this LSN is gone. Floors never go down.
    pub(crate) fn raise_floor(&mut self, relation: RelationId, lsn: Lsn) {
        let floor = self.floors.entry(relation).or_insert(lsn);
        *floor = lsn.max(*floor);
    }

    /// Forgets streams that ended and whose changes are all gone.
    pub(crate) fn forget_ended(&mut self) {
        let floors = &self.floors;
        let floor = |relation: RelationId| floors.get(&relation).copied().unwrap_or(Lsn::ZERO);
        let mut known_from = self.known_from;
        self.streams.retain(|stream| match stream.ended_at {
            Some(ended) if floor(stream.definition.relation) >= ended => {
                known_from = known_from.max(ended);
                false
            }
            _ => true,
        });
        self.known_from = known_from;
        let known: HashSet<RelationId> = self.streams.iter().map(|s| s.definition.relation).collect();
        self.floors.retain(|relation, _| known.contains(relation));
    }

    /// Whether all lines of these relations behind a position are there.
    pub(crate) fn check(&self, selection: &Selection, position: Position) -> Result<(), Gone> {
        let gone = |floor| Err(Gone { floor });
        let selected = self.streams.iter().filter(|stream| selection.selects(&stream.definition));
        for stream in selected.filter(|s| s.ended_at.is_none_or(|ended| ended >= position.lsn)) {
            let floor = self.floor(stream.definition.relation);
            if floor >= position.lsn.max(stream.definition.incarnation) {
                return gone(floor);
            }
        }
        if position.lsn > self.known_from {
            return Ok(());
        }
        // Streams that ended meanwhile may have been forgotten: only those that live since before the position are known
        // to be all there was.
        let is_covered = |name: &Name| {
            let mut live = self.live.values();
            live.any(|it| it.name == *name && it.incarnation <= position.lsn)
        };
        match selection {
            Selection::Names(names) if names.iter().all(is_covered) => Ok(()),
            Selection::Names(_) | Selection::All | Selection::Everything => gone(self.known_from),
        }
    }

    /// The streams that live now and are selected.
    pub(crate) fn selected<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> impl Iterator<Item = &'a Arc<StreamDefinition>> {
        self.live.values().filter(|definition| selection.selects(definition))
    }
}
