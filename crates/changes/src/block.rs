use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use headwater_codec::ipc;
use headwater_types::Lsn;
use prost::Message;

use crate::canonical::Run;
use crate::commit::{RelationId, StreamDefinition};
use crate::piece::{Piece, PieceKind};
use crate::size::data_bytes;

/// Bytes of rows from which on a block is full.
const BLOCK_BYTES: usize = 256 << 10;
/// Rows of a full block.
const BLOCK_ROWS: usize = 8_192;
/// Pieces of a full block.
const BLOCK_PIECES: usize = 8_192;

const DELETE: u32 = 1;
const INSERT: u32 = 2;
const RESET: u32 = 3;
const RESET_REPLACES: u32 = 4;
const END: u32 = 5;

/// Pieces of one relation, oldest first, with their rows in one batch.
#[derive(Clone, PartialEq, Message)]
struct BlockRecord {
    #[prost(uint32, tag = "1")]
    relation: u32,
    #[prost(uint64, tag = "2")]
    incarnation: u64,
    #[prost(message, repeated, tag = "3")]
    pieces: Vec<PieceRecord>,
    /// Lines per row; empty if every row is one.
    #[prost(uint64, repeated, tag = "4")]
    weights: Vec<u64>,
    /// One IPC message; empty if there are no rows.
    #[prost(bytes = "bytes", tag = "5")]
    rows: bytes::Bytes,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct PieceRecord {
    /// LSN, less that of the piece before it in the block.
    #[prost(uint64, tag = "1")]
    lsn_step: u64,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(uint64, tag = "3")]
    first_line: u64,
    #[prost(uint32, tag = "4")]
    rows: u32,
}

/// Collects pieces of one relation until a block is full.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    stream: Arc<StreamDefinition>,
    pieces: Vec<PieceRecord>,
    batches: Vec<RecordBatch>,
    weights: Vec<u64>,
    has_weights: bool,
    rows: usize,
    bytes: usize,
    first: Option<(Lsn, u64)>,
    last_lsn: Lsn,
}

/// A block that is ready to be written.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) relation: RelationId,
    pub(crate) incarnation: Lsn,
    pub(crate) first_lsn: Lsn,
    /// Lines of the same step before the block's first one.
    pub(crate) first_line: u64,
    pub(crate) last_lsn: Lsn,
    pub(crate) payload: Vec<u8>,
}

impl BlockBuilder {
    pub(crate) fn new(stream: Arc<StreamDefinition>) -> BlockBuilder {
        BlockBuilder {
            stream,
            pieces: Vec::new(),
            batches: Vec::new(),
            weights: Vec::new(),
            has_weights: false,
            rows: 0,
            bytes: 0,
            first: None,
            last_lsn: Lsn::ZERO,
        }
    }

    /// Adds a piece. Rows that do not fit go into further blocks, each given to `full`.
    pub(crate) fn add<E>(
        &mut self,
        piece: &Piece,
        full: &mut impl FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        match &piece.kind {
            PieceKind::Reset { replaces } => {
                self.note(piece.lsn, if *replaces { RESET_REPLACES } else { RESET }, piece.first_line, 0);
            }
            PieceKind::End => self.note(piece.lsn, END, piece.first_line, 0),
            PieceKind::Rows(run) => self.add_rows(piece, run, full)?,
        }
        if self.is_full() { self.flush(full) } else { Ok(()) }
    }

    fn add_rows<E>(
        &mut self,
        piece: &Piece,
        run: &Run,
        full: &mut impl FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        let kind = if run.is_delete { DELETE } else { INSERT };
        let row_bytes = (data_bytes(&run.rows) / run.rows.num_rows().max(1)).max(1);
        let mut first_line = piece.first_line;
        let mut row = 0;
        while row < run.rows.num_rows() {
            if self.is_full() {
                self.flush(full)?;
            }
            let fits = (BLOCK_BYTES.saturating_sub(self.bytes) / row_bytes).max(1);
            let count = fits.min(BLOCK_ROWS - self.rows).min(run.rows.num_rows() - row);
            let weights = (row..row + count).map(|row| run.weight(row));
            let lines: u64 = weights.clone().sum();
            self.weights.extend(weights);
            self.has_weights |= run.weights.is_some();
            let rows = run.rows.slice(row, count);
            self.bytes += data_bytes(&rows);
            self.batches.push(rows);
            self.rows += count;
            self.note(piece.lsn, kind, first_line, count as u32);
            first_line += lines;
            row += count;
        }
        Ok(())
    }

    fn note(&mut self, lsn: Lsn, kind: u32, first_line: u64, rows: u32) {
        self.first.get_or_insert((lsn, first_line));
        self.pieces.push(PieceRecord { lsn_step: lsn.0 - self.last_lsn.0, kind, first_line, rows });
        self.last_lsn = lsn;
    }

    fn is_full(&self) -> bool {
        self.bytes >= BLOCK_BYTES || self.rows >= BLOCK_ROWS || self.pieces.len() >= BLOCK_PIECES
    }

    /// Gives out what has been collected.
    pub(crate) fn flush<E>(&mut self, full: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        let done = std::mem::replace(self, BlockBuilder::new(Arc::clone(&self.stream)));
        match done.first {
            Some((first_lsn, first_line)) => full(done.finish(first_lsn, first_line)),
            None => Ok(()),
        }
    }

    fn finish(self, first_lsn: Lsn, first_line: u64) -> Block {
        let rows = if self.rows == 0 {
            bytes::Bytes::new()
        } else {
            let rows = concat_batches(&self.stream.schema, &self.batches);
            ipc::encode(&rows.expect("rows of one relation have its columns, and a block is small")).into()
        };
        let record = BlockRecord {
            relation: self.stream.relation.0,
            incarnation: self.stream.incarnation.0,
            pieces: self.pieces,
            weights: if self.has_weights { self.weights } else { Vec::new() },
            rows,
        };
        Block {
            relation: self.stream.relation,
            incarnation: self.stream.incarnation,
            first_lsn,
            first_line,
            last_lsn: self.last_lsn,
            payload: record.encode_to_vec(),
        }
    }
}

/// A block's bytes are right, but not those of a block of this relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotABlock;

/// The pieces of a block. `stream_of` knows the relation's columns.
pub(crate) fn decode(
    payload: &[u8],
    stream_of: impl FnOnce(RelationId, Lsn) -> Option<Arc<StreamDefinition>>,
) -> Result<Vec<Piece>, NotABlock> {
    let record = BlockRecord::decode(payload).map_err(|_| NotABlock)?;
    let stream = stream_of(RelationId(record.relation), Lsn(record.incarnation)).ok_or(NotABlock)?;
    let batch = if record.rows.is_empty() {
        RecordBatch::new_empty(Arc::clone(&stream.schema))
    } else {
        ipc::decode(&record.rows, &stream.schema).map_err(|_| NotABlock)?
    };
    let listed: u64 = record.pieces.iter().map(|piece| u64::from(piece.rows)).sum();
    let has_weights = !record.weights.is_empty();
    if listed != batch.num_rows() as u64 || (has_weights && record.weights.len() != batch.num_rows()) {
        return Err(NotABlock);
    }
    let mut lsn = 0_u64;
    let mut row = 0;
    let mut pieces = Vec::with_capacity(record.pieces.len());
    for piece in &record.pieces {
        lsn = lsn.checked_add(piece.lsn_step).ok_or(NotABlock)?;
        let rows = piece.rows as usize;
        let run = |is_delete| Run {
            is_delete,
            rows: batch.slice(row, rows),
            weights: has_weights.then(|| record.weights[row..row + rows].into()),
        };
        let kind = match piece.kind {
            DELETE => PieceKind::Rows(run(true)),
            INSERT => PieceKind::Rows(run(false)),
            RESET => PieceKind::Reset { replaces: false },
            RESET_REPLACES => PieceKind::Reset { replaces: true },
            END => PieceKind::End,
            _ => return Err(NotABlock),
        };
        row += rows;
        pieces.push(Piece { lsn: Lsn(lsn), stream: Arc::clone(&stream), first_line: piece.first_line, kind });
    }
    Ok(pieces)
}
