use std::path::Path;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_codec::ipc;
use headwater_env::Env;
use headwater_log::sealed::{SealedError, SealedReader, SealedWriter};
use headwater_relation::RelationSnapshot;
use headwater_types::{Lsn, Scan};
use prost::Message;

/// The kind of sealed file that holds rows.
pub(super) const KIND: u32 = 0x12;

/// The first block: what the rows after it are.
#[derive(Clone, PartialEq, Message)]
struct RowsHeader {
    #[prost(uint32, tag = "1")]
    relation: u32,
    #[prost(uint64, tag = "2")]
    lsn: u64,
    #[prost(uint64, tag = "3")]
    rows: u64,
}

/// Writes all rows of a relation; each further block is one batch. Returns the file's length.
pub(crate) fn write_rows(
    env: &Env,
    path: &Path,
    relation: u32,
    lsn: Lsn,
    rows: &RelationSnapshot,
) -> std::io::Result<u64> {
    let mut writer = SealedWriter::create(env, path, KIND)?;
    let header = RowsHeader { relation, lsn: lsn.0, rows: rows.num_rows() as u64 };
    writer.block(&header.encode_to_vec())?;
    for segment in 0..rows.num_segments() {
        let batch = rows.segment(segment, None);
        if batch.num_rows() > 0 {
            writer.block(&ipc::encode(&batch))?;
        }
    }
    writer.finish()
}

/// Reads all rows of a relation back, batch by batch.
pub(crate) fn read_rows(
    env: &Env,
    path: &Path,
    relation: u32,
    schema: &SchemaRef,
    mut each: impl FnMut(RecordBatch),
) -> Result<(), SealedError> {
    let damaged = |reason| SealedError::Damaged { path: path.to_owned(), offset: 0, reason };
    let mut reader = SealedReader::open(env, path, KIND)?;
    let header = reader.next().ok_or_else(|| damaged("it has no header"))??;
    let header = RowsHeader::decode(header).map_err(|_| damaged("its header cannot be decoded"))?;
    if header.relation != relation {
        return Err(damaged("it holds another relation's rows"));
    }
    let mut rows = 0;
    for block in reader {
        let batch = ipc::decode(&block?, schema).map_err(|_| damaged("its rows do not fit the relation"))?;
        rows += batch.num_rows() as u64;
        each(batch);
    }
    if rows == header.rows { Ok(()) } else { Err(damaged("it does not hold all its rows")) }
}
