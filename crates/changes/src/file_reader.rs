use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use headwater_log::sealed::SealedError;
use headwater_types::Lsn;

use crate::block::decode;
use crate::commit::{RelationId, StreamDefinition};
use crate::cursor::Position;
use crate::file::{BlockEntry, FileMeta, OpenFile};
use crate::log::ChangeLog;
use crate::piece::Piece;
use crate::reader::Selection;

/// One file, read from front to back: of each relation at most one block is held.
#[derive(Debug)]
pub(crate) struct FileReader {
    file: OpenFile,
    /// The selected relations.
    streams: BTreeMap<(RelationId, Lsn), Arc<StreamDefinition>>,
    /// The blocks of each that are still to be read.
    blocks: BTreeMap<RelationId, VecDeque<BlockEntry>>,
    /// The next pieces of each relation, by the place of the first one.
    pieces: BTreeMap<(Lsn, RelationId), VecDeque<Piece>>,
}

impl FileReader {
    pub(crate) fn open(
        log: &ChangeLog,
        meta: Arc<FileMeta>,
        selection: &Selection,
        position: Position,
    ) -> Result<FileReader, SealedError> {
        let file = OpenFile::open(&log.env, &log.dir, meta)?;
        let mut blocks: BTreeMap<RelationId, VecDeque<BlockEntry>> = BTreeMap::new();
        let streams: BTreeMap<(RelationId, Lsn), Arc<StreamDefinition>> = {
            let state = log.state.lock();
            let streams = state.catalog.streams().iter().map(|stream| &stream.definition);
            let selected = streams.filter(|definition| selection.selects(definition));
            selected.map(|it| ((it.relation, it.incarnation), Arc::clone(it))).collect()
        };
        for entry in file.index() {
            let relation = RelationId(entry.relation);
            let is_selected = streams.contains_key(&(relation, Lsn(entry.incarnation)));
            if is_selected && Lsn(entry.last_lsn) >= position.lsn {
                blocks.entry(relation).or_default().push_back(*entry);
            }
        }
        for (relation, blocks) in &mut blocks {
            // Blocks before the last one that begins at or before the position have been read.
            let begin = |entry: &BlockEntry| Position {
                lsn: Lsn(entry.first_lsn),
                relation: relation.0,
                lines: entry.first_line,
            };
            let before = blocks.iter().take_while(|entry| begin(entry) <= position).count();
            blocks.drain(..before.saturating_sub(1));
        }
        let mut reader = FileReader { file, streams, blocks, pieces: BTreeMap::new() };
        let relations: Vec<RelationId> = reader.blocks.keys().copied().collect();
        for relation in relations {
            reader.load(&log.dir, relation)?;
        }
        Ok(reader)
    }

    pub(crate) fn meta(&self) -> &Arc<FileMeta> {
        &self.file.meta
    }

    /// The next piece, in the order of lines.
    pub(crate) fn peek(&mut self, dir: &Path) -> Result<Option<&Piece>, SealedError> {
        loop {
            let Some(first) = self.pieces.first_entry() else { return Ok(None) };
            if first.get().is_empty() {
                let (_, relation) = *first.key();
                first.remove();
                self.load(dir, relation)?;
                continue;
            }
            break;
        }
        Ok(self.pieces.first_key_value().and_then(|(_, pieces)| pieces.front()))
    }

    /// The next piece has been read.
    pub(crate) fn pass(&mut self) {
        let Some(((_, relation), mut pieces)) = self.pieces.pop_first() else { return };
        let passed = pieces.pop_front();
        let lsn = pieces.front().or(passed.as_ref()).map_or(Lsn::ZERO, |piece| piece.lsn);
        self.pieces.insert((lsn, relation), pieces);
    }

    /// Takes the next block of a relation in.
    fn load(&mut self, dir: &Path, relation: RelationId) -> Result<(), SealedError> {
        let Some(entry) = self.blocks.get_mut(&relation).and_then(VecDeque::pop_front) else { return Ok(()) };
        let payload = self.file.payload(&entry)?;
        let find = |relation, incarnation| self.streams.get(&(relation, incarnation)).cloned();
        let pieces = decode(&payload, find).map_err(|_| SealedError::Damaged {
            path: dir.join(&self.file.meta.name),
            offset: entry.offset,
            reason: "a block does not hold the relation that the index says",
        })?;
        let first = pieces.first().map_or(Lsn(entry.first_lsn), |piece| piece.lsn);
        self.pieces.insert((first, relation), pieces.into());
        Ok(())
    }
}
