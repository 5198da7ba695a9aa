use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::ipc::convert::{IpcSchemaEncoder, fb_to_schema};
use arrow::ipc::root_as_schema;
use headwater_env::Env;
use headwater_log::sealed::{SealedError, SealedReader, SealedWriter};
use headwater_types::{Lsn, Name, TimestampMicros};
use prost::Message;

use crate::catalog::{Catalog, Stream};
use crate::commit::{Keep, RelationId, StreamDefinition};
use crate::cursor::Identity;
use crate::file::FileMeta;

/// The manifest's name in the folder of the change log.
pub(crate) const FILE: &str = "CHANGES-MANIFEST";
/// The manifest's kind of sealed file.
pub(crate) const KIND: u32 = 0x20;

/// All that is known about the files of a change log.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) identity: Identity,
    /// What changed up to here is in the files.
    pub(crate) durable: Lsn,
    /// Oldest first.
    pub(crate) files: Vec<Arc<FileMeta>>,
    pub(crate) catalog: Catalog,
}

#[derive(Clone, PartialEq, Message)]
struct ManifestRecord {
    #[prost(fixed64, tag = "1")]
    identity: u64,
    #[prost(uint64, tag = "2")]
    durable: u64,
    #[prost(message, repeated, tag = "3")]
    files: Vec<FileRecord>,
    #[prost(message, repeated, tag = "4")]
    streams: Vec<StreamRecord>,
    #[prost(message, repeated, tag = "5")]
    floors: Vec<FloorRecord>,
    #[prost(uint64, tag = "6")]
    known_from: u64,
}

#[derive(Clone, PartialEq, Message)]
struct FileRecord {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    bytes: u64,
    #[prost(uint64, tag = "3")]
    first: u64,
    #[prost(uint64, tag = "4")]
    last: u64,
    #[prost(sint64, tag = "5")]
    newest: i64,
    #[prost(btree_map = "uint32, uint64", tag = "6")]
    relations: BTreeMap<u32, u64>,
}

#[derive(Clone, PartialEq, Message)]
struct StreamRecord {
    #[prost(uint32, tag = "1")]
    relation: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, tag = "3")]
    incarnation: u64,
    /// The columns, as an Arrow schema in its IPC form.
    #[prost(bytes = "vec", tag = "4")]
    schema: Vec<u8>,
    #[prost(sint64, tag = "5")]
    keep_micros: i64,
    #[prost(uint64, tag = "6")]
    keep_bytes: u64,
    /// Zero while it lives.
    #[prost(uint64, tag = "7")]
    ended_at: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct FloorRecord {
    #[prost(uint32, tag = "1")]
    relation: u32,
    #[prost(uint64, tag = "2")]
    lsn: u64,
}

impl Manifest {
    /// A change log that begins behind an LSN, with nothing in it.
    pub(crate) fn beginning(identity: Identity) -> Manifest {
        Manifest { identity, durable: Lsn::ZERO, files: Vec::new(), catalog: Catalog::default() }
    }

    /// Puts this manifest in place of the one there is.
    pub(crate) fn write(&self, env: &Env, dir: &Path) -> std::io::Result<()> {
        let floors = self.catalog.floors().iter();
        let record = ManifestRecord {
            identity: self.identity.0,
            durable: self.durable.0,
            files: self.files.iter().map(|file| file_record(file)).collect(),
            streams: self.catalog.streams().iter().map(stream_record).collect(),
            floors: floors.map(|(relation, lsn)| FloorRecord { relation: relation.0, lsn: lsn.0 }).collect(),
            known_from: self.catalog.known_from().0,
        };
        let mut writer = SealedWriter::create(env, &dir.join(FILE), KIND)?;
        writer.block(&record.encode_to_vec())?;
        writer.finish().map(|_| ())
    }

    /// Reads the manifest of a change log; `None` if there is none.
    pub(crate) fn read(env: &Env, dir: &Path) -> Result<Option<Manifest>, SealedError> {
        let path = dir.join(FILE);
        if !env.disk.exists(&path) {
            return Ok(None);
        }
        let damaged = |reason| SealedError::Damaged { path: path.clone(), offset: 0, reason };
        let mut reader = SealedReader::open(env, &path, KIND)?;
        let block = reader.next().ok_or_else(|| damaged("it holds no manifest"))??;
        let record = ManifestRecord::decode(block).map_err(|_| damaged("its manifest cannot be decoded"))?;
        let streams: Option<Vec<Stream>> = record.streams.iter().map(stream_of).collect();
        let streams = streams.ok_or_else(|| damaged("it describes a relation that cannot be"))?;
        let floors = record.floors.iter().map(|floor| (RelationId(floor.relation), Lsn(floor.lsn))).collect();
        Ok(Some(Manifest {
            identity: Identity(record.identity),
            durable: Lsn(record.durable),
            files: record.files.into_iter().map(|file| Arc::new(file_of(file))).collect(),
            catalog: Catalog::new(streams, floors, Lsn(record.known_from)),
        }))
    }
}

fn file_record(file: &FileMeta) -> FileRecord {
    FileRecord {
        name: file.name.clone(),
        bytes: file.bytes,
        first: file.first.0,
        last: file.last.0,
        newest: file.newest.0,
        relations: file.relations.iter().map(|(relation, bytes)| (relation.0, *bytes)).collect(),
    }
}

fn file_of(record: FileRecord) -> FileMeta {
    FileMeta {
        name: record.name,
        bytes: record.bytes,
        first: Lsn(record.first),
        last: Lsn(record.last),
        newest: TimestampMicros(record.newest),
        relations: record.relations.into_iter().map(|(id, bytes)| (RelationId(id), bytes)).collect(),
    }
}

fn stream_record(stream: &Stream) -> StreamRecord {
    let definition = &stream.definition;
    StreamRecord {
        relation: definition.relation.0,
        name: definition.name.to_string(),
        incarnation: definition.incarnation.0,
        schema: IpcSchemaEncoder::new().schema_to_fb(&definition.schema).finished_data().to_vec(),
        keep_micros: stream.keep.micros,
        keep_bytes: stream.keep.bytes,
        ended_at: stream.ended_at.map_or(0, |lsn| lsn.0),
    }
}

fn stream_of(record: &StreamRecord) -> Option<Stream> {
    let schema = fb_to_schema(root_as_schema(&record.schema).ok()?);
    let definition = StreamDefinition {
        relation: RelationId(record.relation),
        name: Name::system(&record.name).ok()?,
        incarnation: Lsn(record.incarnation),
        schema: Arc::new(schema),
    };
    Some(Stream {
        definition: Arc::new(definition),
        keep: Keep { micros: record.keep_micros, bytes: record.keep_bytes },
        ended_at: (record.ended_at > 0).then_some(Lsn(record.ended_at)),
    })
}
