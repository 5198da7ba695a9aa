use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_types::TimestampMicros;

use crate::catalog::Catalog;
use crate::commit::RelationId;
use crate::file::FileMeta;

/// Files below this size are merged with those beside them.
const SMALL_BYTES: u64 = 1 << 20;
/// So many small files beside each other are merged into one.
const SMALL_FILES: usize = 8;

/// Raises the floors of relations whose oldest changes have been kept long enough, or are too many.
pub(crate) fn raise_floors(
    catalog: &mut Catalog,
    files: &[Arc<FileMeta>],
    now: TimestampMicros,
    bytes_max: u64,
) {
    let mut kept: BTreeMap<RelationId, u64> = BTreeMap::new();
    let mut all = 0;
    for file in files.iter().rev() {
        for (relation, bytes) in &file.relations {
            if catalog.floor(*relation) >= file.last {
                continue;
            }
            let keep = catalog.keep(*relation);
            let kept = kept.entry(*relation).or_default();
            *kept += bytes;
            all += bytes;
            let is_old = file.newest.plus_micros(keep.micros) < now;
            if is_old || *kept > keep.bytes || all > bytes_max {
                catalog.raise_floor(*relation, file.last);
            }
        }
    }
}

/// Whether a file's changes of a relation are still to be read.
pub(crate) fn is_live(catalog: &Catalog, file: &FileMeta, relation: RelationId) -> bool {
    catalog.floor(relation) < file.last
}

/// Files, by position, of which one new file is made: what has been kept long enough is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewrite(pub(crate) std::ops::Range<usize>);

/// The rewrite that pays most, if one does: a file that is mostly dead, or small files beside each other.
pub(crate) fn next_rewrite(catalog: &Catalog, files: &[Arc<FileMeta>]) -> Option<Rewrite> {
    let dead_bytes = |file: &FileMeta| -> u64 {
        let dead = file.relations.iter().filter(|(relation, _)| !is_live(catalog, file, **relation));
        dead.map(|(_, bytes)| bytes).sum()
    };
    let mostly_dead = files.iter().position(|file| dead_bytes(file) * 2 > file.bytes);
    if let Some(at) = mostly_dead {
        return Some(Rewrite(at..at + 1));
    }
    let mut start = 0;
    for (at, file) in files.iter().enumerate() {
        if file.bytes >= SMALL_BYTES {
            start = at + 1;
        } else if at + 1 - start >= SMALL_FILES {
            return Some(Rewrite(start..at + 1));
        }
    }
    None
}

/// Whether nothing in a file is to be read any more.
pub(crate) fn is_dead(catalog: &Catalog, file: &FileMeta) -> bool {
    file.relations.keys().all(|relation| !is_live(catalog, file, *relation))
}
