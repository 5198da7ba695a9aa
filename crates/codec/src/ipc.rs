use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow::ipc::{self, MetadataVersion, root_as_message};
use arrow::record_batch::RecordBatch;

pub(crate) mod columns;

use columns::{Columns, buffer_at};

/// Why bytes are not a record batch of the expected schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record batch of this schema: {reason}")]
pub struct IpcError {
    /// What was found.
    pub reason: String,
}

pub(crate) fn refused(reason: impl ToString) -> IpcError {
    IpcError { reason: reason.to_string() }
}

/// What all parts of a message are aligned to.
const ALIGNMENT: usize = 8;
/// What each message begins with, before the length of its metadata.
const CONTINUATION: [u8; 4] = [0xff; 4];
const PREFIX_BYTES: usize = 8;
const VERSION: MetadataVersion = MetadataVersion::V5;

/// One Arrow IPC record-batch message without schema: 8-byte aligned, uncompressed, a multiple of 8 bytes long.
///
/// # Panics
/// If a column is dictionary-encoded, which no table's or view's column is.
#[must_use]
pub fn encode(batch: &RecordBatch) -> Vec<u8> {
    let options =
        IpcWriteOptions::try_new(ALIGNMENT, false, VERSION).expect("8 is an alignment of the format");
    let mut dictionaries = DictionaryTracker::new(true);
    let (dictionary_batches, encoded) = IpcDataGenerator::default()
        .encode(batch, &mut dictionaries, &options, &mut IpcWriteContext::default())
        .expect("a batch of plain columns can be encoded");
    assert!(dictionary_batches.is_empty(), "columns are not dictionary-encoded");
    let mut message =
        Vec::with_capacity(PREFIX_BYTES + encoded.ipc_message.len() + ALIGNMENT + encoded.arrow_data.len());
    write_message(&mut message, encoded, &options).expect("writing to memory succeeds");
    assert_eq!(message.len() % ALIGNMENT, 0, "messages are padded");
    message
}

/// Reads what [`encode`] wrote. Any bytes may be given: all is validated, also that NOT NULL columns hold no NULL.
pub fn decode(bytes: &[u8], schema: &SchemaRef) -> Result<RecordBatch, IpcError> {
    let (metadata, body) = split(bytes)?;
    let message = root_as_message(metadata).map_err(refused)?;
    if message.version() != VERSION {
        return Err(refused("the message is of another version"));
    }
    if usize::try_from(message.bodyLength()) != Ok(body.len()) {
        return Err(refused("the body has another length than its metadata says"));
    }
    let header =
        message.header_as_record_batch().ok_or_else(|| refused("the message holds no record batch"))?;
    if header.compression().is_some() {
        return Err(refused("the body is compressed"));
    }
    decode_columns(&header, &Buffer::from(body), schema)
}

fn decode_columns(
    header: &ipc::RecordBatch<'_>,
    body: &Buffer,
    schema: &SchemaRef,
) -> Result<RecordBatch, IpcError> {
    let nodes = header.nodes().ok_or_else(|| refused("the columns are not described"))?;
    let places = header.buffers().ok_or_else(|| refused("the buffers are not described"))?;
    if nodes.len() != schema.fields().len() {
        return Err(refused("the message has another number of columns"));
    }
    // The smallest value of any column takes one bit, so sizes computed from the rows cannot overflow.
    let rows = usize::try_from(header.length()).ok().filter(|rows| *rows <= body.len().saturating_mul(8));
    let rows = rows.ok_or_else(|| refused("there are more rows than the body can hold"))?;
    let buffers = places.iter().map(|place| buffer_at(body, place));
    let mut columns = Columns { buffers, rows };
    let arrays = schema.fields().iter().zip(nodes).map(|(field, node)| columns.take(field, node));
    let arrays = arrays.collect::<Result<Vec<ArrayRef>, IpcError>>()?;
    if columns.buffers.next().is_some() {
        return Err(refused("the message has more buffers than columns need"));
    }
    RecordBatch::try_new(SchemaRef::clone(schema), arrays).map_err(refused)
}

/// The metadata and the body of a message.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), IpcError> {
    let (prefix, rest) =
        bytes.split_at_checked(PREFIX_BYTES).ok_or_else(|| refused("the prefix is cut short"))?;
    if prefix[..4] != CONTINUATION {
        return Err(refused("the message does not begin with its marker"));
    }
    let metadata_bytes = u32::from_le_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
    if !metadata_bytes.is_multiple_of(ALIGNMENT) {
        return Err(refused("the metadata is not aligned"));
    }
    rest.split_at_checked(metadata_bytes).ok_or_else(|| refused("the metadata is cut short"))
}
