use std::sync::Arc;

use headwater_log::sealed::SealedError;
use headwater_types::{Lsn, Name, limits};

use crate::commit::{Commit, StreamDefinition, What};
use crate::cursor::Position;
use crate::file::FileMeta;
use crate::file_reader::FileReader;
use crate::log::ChangeLog;
use crate::piece::{Lines, Piece, PieceKind, pieces_of};
use crate::size::data_bytes;

/// Which relations are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These, by name.
    Names(Vec<Name>),
    /// All tables and views that the program has, from time to time.
    All,
    /// Those of the system too.
    Everything,
}

/// Numbers below this are the system's relations.
const FIRST_USER_RELATION: u32 = 16;

impl Selection {
    pub(crate) fn selects(&self, definition: &StreamDefinition) -> bool {
        match self {
            Selection::Names(names) => names.contains(&definition.name),
            Selection::All => definition.relation.0 >= FIRST_USER_RELATION,
            Selection::Everything => true,
        }
    }
}

/// Lines of one relation in one step.
#[derive(Clone, Debug)]
pub struct Event {
    /// The step.
    pub lsn: Lsn,
    /// The relation.
    pub stream: Arc<StreamDefinition>,
    /// What happened to it.
    pub kind: EventKind,
    /// How many lines of the same step and relation come before these.
    pub first_line: u64,
    /// How many lines these are.
    pub num_lines: u64,
}

impl Event {
    /// The position behind so many of the event's lines.
    #[must_use]
    pub fn position_after(&self, lines: u64) -> Position {
        Position { lsn: self.lsn, relation: self.stream.relation.0, lines: self.first_line + lines }
    }
}

/// What happened to a relation.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// Rows came or went.
    Lines(Lines),
    /// It begins here: what was known of it is void, and its rows follow.
    Reset {
        /// Whether there was one of this name before.
        replaces: bool,
    },
    /// It was dropped.
    End,
}

/// Some lines, and where the next ones begin.
#[derive(Clone, Debug)]
pub struct Page {
    /// The lines, in order.
    pub events: Vec<Event>,
    /// Behind them.
    pub position: Position,
}

/// Lines behind the position are not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("changes up to LSN {floor} are not kept any more")]
pub struct Gone {
    /// Up to here they are gone.
    pub floor: Lsn,
}

/// Reads lines in order. Holds no more than some blocks of one file, and nobody up.
#[derive(Debug)]
pub struct Reader {
    log: Arc<ChangeLog>,
    selection: Selection,
    position: Position,
    file: Option<FileReader>,
}

/// Where the next lines lie.
enum Source {
    File(Arc<FileMeta>),
    Tail(Vec<Arc<Commit>>),
}

impl Reader {
    /// A reader behind a position. Whether its lines are still there shows when they are read.
    #[must_use]
    pub fn at(log: Arc<ChangeLog>, selection: Selection, position: Position) -> Reader {
        Reader { log, selection, position, file: None }
    }

    /// Behind the last line that was read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What is read.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether the next page takes much work or the disk: it is not to be made on a thread that others wait for.
    #[must_use]
    pub fn is_next_page_slow(&self) -> bool {
        /// Rows that are brought into order in well below a millisecond.
        const QUICK_ROWS: usize = 1_000;
        let state = self.log.state.lock();
        if self.position.lsn <= state.durable {
            return true;
        }
        let mut rows = 0;
        for entry in state.tail.from(self.position.lsn).flat_map(|commit| &commit.entries) {
            if let What::Delta(delta) = &entry.what {
                rows += delta.num_rows();
            }
            if rows > QUICK_ROWS {
                return true;
            }
        }
        false
    }

    /// The next lines of steps up to `up_to`, as many as a page holds. No lines and a position behind `up_to` mean that
    /// there are none.
    pub fn next_page(&mut self, up_to: Lsn) -> Result<Page, Gone> {
        let mut page = PageBuilder::new();
        while page.has_room() && self.position.lsn <= up_to {
            match self.source(up_to)? {
                Source::File(meta) => self.read_file(meta, up_to, &mut page)?,
                Source::Tail(commits) => {
                    if !self.read_tail(&commits, up_to, &mut page) {
                        break;
                    }
                }
            }
        }
        Ok(Page { events: page.events, position: self.position })
    }

    fn source(&mut self, up_to: Lsn) -> Result<Source, Gone> {
        let from = self.position.lsn;
        if let Some(file) = self.file.as_ref().filter(|file| file.meta().last >= from) {
            return Ok(Source::File(Arc::clone(file.meta())));
        }
        self.file = None;
        let state = self.log.state.lock();
        state.catalog.check(&self.selection, self.position)?;
        if from <= state.durable
            && let Some(meta) = state.files.iter().find(|file| file.last >= from)
        {
            return Ok(Source::File(Arc::clone(meta)));
        }
        let mut rows = 0;
        let enough = |commit: &&Arc<Commit>| {
            let is_wanted = commit.lsn <= up_to && rows <= limits::CHANGES_PAGE_LINES as usize;
            rows += commit.entries.iter().map(|entry| num_rows(&entry.what)).sum::<usize>();
            is_wanted
        };
        Ok(Source::Tail(state.tail.from(from).take_while(enough).cloned().collect()))
    }

    /// False if the next lines have to be written to a file first.
    fn read_tail(&mut self, commits: &[Arc<Commit>], up_to: Lsn, page: &mut PageBuilder) -> bool {
        for commit in commits {
            let selected = commit.entries.iter().filter(|entry| self.selection.selects(&entry.stream));
            for entry in selected {
                if self.position.lines_read(commit.lsn, entry.stream.relation) == u64::MAX {
                    continue;
                }
                if entry.what.is_read_from_file_only() {
                    return false;
                }
                for piece in pieces_of(commit.lsn, entry) {
                    self.position = page.add(&piece, self.position);
                    if !page.has_room() {
                        return true;
                    }
                }
            }
            self.position = Position::after(commit.lsn);
        }
        // What a page's room cut off is read next; if all was read there is nothing up to the end.
        let is_cut = rows_of(commits) > limits::CHANGES_PAGE_LINES as usize;
        if !is_cut {
            self.position = self.position.max(Position::after(up_to));
        }
        true
    }

    fn read_file(&mut self, meta: Arc<FileMeta>, up_to: Lsn, page: &mut PageBuilder) -> Result<(), Gone> {
        match self.try_read_file(&meta, up_to, page) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.file = None;
                // It may have been replaced by another file, or its changes may have been kept long enough.
                let mut state = self.log.state.lock();
                if state.files.iter().any(|file| file.name == meta.name) {
                    tracing::warn!(workspace = self.log.workspace, %error, "a file of the change log cannot be read: its changes are gone for followers");
                    for relation in meta.relations.keys() {
                        state.catalog.raise_floor(*relation, meta.last);
                    }
                }
                state.catalog.check(&self.selection, self.position)
            }
        }
    }

    fn try_read_file(
        &mut self,
        meta: &Arc<FileMeta>,
        up_to: Lsn,
        page: &mut PageBuilder,
    ) -> Result<(), SealedError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => FileReader::open(&self.log, Arc::clone(meta), &self.selection, self.position)?,
        };
        while page.has_room() {
            match file.peek(&self.log.dir)? {
                Some(piece) if piece.lsn > up_to => {
                    self.position = self.position.max(Position::after(up_to));
                    break;
                }
                Some(piece) => {
                    let behind = Position {
                        lsn: piece.lsn,
                        relation: piece.stream.relation.0,
                        lines: piece.first_line + piece.num_lines(),
                    };
                    let before = self.position;
                    self.position = page.add(piece, before);
                    if self.position >= behind || self.position == before {
                        file.pass();
                    }
                }
                None => {
                    self.position = self.position.max(Position::after(meta.last.min(up_to)));
                    break;
                }
            }
        }
        self.file = Some(file);
        Ok(())
    }
}

fn num_rows(what: &What) -> usize {
    match what {
        What::Delta(delta) => delta.num_rows(),
        What::Reset { .. } | What::End => 1,
    }
}

fn rows_of(commits: &[Arc<Commit>]) -> usize {
    commits.iter().flat_map(|commit| &commit.entries).map(|entry| num_rows(&entry.what)).sum()
}

/// A page in the making.
struct PageBuilder {
    events: Vec<Event>,
    lines: u64,
    bytes: usize,
}

impl PageBuilder {
    fn new() -> PageBuilder {
        PageBuilder { events: Vec::new(), lines: 0, bytes: 0 }
    }

    fn has_room(&self) -> bool {
        self.lines < limits::CHANGES_PAGE_LINES && self.bytes < limits::CHANGES_PAGE_BYTES
    }

    /// Adds a piece's lines behind `position`, as far as there is room, and returns the position behind them.
    fn add(&mut self, piece: &Piece, position: Position) -> Position {
        let Some(event) = piece.take(position, self.room(piece)) else { return position };
        self.lines += event.num_lines;
        if let EventKind::Lines(lines) = &event.kind {
            let lines_per_row = event.num_lines as usize / lines.rows.num_rows().max(1);
            self.bytes += data_bytes(&lines.rows).saturating_mul(lines_per_row.max(1));
        }
        let behind = event.position_after(event.num_lines);
        self.events.push(event);
        behind
    }

    /// How many of a piece's lines fit. At least one.
    fn room(&self, piece: &Piece) -> u64 {
        let left = limits::CHANGES_PAGE_LINES.saturating_sub(self.lines);
        let PieceKind::Rows(run) = &piece.kind else { return left };
        let row_bytes = data_bytes(&run.rows) / run.rows.num_rows().max(1);
        let fit = limits::CHANGES_PAGE_BYTES.saturating_sub(self.bytes) / row_bytes.max(1);
        left.min(fit as u64).max(1)
    }
}
