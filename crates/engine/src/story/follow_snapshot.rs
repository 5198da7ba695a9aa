use std::collections::VecDeque;

use arrow::record_batch::RecordBatch;
use headwater_changes::{ChangeLog, Lines, Selection};
use headwater_types::{Lsn, Name, Scan, limits};

use super::follow::{Change, ChangeKind, ResetReason};
use crate::published::{Published, RelationPart};

/// All rows of some relations as of one LSN, page by page.
#[derive(Debug)]
pub(super) struct SnapshotRows {
    lsn: Lsn,
    relations: VecDeque<RelationPart>,
    /// That they begin, told before any rows.
    begins: Vec<Change>,
    /// The next segment of the first relation.
    segment: usize,
    /// What is left of the segment before.
    rest: Option<RecordBatch>,
}

impl SnapshotRows {
    pub(super) fn new(
        published: &Published,
        selection: &Selection,
        log: &ChangeLog,
        reason: ResetReason,
    ) -> SnapshotRows {
        let kept = log.live_streams(selection);
        let begins = kept.iter().map(|stream| {
            let kind = ChangeKind::Reset { reason, schema: stream.schema.clone() };
            Change::of_snapshot(published.lsn, stream.name.clone(), kind)
        });
        let part_of = |name: &Name| published.relation(name.as_str()).cloned();
        let relations = kept.iter().filter_map(|stream| part_of(&stream.name)).collect();
        SnapshotRows { lsn: published.lsn, relations, begins: begins.collect(), segment: 0, rest: None }
    }

    /// The next lines; `None` when all were told.
    pub(super) fn next_page(&mut self) -> Option<Vec<Change>> {
        if !self.begins.is_empty() {
            return Some(std::mem::take(&mut self.begins));
        }
        loop {
            let relation = self.relations.front()?;
            let rows = match self.rest.take() {
                Some(rows) => rows,
                None if self.segment < relation.rows.num_segments() => {
                    self.segment += 1;
                    relation.rows.segment(self.segment - 1, None)
                }
                None => {
                    self.relations.pop_front();
                    self.segment = 0;
                    continue;
                }
            };
            if rows.num_rows() == 0 {
                continue;
            }
            let count = rows.num_rows().min(limits::CHANGES_PAGE_LINES as usize);
            let name = relation.name.clone();
            if count < rows.num_rows() {
                self.rest = Some(rows.slice(count, rows.num_rows() - count));
            }
            let lines = Lines { is_delete: false, rows: rows.slice(0, count), counts: None };
            return Some(vec![Change::of_snapshot(self.lsn, name, ChangeKind::Lines(lines))]);
        }
    }
}
