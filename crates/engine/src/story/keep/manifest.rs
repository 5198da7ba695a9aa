use std::path::Path;

use headwater_env::Env;
use headwater_log::sealed::{SealedError, SealedReader, SealedWriter};
use headwater_types::Lsn;
use prost::Message;

/// The manifest's name in a workspace's folder.
const FILE: &str = "MANIFEST";
/// The manifest's kind of sealed file.
const KIND: u32 = 0x10;

/// Which files make up the newest snapshots of a workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// The LSN of the state file; zero before the first round.
    pub state_lsn: Lsn,
    /// The state file's name; empty before the first round.
    pub state_file: String,
    /// The rows of each stored relation that has any.
    pub rows: Vec<RowsEntry>,
}

/// The snapshot of one relation.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RowsEntry {
    /// The relation's number.
    #[prost(uint32, tag = "1")]
    pub relation: u32,
    /// The LSN as of which the rows are right. Later than the file's own if nothing changed in between.
    #[prost(uint64, tag = "2")]
    pub lsn: u64,
    /// The file's name.
    #[prost(string, tag = "3")]
    pub file: String,
    /// The file's length.
    #[prost(uint64, tag = "4")]
    pub bytes: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ManifestRecord {
    #[prost(uint64, tag = "1")]
    state_lsn: u64,
    #[prost(string, tag = "2")]
    state_file: String,
    #[prost(message, repeated, tag = "3")]
    rows: Vec<RowsEntry>,
}

impl Manifest {
    /// The oldest LSN of any snapshot: log up to it is not needed.
    pub(crate) fn oldest_lsn(&self) -> Lsn {
        self.rows.iter().map(|entry| Lsn(entry.lsn)).fold(self.state_lsn, Lsn::min)
    }

    /// The snapshot of a relation.
    pub(crate) fn entry(&self, relation: u32) -> Option<&RowsEntry> {
        self.rows.iter().find(|entry| entry.relation == relation)
    }

    /// The names of all files.
    pub(crate) fn files(&self) -> Vec<&str> {
        let state = Some(self.state_file.as_str()).filter(|file| !file.is_empty());
        self.rows.iter().map(|entry| entry.file.as_str()).chain(state).collect()
    }

    /// The names of all files, and which kind of sealed file each is.
    pub(crate) fn files_with_kinds(&self) -> Vec<(&str, u32)> {
        let state =
            Some((self.state_file.as_str(), super::state_file::KIND)).filter(|(file, _)| !file.is_empty());
        self.rows.iter().map(|entry| (entry.file.as_str(), super::rows_file::KIND)).chain(state).collect()
    }

    /// Puts this manifest in place of the one there is.
    pub(crate) fn write(&self, env: &Env, workspace: &Path) -> std::io::Result<()> {
        let record = ManifestRecord {
            state_lsn: self.state_lsn.0,
            state_file: self.state_file.clone(),
            rows: self.rows.clone(),
        };
        let mut writer = SealedWriter::create(env, &workspace.join(FILE), KIND)?;
        writer.block(&record.encode_to_vec())?;
        writer.finish().map(|_| ())
    }
}

/// Reads the manifest of a workspace; one that was never snapshotted has none.
pub(crate) fn read_manifest(env: &Env, workspace: &Path) -> Result<Manifest, SealedError> {
    let path = workspace.join(FILE);
    if !env.disk.exists(&path) {
        return Ok(Manifest::default());
    }
    let damaged = |reason| SealedError::Damaged { path: path.clone(), offset: 0, reason };
    let mut reader = SealedReader::open(env, &path, KIND)?;
    let block = reader.next().ok_or_else(|| damaged("it holds no manifest"))??;
    let record = ManifestRecord::decode(block).map_err(|_| damaged("its manifest cannot be decoded"))?;
    Ok(Manifest { state_lsn: Lsn(record.state_lsn), state_file: record.state_file, rows: record.rows })
}
