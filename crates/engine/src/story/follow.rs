//! A follower reads what was published, at its own pace: first, if it asked for them, all rows as of one LSN, then every
//! change after that, in order. It holds nobody up, and nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use headwater_changes::{
    ChangeLog, Cursor, CursorError, Event, EventKind, Gone, Lines, Page, Position, Reader, Selection,
};
use headwater_types::{Lsn, Name};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::follow_snapshot::SnapshotRows;
use crate::program::RunningProgram;
use crate::published::Published;
use crate::workspace::{CLOSING, Workspace};

/// Where a follower begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// With the next step.
    Now,
    /// With all rows as they are now.
    Snapshot,
    /// Behind what it has read before.
    Cursor(String),
}

/// Why something cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// There is no such table or view.
    #[error("there is no table or materialized view {name:?}")]
    UnknownRelation {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It is a view that is computed when it is asked.
    #[error("view {name:?} is not materialized: it has no changes of its own")]
    NotMaterialized {
        /// Its name.
        name: String,
    },
    /// Its changes are not kept.
    #[error("changes of {name:?} are not kept")]
    NotKept {
        /// Its name.
        name: String,
    },
    /// The text is no cursor.
    #[error(transparent)]
    BadCursor(#[from] CursorError),
    /// What lies behind the cursor is not there any more.
    #[error("the changes behind this cursor are gone: {reason}")]
    CursorGone {
        /// Why.
        reason: String,
    },
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {workspace:?} is closing")]
    Closing {
        /// Its name.
        workspace: String,
    },
}

/// What a follower is told next.
#[derive(Debug)]
pub enum Heard {
    /// Lines, in order.
    Lines(Vec<Change>),
    /// All rows as of one LSN were told; behind this cursor come the changes.
    SnapshotDone(Cursor),
    /// Nothing else up to this cursor.
    Heartbeat(Cursor),
    /// What was followed was dropped, or all was told that was to be; nothing else will come.
    Ended(Cursor),
    /// The workspace is closing. Whoever comes back with the last cursor misses nothing.
    Closed(Cursor),
}

/// Lines of one relation in one step.
#[derive(Debug)]
pub struct Change {
    /// The step.
    pub lsn: Lsn,
    /// The relation.
    pub relation: Name,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Where the lines lie; `None` for rows of a snapshot, in whose middle nobody can begin.
    at: Option<(Cursor, Event)>,
}

/// What happened to a relation.
#[derive(Debug)]
pub enum ChangeKind {
    /// Rows came or went.
    Lines(Lines),
    /// What was told of the relation before is void; its rows follow.
    Reset {
        /// Why.
        reason: ResetReason,
        /// Its columns.
        schema: SchemaRef,
    },
    /// The relation was dropped.
    End,
}

/// Why a relation begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// It was created.
    Created,
    /// Its columns or its definition changed.
    Changed,
    /// The follower was so slow that changes it had not read are gone.
    Behind,
    /// The follower asked for all rows.
    Snapshot,
}

impl Change {
    pub(super) fn of_snapshot(lsn: Lsn, relation: Name, kind: ChangeKind) -> Change {
        Change { lsn, relation, kind, at: None }
    }

    fn of_event(event: Event, end: Cursor) -> Change {
        let kind = match &event.kind {
            EventKind::Lines(lines) => ChangeKind::Lines(lines.clone()),
            EventKind::Reset { replaces } => ChangeKind::Reset {
                reason: if *replaces { ResetReason::Changed } else { ResetReason::Created },
                schema: Arc::clone(&event.stream.schema),
            },
            EventKind::End => ChangeKind::End,
        };
        Change { lsn: event.lsn, relation: event.stream.name.clone(), kind, at: Some((end, event)) }
    }

    /// Whether this only says that the snapshot which was asked for begins.
    #[must_use]
    pub fn is_snapshot_begin(&self) -> bool {
        matches!(self.kind, ChangeKind::Reset { reason: ResetReason::Snapshot, .. })
    }

    /// The cursor behind so many of these lines; `None` in the middle of a snapshot.
    #[must_use]
    pub fn cursor_after(&self, lines: u64) -> Option<Cursor> {
        let (cursor, event) = self.at.as_ref()?;
        Some(Cursor { position: event.position_after(lines), ..*cursor })
    }
}

/// Reads the changes of some relations of one workspace, which stays open meanwhile.
#[derive(Debug)]
pub struct Follower {
    workspace: Arc<Workspace>,
    log: Arc<ChangeLog>,
    newest: watch::Receiver<Lsn>,
    /// `None` while a page is made on another thread.
    reader: Option<Reader>,
    snapshot: Option<SnapshotRows>,
    until: Option<Lsn>,
}

impl Workspace {
    /// Follows tables and materialised views; all of the program's if none is named.
    pub fn follow(self: &Arc<Workspace>, relations: &[String], from: &From) -> Result<Follower, FollowError> {
        let closing = || FollowError::Closing { workspace: self.name().to_string() };
        let log = Arc::clone(self.shared.changes.get().ok_or_else(closing)?);
        let newest = self.shared.newest.subscribe();
        let published = self.published();
        let cursor = match from {
            From::Cursor(text) => Some(check_cursor(&text.parse()?, &log, &published)?),
            From::Now | From::Snapshot => None,
        };
        let selection = select(relations, &published.program, &log, cursor)?;
        let position = cursor.unwrap_or(Position::after(published.lsn));
        let reader = log.reader(selection.clone(), position).map_err(|gone| cursor_gone(&gone))?;
        let snapshot = (*from == From::Snapshot)
            .then(|| SnapshotRows::new(&published, &selection, &log, ResetReason::Snapshot));
        Ok(Follower { workspace: Arc::clone(self), log, newest, reader: Some(reader), snapshot, until: None })
    }
}

fn cursor_gone(gone: &Gone) -> FollowError {
    FollowError::CursorGone { reason: gone.to_string() }
}

fn check_cursor(cursor: &Cursor, log: &ChangeLog, published: &Published) -> Result<Position, FollowError> {
    let gone = |reason: &str| Err(FollowError::CursorGone { reason: reason.to_owned() });
    if cursor.identity != log.identity() {
        return gone("it is of another history of this workspace, from before a restore or a loss of files");
    }
    if cursor.position > Position::after(published.lsn) {
        return gone("it lies ahead of the workspace");
    }
    Ok(cursor.position)
}

/// The relations of these names. Behind a cursor those count too that were dropped since.
fn select(
    names: &[String],
    program: &RunningProgram,
    log: &ChangeLog,
    cursor: Option<Position>,
) -> Result<Selection, FollowError> {
    let mut selected: Vec<Name> = Vec::with_capacity(names.len());
    for name in names {
        let known = cursor.map_or_else(|| log.is_kept(name), |cursor| log.is_known(name, cursor.lsn));
        if !known {
            return Err(unknown(name, program));
        }
        let name = Name::system(name).map_err(|_| unknown(name, program))?;
        if !selected.contains(&name) {
            selected.push(name);
        }
    }
    Ok(if names.is_empty() { Selection::All } else { Selection::Names(selected) })
}

fn unknown(name: &str, program: &RunningProgram) -> FollowError {
    let name = name.to_owned();
    let tables = program.compiled.tables.iter().map(|table| table.name.to_string());
    let views = program.compiled.views.iter();
    let is_plain = views.clone().any(|view| view.name.as_str() == name && !view.materialized);
    if is_plain {
        return FollowError::NotMaterialized { name };
    }
    let kept = views.filter(|view| view.materialized).map(|view| view.name.to_string());
    let known: Vec<String> = tables.chain(kept).collect();
    if known.contains(&name) {
        return FollowError::NotKept { name };
    }
    FollowError::UnknownRelation { name, known }
}

impl Follower {
    /// Nothing is told of later steps than this one.
    #[must_use]
    pub fn until(self, lsn: Option<Lsn>) -> Follower {
        Follower { until: lsn, ..self }
    }

    /// Whether rows of a snapshot are still to be told.
    #[must_use]
    pub fn is_in_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Waits for what comes next, or for `heartbeat` to pass.
    pub async fn next(&mut self, heartbeat: Duration) -> Heard {
        let deadline = Instant::now() + heartbeat;
        loop {
            let is_closing = *self.newest.borrow_and_update() == CLOSING;
            if let Some(rows) = self.snapshot.as_mut() {
                if let Some(lines) = rows.next_page() {
                    return Heard::Lines(lines);
                }
                self.snapshot = None;
                return Heard::SnapshotDone(self.cursor());
            }
            let published = self.workspace.published().lsn;
            let up_to = self.until.map_or(published, |until| until.min(published));
            if self.position().lsn <= up_to {
                match self.read(up_to).await {
                    Ok(page) if page.events.is_empty() => {}
                    Ok(page) => return Heard::Lines(self.changes(page)),
                    Err(gone) => {
                        self.start_over(&gone);
                        continue;
                    }
                }
            }
            let has_all = self.position().lsn > up_to;
            if is_closing {
                return Heard::Closed(self.cursor());
            }
            let is_last = self.until.is_some_and(|until| self.position().lsn > until);
            if has_all && (is_last || !self.log.any_live(self.reader().selection())) {
                return Heard::Ended(self.cursor());
            }
            match timeout_at(deadline, self.newest.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Heard::Closed(self.cursor()),
                Err(_) => return Heard::Heartbeat(self.cursor()),
            }
        }
    }

    /// Behind everything that was told.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { identity: self.log.identity(), position: self.position() }
    }

    fn reader(&self) -> &Reader {
        self.reader.as_ref().expect("a page that is made elsewhere is waited for")
    }

    fn position(&self) -> Position {
        self.reader().position()
    }

    fn changes(&self, page: Page) -> Vec<Change> {
        let end = self.cursor();
        page.events.into_iter().map(|event| Change::of_event(event, end)).collect()
    }

    /// A page that takes the disk or much work is made on a thread that nobody waits for.
    async fn read(&mut self, up_to: Lsn) -> Result<Page, Gone> {
        let mut reader = self.reader.take().expect("a page that is made elsewhere is waited for");
        if !reader.is_next_page_slow() {
            let page = reader.next_page(up_to);
            self.reader = Some(reader);
            return page;
        }
        let position = reader.position();
        let selection = reader.selection().clone();
        let made = tokio::task::spawn_blocking(move || {
            let page = reader.next_page(up_to);
            (reader, page)
        });
        match made.await {
            Ok((reader, page)) => {
                self.reader = Some(reader);
                page
            }
            // The thread panicked, or the runtime ends: nothing was read.
            Err(_) => {
                let gone = Gone { floor: position.lsn };
                self.reader = Some(Reader::at(Arc::clone(&self.log), selection, Position::after(up_to)));
                Err(gone)
            }
        }
    }

    /// What was not read is gone: all rows are told anew.
    fn start_over(&mut self, gone: &Gone) {
        tracing::info!(workspace = %self.workspace.name(), floor = gone.floor.0, "a follower has fallen behind and gets all rows");
        let published = self.workspace.published();
        let selection = self.reader().selection().clone();
        self.snapshot = Some(SnapshotRows::new(&published, &selection, &self.log, ResetReason::Behind));
        let position = Position::after(published.lsn);
        self.reader = Some(Reader::at(Arc::clone(&self.log), selection, position));
    }
}
