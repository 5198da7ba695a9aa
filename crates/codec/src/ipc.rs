use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Decimal128Type, SchemaRef};
use arrow::ipc::reader::read_record_batch;
use arrow::ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow::ipc::{Message, MessageHeader, MetadataVersion, root_as_message};
use arrow::record_batch::RecordBatch;

/// Why bytes are not a record batch of the expected schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record batch of this schema: {reason}")]
pub struct IpcError {
    /// What was found.
    pub reason: String,
}

fn refused(reason: impl ToString) -> IpcError {
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
    check_layout(&message, body.len(), schema)?;
    let header =
        message.header_as_record_batch().ok_or_else(|| refused("the message holds no record batch"))?;
    let body = Buffer::from(body);
    let batch = read_record_batch(&body, header, SchemaRef::clone(schema), &HashMap::new(), None, &VERSION);
    let batch = batch.map_err(refused)?;
    check_decimals(&batch)?;
    Ok(batch)
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

/// Checks what the array reader takes for granted: that counts are sane and buffers lie inside the body.
fn check_layout(message: &Message<'_>, body_bytes: usize, schema: &SchemaRef) -> Result<(), IpcError> {
    if message.version() != VERSION || message.header_type() != MessageHeader::RecordBatch {
        return Err(refused("the message is of another kind or version"));
    }
    if usize::try_from(message.bodyLength()) != Ok(body_bytes) {
        return Err(refused("the body has another length than its metadata says"));
    }
    let header =
        message.header_as_record_batch().ok_or_else(|| refused("the message holds no record batch"))?;
    if header.compression().is_some()
        || header.variadicBufferCounts().is_some_and(|counts| !counts.is_empty())
    {
        return Err(refused("the body is compressed or holds view columns"));
    }
    // The smallest value of any column takes one bit.
    let rows_max = body_bytes as u64 * 8;
    let fits = |count: i64, max: u64| u64::try_from(count).is_ok_and(|count| count <= max);
    if !fits(header.length(), rows_max) {
        return Err(refused("there are more rows than the body can hold"));
    }
    let nodes = header.nodes().ok_or_else(|| refused("the columns are not described"))?;
    let buffers = header.buffers().ok_or_else(|| refused("the buffers are not described"))?;
    let expected_buffers: usize = schema.fields().iter().map(|field| buffers_of(field.data_type())).sum();
    if nodes.len() != schema.fields().len() || buffers.len() != expected_buffers {
        return Err(refused("the message has other columns"));
    }
    if nodes
        .iter()
        .any(|node| node.length() != header.length() || !fits(node.null_count(), node.length() as u64))
    {
        return Err(refused("a column has another number of rows"));
    }
    let inside = |offset: i64, length: i64| {
        let end = offset.checked_add(length);
        offset >= 0 && length >= 0 && end.is_some_and(|end| fits(end, body_bytes as u64))
    };
    if !buffers.iter().all(|buffer| inside(buffer.offset(), buffer.length())) {
        return Err(refused("a buffer lies outside the body"));
    }
    Ok(())
}

/// Validity and values, and offsets for texts.
fn buffers_of(data_type: &DataType) -> usize {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => 3,
        _ => 2,
    }
}

/// The array reader takes any 128 bits for a decimal.
fn check_decimals(batch: &RecordBatch) -> Result<(), IpcError> {
    for column in batch.columns() {
        if let DataType::Decimal128(precision, _) = column.data_type() {
            let decimals = column.as_primitive::<Decimal128Type>();
            decimals.validate_decimal_precision(*precision).map_err(refused)?;
        }
    }
    Ok(())
}
