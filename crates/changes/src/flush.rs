use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use headwater_env::kill_point;
use headwater_log::sealed::SealedError;
use headwater_types::{Lsn, Scan, TimestampMicros};

use crate::block::BlockBuilder;
use crate::canonical::Run;
use crate::catalog::Catalog;
use crate::commit::{Commit, Entry, RelationId, What};
use crate::file::{FileMeta, FileWriter, OpenFile};
use crate::log::ChangeLog;
use crate::manifest::Manifest;
use crate::piece::{Piece, PieceKind, pieces_of};
use crate::retention::{Rewrite, is_dead, is_live, next_rewrite, raise_floors};

impl ChangeLog {
    /// Writes what is in memory to a file, then the manifest that names it; drops and merges files on the way.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let _only_one = self.flushing.lock();
        let (commits, newest, mut now, mut manifest) = {
            let state = self.state.lock();
            let manifest = Manifest {
                identity: state.identity,
                durable: state.durable,
                files: state.files.clone(),
                catalog: state.catalog.clone(),
            };
            (state.tail.all(), state.newest, state.newest_time, manifest)
        };
        if newest <= manifest.durable {
            return Ok(());
        }
        kill_point::reach("changes.flush");
        if let Some(file) = self.write_file(&commits, manifest.durable.next(), newest)? {
            now = now.max(file.newest);
            manifest.files.push(Arc::new(file));
        }
        manifest.durable = newest;
        let needless = self.tidy(&mut manifest, now);
        let floors = manifest.catalog.floors().clone();
        manifest.catalog.forget_ended();
        kill_point::reach("changes.written");
        manifest.write(&self.env, &self.dir)?;
        kill_point::reach("changes.done");
        self.swap_in(manifest, floors);
        for file in needless {
            // A file that stays is removed at the next start.
            let _ = self.env.disk.remove(&self.dir.join(&file.name));
        }
        Ok(())
    }

    /// The disk is full, and what changed up to an LSN cannot be written: it is gone for followers, and so is what older
    /// files hold, as room for the log is worth more.
    pub fn give_up_through(&self, lsn: Lsn) {
        let _only_one = self.flushing.lock();
        let (manifest, files) = {
            let mut state = self.state.lock();
            let relations: Vec<RelationId> =
                state.catalog.streams().iter().map(|stream| stream.definition.relation).collect();
            let lsn = lsn.max(state.durable);
            for relation in relations {
                state.catalog.raise_floor(relation, lsn);
            }
            state.catalog.forget_ended();
            state.durable = lsn;
            state.newest = state.newest.max(lsn);
            drop(state.tail.drop_through(lsn));
            let files = std::mem::take(&mut state.files);
            let (identity, catalog) = (state.identity, state.catalog.clone());
            (Manifest { identity, durable: lsn, files: Vec::new(), catalog }, files)
        };
        tracing::warn!(
            workspace = self.workspace,
            lsn = lsn.0,
            "the disk is full: changes up to this LSN are gone for followers"
        );
        for file in files {
            // A file that stays is removed at the next start.
            let _ = self.env.disk.remove(&self.dir.join(&file.name));
        }
        if let Err(error) = manifest.write(&self.env, &self.dir) {
            tracing::warn!(workspace = self.workspace, %error, "the change log begins anew at the next start");
        }
    }

    /// Followers read from the files from here on. What the story's thread did to the catalog meanwhile stays.
    fn swap_in(&self, manifest: Manifest, floors: BTreeMap<RelationId, Lsn>) {
        let mut state = self.state.lock();
        for (relation, floor) in floors {
            state.catalog.raise_floor(relation, floor);
        }
        state.catalog.forget_ended();
        state.durable = manifest.durable;
        state.files = manifest.files;
        let written = state.tail.drop_through(manifest.durable);
        drop(state);
        // Freeing many rows takes time.
        drop(written);
    }

    fn write_file(&self, commits: &[Arc<Commit>], first: Lsn, last: Lsn) -> io::Result<Option<FileMeta>> {
        let mut by_relation: BTreeMap<RelationId, Vec<(Lsn, &Entry)>> = BTreeMap::new();
        for commit in commits {
            for entry in &commit.entries {
                by_relation.entry(entry.stream.relation).or_default().push((commit.lsn, entry));
            }
        }
        if by_relation.is_empty() {
            return Ok(None);
        }
        self.env.disk.create_dir_all(&self.dir)?;
        let name = format!("{first}-{last}.0");
        let mut file = FileWriter::create(&self.env, &self.dir.join(&name))?;
        for entries in by_relation.values() {
            for same_columns in
                entries.chunk_by(|(_, a), (_, b)| a.stream.incarnation == b.stream.incarnation)
            {
                write_entries(&mut file, same_columns)?;
            }
        }
        let (bytes, relations) = file.finish()?;
        let newest = commits.last().map_or(TimestampMicros::default(), |commit| commit.ingest_time);
        Ok(Some(FileMeta { name, bytes, first, last, newest, relations }))
    }

    /// Leaves out what has been kept long enough. Returns the files that are not needed any more.
    fn tidy(&self, manifest: &mut Manifest, now: TimestampMicros) -> Vec<Arc<FileMeta>> {
        raise_floors(&mut manifest.catalog, &manifest.files, now, self.bytes_max);
        let Manifest { files, catalog, .. } = manifest;
        let mut needless: Vec<_> = files.extract_if(.., |file| is_dead(catalog, file)).collect();
        if let Some(Rewrite(range)) = next_rewrite(catalog, files) {
            match self.rewrite(catalog, &files[range.clone()]) {
                Ok(file) => needless.extend(files.splice(range, [Arc::new(file)])),
                Err(error) => {
                    tracing::warn!(workspace = self.workspace, %error, "files of the change log are not merged");
                }
            }
        }
        needless
    }

    /// One file of several, without what is dead.
    fn rewrite(&self, catalog: &mut Catalog, files: &[Arc<FileMeta>]) -> io::Result<FileMeta> {
        let (Some(first), Some(last)) = (files.first(), files.last()) else {
            return Err(io::Error::other("there is nothing to merge"));
        };
        let generation = files.iter().filter_map(|file| file.name.rsplit_once('.')?.1.parse::<u64>().ok());
        let generation = generation.max().unwrap_or(0) + 1;
        let name = format!("{}-{}.{generation}", first.first, last.last);
        let mut opened = Vec::with_capacity(files.len());
        for file in files {
            let open = OpenFile::open(&self.env, &self.dir, Arc::clone(file));
            opened.push(open.map_err(|error| damaged(catalog, file, error))?);
        }
        let mut file = FileWriter::create(&self.env, &self.dir.join(&name))?;
        let mut relations: Vec<RelationId> =
            files.iter().flat_map(|file| file.relations.keys().copied()).collect();
        relations.sort_unstable();
        relations.dedup();
        for relation in relations {
            for source in &opened {
                if !is_live(catalog, &source.meta, relation) {
                    continue;
                }
                for entry in source.index().iter().filter(|entry| entry.relation == relation.0) {
                    let payload = source.payload(entry);
                    let payload = payload.map_err(|error| damaged(catalog, &source.meta, error))?;
                    file.copy(*entry, &payload)?;
                }
            }
        }
        let (bytes, relations) = file.finish()?;
        let newest = files.iter().map(|file| file.newest).max().unwrap_or_default();
        Ok(FileMeta { name, bytes, first: first.first, last: last.last, newest, relations })
    }
}

/// What a file held that cannot be read is gone.
fn damaged(catalog: &mut Catalog, file: &FileMeta, error: SealedError) -> io::Error {
    for relation in file.relations.keys() {
        catalog.raise_floor(*relation, file.last);
    }
    io::Error::other(error)
}

fn write_entries(file: &mut FileWriter, entries: &[(Lsn, &Entry)]) -> io::Result<()> {
    let Some((_, first)) = entries.first() else { return Ok(()) };
    let mut builder = BlockBuilder::new(Arc::clone(&first.stream));
    let mut full = |block| file.block(&block);
    for (lsn, entry) in entries {
        for piece in pieces_of(*lsn, entry) {
            builder.add(&piece, &mut full)?;
        }
        if let What::Reset { rows: Some(rows), .. } = &entry.what {
            for piece in reset_rows(*lsn, entry, &**rows) {
                builder.add(&piece, &mut full)?;
            }
        }
    }
    builder.flush(&mut full)
}

/// The rows with which a relation begins, behind the line that says so.
fn reset_rows<'a>(lsn: Lsn, entry: &'a Entry, rows: &'a dyn Scan) -> impl Iterator<Item = Piece> + 'a {
    let mut first_line = 1;
    (0..rows.num_segments()).filter_map(move |segment| {
        let rows = rows.segment(segment, None);
        let piece = Piece {
            lsn,
            stream: Arc::clone(&entry.stream),
            first_line,
            kind: PieceKind::Rows(Run { is_delete: false, rows, weights: None }),
        };
        first_line += piece.num_lines();
        (piece.num_lines() > 0).then_some(piece)
    })
}
