use arrow::ipc::{self, MetadataVersion, root_as_message};

use crate::ipc::{IpcError, refused};

/// What an IPC file begins with; the stream inside begins after zeros that align it.
const FILE_MAGIC: &[u8] = b"ARROW1";
/// What files are aligned to at most.
const FILE_ALIGNMENT: usize = 64;
/// What a message begins with since Arrow 0.15, before the length of its metadata.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The messages of a stream.
pub(super) struct Messages<'b> {
    rest: &'b [u8],
}

/// A message with the bytes that belong to it.
pub(super) struct Message<'b> {
    pub(super) content: Content<'b>,
    pub(super) body: &'b [u8],
}

/// What a message holds.
pub(super) enum Content<'b> {
    Schema(ipc::Schema<'b>),
    Dictionary(ipc::DictionaryBatch<'b>),
    Rows(ipc::RecordBatch<'b>),
}

impl<'b> Messages<'b> {
    pub(super) fn new(body: &'b [u8]) -> Result<Messages<'b>, IpcError> {
        if body.starts_with(b"PAR1") {
            return Err(refused("this is a Parquet file"));
        }
        if body.starts_with(b"{") || body.starts_with(b"[") {
            return Err(refused("this looks like JSON"));
        }
        let Some(file) = body.strip_prefix(FILE_MAGIC) else { return Ok(Messages { rest: body }) };
        let padding =
            file.iter().take(FILE_ALIGNMENT - FILE_MAGIC.len()).take_while(|byte| **byte == 0).count();
        Ok(Messages { rest: &file[padding..] })
    }

    /// The next message; `None` at the end marker. What follows that, as in a file, is not looked at.
    pub(super) fn next(&mut self) -> Result<Option<Message<'b>>, IpcError> {
        let mut length =
            self.take_four().map_err(|_| refused("the stream has no end marker: it was cut short"))?;
        if length == CONTINUATION {
            length = self.take_four()?;
        }
        let length = i32::from_le_bytes(length);
        if length == 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| refused("a message has a negative length"))?;
        let metadata = self.take(length)?;
        let message = root_as_message(metadata).map_err(refused)?;
        if !matches!(message.version(), MetadataVersion::V4 | MetadataVersion::V5) {
            return Err(refused("the stream is of a version before Arrow 0.8"));
        }
        let body_length = usize::try_from(message.bodyLength());
        let body = self.take(body_length.map_err(|_| refused("a message's body has a negative length"))?)?;
        let content = content(&message).ok_or_else(|| refused("a message is neither schema nor rows"))?;
        Ok(Some(Message { content, body }))
    }

    fn take(&mut self, bytes: usize) -> Result<&'b [u8], IpcError> {
        let cut = || refused("a message is longer than what is left: the stream was cut short");
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn take_four(&mut self) -> Result<[u8; 4], IpcError> {
        let taken = self.take(4)?;
        Ok([taken[0], taken[1], taken[2], taken[3]])
    }
}

fn content<'b>(message: &ipc::Message<'b>) -> Option<Content<'b>> {
    let schema = || message.header_as_schema().map(Content::Schema);
    let dictionary = || message.header_as_dictionary_batch().map(Content::Dictionary);
    let rows = || message.header_as_record_batch().map(Content::Rows);
    schema().or_else(dictionary).or_else(rows)
}
