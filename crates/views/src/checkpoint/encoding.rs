use std::collections::BTreeMap;
use std::sync::Arc;

use dbsp::storage::buffer_cache::FBuf;
use headwater_types::Name;
use prost::Message;

use super::{CircuitCheckpoint, PartRecord};
use crate::storage::book::FileDigest;

/// Bytes that do not describe a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes do not describe a checkpoint: {0}")]
pub struct CheckpointDecodeError(String);

#[derive(Clone, PartialEq, Message)]
struct CheckpointMessage {
    #[prost(string, tag = "1")]
    environment: String,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<PartMessage>,
    #[prost(message, repeated, tag = "4")]
    files: Vec<FileMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct PartMessage {
    #[prost(string, repeated, tag = "1")]
    views: Vec<String>,
    #[prost(bytes = "vec", tag = "2")]
    plan_hash: Vec<u8>,
    #[prost(fixed64, tag = "3")]
    fingerprint: u64,
    #[prost(bool, tag = "4")]
    must_run: bool,
}

#[derive(Clone, PartialEq, Message)]
struct FileMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    bytes: u64,
    #[prost(bytes = "vec", tag = "3")]
    blake3: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct NotesMessage {
    #[prost(message, repeated, tag = "1")]
    notes: Vec<NoteMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct NoteMessage {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(bytes = "vec", tag = "2")]
    bytes: Vec<u8>,
}

impl CircuitCheckpoint {
    /// The description as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let part = |part: &PartRecord| PartMessage {
            views: part.views.iter().map(|view| view.as_str().to_owned()).collect(),
            plan_hash: part.plan_hash.to_vec(),
            fingerprint: part.fingerprint,
            must_run: part.must_run,
        };
        let file = |file: &FileDigest| FileMessage {
            name: file.name.clone(),
            bytes: file.bytes,
            blake3: file.blake3.to_vec(),
        };
        let message = CheckpointMessage {
            environment: self.environment.clone(),
            number: self.number,
            parts: self.parts.iter().map(part).collect(),
            files: self.files.iter().map(file).collect(),
        };
        message.encode_to_vec()
    }

    /// The description that [`CircuitCheckpoint::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<CircuitCheckpoint, CheckpointDecodeError> {
        let message = CheckpointMessage::decode(bytes).map_err(refused)?;
        let parts = message.parts.into_iter().map(|part| {
            let views: Result<Vec<Name>, _> = part.views.iter().map(|view| Name::system(view)).collect();
            Ok(PartRecord {
                views: views.map_err(refused)?,
                plan_hash: hash(&part.plan_hash)?,
                fingerprint: part.fingerprint,
                must_run: part.must_run,
            })
        });
        let files = message.files.into_iter().map(|file| {
            if file.name.contains(['/', '\\']) || file.name.starts_with('.') {
                return Err(refused(format!("{:?} is no file of a circuit", file.name)));
            }
            Ok(FileDigest { blake3: hash(&file.blake3)?, name: file.name, bytes: file.bytes })
        });
        Ok(CircuitCheckpoint {
            environment: message.environment,
            number: message.number,
            parts: parts.collect::<Result<_, _>>()?,
            files: files.collect::<Result<_, _>>()?,
        })
    }
}

/// The notes of operators as bytes.
pub(super) fn encode_notes(notes: &BTreeMap<String, Arc<FBuf>>) -> Vec<u8> {
    let note = |(path, bytes): (&String, &Arc<FBuf>)| NoteMessage {
        path: path.clone(),
        bytes: bytes.as_slice().to_vec(),
    };
    NotesMessage { notes: notes.iter().map(note).collect() }.encode_to_vec()
}

/// Path and bytes of each note.
pub(super) fn decode_notes(bytes: &[u8]) -> Result<Vec<(String, FBuf)>, CheckpointDecodeError> {
    let message = NotesMessage::decode(bytes).map_err(refused)?;
    Ok(message.notes.into_iter().map(|note| (note.path, FBuf::from_slice(&note.bytes))).collect())
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], CheckpointDecodeError> {
    bytes.try_into().map_err(|_| refused("a hash has 32 bytes"))
}

fn refused(reason: impl ToString) -> CheckpointDecodeError {
    CheckpointDecodeError(reason.to_string())
}
