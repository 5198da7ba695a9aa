//! Bodies of Arrow IPC: a stream, or a file, which holds a stream.
//!
//! The stream must end with its end marker: without one a whole stream cannot be told from a cut one. Arrow's own
//! reader trusts what it reads more than a request may be trusted, so only the flatbuffers of its messages are read by
//! it, verified; every length is compared with what there is before anything is made of it.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use headwater_types::Decoded;

use crate::body_error::BodyError;
use crate::ipc::IpcError;
use crate::read_columns::ColumnRows;
use crate::rows::plan::RowPlan;

/// Compressed buffers.
mod buffers;
/// Batches of columns.
mod columns;
/// Messages, one after the other.
mod messages;
/// The schema.
mod schema;

use buffers::Budget;
use messages::{Content, Messages};
use schema::StreamSchema;

/// Decodes records of one table.
pub(crate) fn decode_arrow(body: &[u8], table: usize, plan: RowPlan<'_>) -> Result<Decoded, BodyError> {
    let mut budget = Budget::new(body.len());
    let mut messages = Messages::new(body).map_err(malformed)?;
    let schema = StreamSchema::read(messages.next().map_err(malformed)?)?;
    let mut rows = ColumnRows::new(table, plan, &schema.fields)?;
    let mut dictionaries: HashMap<i64, ArrayRef> = HashMap::new();
    while let Some(message) = messages.next().map_err(malformed)? {
        match message.content {
            Content::Schema(_) => {
                return Err(malformed(crate::ipc::refused("a second schema follows the first")));
            }
            Content::Dictionary(dictionary) => {
                let (id, words) = columns::dictionary(&dictionary, message.body, &schema, &mut budget)?;
                dictionaries.insert(id, words);
            }
            Content::Rows(batch) => {
                let (columns, count) =
                    columns::batch(&batch, message.body, &schema, &dictionaries, &mut budget)?;
                rows.add(&columns, count)?;
            }
        }
    }
    Ok(rows.finish())
}

fn malformed(error: IpcError) -> BodyError {
    BodyError::Arrow { reason: error.reason }
}
