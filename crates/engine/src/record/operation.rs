use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use headwater_codec::ipc;
use headwater_types::{IfAbsent, Operation, OperationKind, TableDefinition};

use super::RecordReadError;

const INSERT: u32 = 1;
const UPSERT: u32 = 2;
const DELETE_ROW: u32 = 3;
const DELETE_KEY: u32 = 4;
const PATCH: u32 = 5;

const IF_ABSENT_ERROR: u32 = 0;
const IF_ABSENT_IGNORE: u32 = 1;
const IF_ABSENT_INSERT: u32 = 2;

/// A run of records that do the same to the same table. Tag 7 (set additions of a patch) is kept for later use.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OperationRecord {
    /// The table, by the number it keeps for life.
    #[prost(uint32, tag = "1")]
    pub relation: u32,
    /// 1 insert, 2 upsert, 3 delete row, 4 delete key, 5 patch.
    #[prost(uint32, tag = "2")]
    pub kind: u32,
    /// For a patch: 0 error, 1 ignore, 2 insert.
    #[prost(uint32, tag = "3")]
    pub if_absent: u32,
    /// For a patch: the table's column indexes that the batch holds, in its order.
    #[prost(uint32, repeated, tag = "4")]
    pub columns: Vec<u32>,
    /// One Arrow IPC record-batch message; its schema follows from table, kind and columns.
    #[prost(bytes = "bytes", tag = "5")]
    pub batch: bytes::Bytes,
    /// The place of each row's record in its request; empty if they are 0, 1, 2 ….
    #[prost(uint32, repeated, tag = "6")]
    pub record_indexes: Vec<u32>,
}

impl OperationRecord {
    /// The record of an operation on the table with this number.
    pub(crate) fn of(operation: &Operation, relation: u32) -> OperationRecord {
        let (kind, if_absent) = match operation.kind {
            OperationKind::Insert => (INSERT, IF_ABSENT_ERROR),
            OperationKind::Upsert => (UPSERT, IF_ABSENT_ERROR),
            OperationKind::DeleteRow => (DELETE_ROW, IF_ABSENT_ERROR),
            OperationKind::DeleteKey => (DELETE_KEY, IF_ABSENT_ERROR),
            OperationKind::Patch(IfAbsent::Error) => (PATCH, IF_ABSENT_ERROR),
            OperationKind::Patch(IfAbsent::Ignore) => (PATCH, IF_ABSENT_IGNORE),
            OperationKind::Patch(IfAbsent::Insert) => (PATCH, IF_ABSENT_INSERT),
        };
        OperationRecord {
            relation,
            kind,
            if_absent,
            columns: operation
                .columns
                .iter()
                .map(|column| u32::try_from(*column).unwrap_or(u32::MAX))
                .collect(),
            batch: ipc::encode(&operation.rows).into(),
            record_indexes: if counts_up(&operation.record_indexes) {
                Vec::new()
            } else {
                operation.record_indexes.clone()
            },
        }
    }

    /// The operation again, for the table at position `table` with this definition.
    pub(crate) fn to_operation(
        &self,
        table: usize,
        definition: &TableDefinition,
    ) -> Result<Operation, RecordReadError> {
        self.to_operation_of(table, |kind, columns| batch_schema(definition, kind, columns))
    }

    /// The operation again; `schema` knows the rows of an operation by its kind and a patch's columns.
    pub(crate) fn to_operation_of(
        &self,
        table: usize,
        schema: impl FnOnce(OperationKind, &[usize]) -> Option<SchemaRef>,
    ) -> Result<Operation, RecordReadError> {
        let columns: Vec<usize> = self.columns.iter().map(|column| *column as usize).collect();
        let kind = self.operation_kind()?;
        let schema = schema(kind, &columns).ok_or_else(|| {
            undecodable(format!("a column of {columns:?} is not in relation {}", self.relation))
        })?;
        let rows = ipc::decode(&self.batch, &schema).map_err(|error| undecodable(error.to_string()))?;
        let record_indexes: Vec<u32> = if self.record_indexes.is_empty() {
            (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect()
        } else {
            self.record_indexes.clone()
        };
        if record_indexes.len() != rows.num_rows() {
            return Err(undecodable("an operation does not have one record index per row".to_owned()));
        }
        Ok(Operation { table, kind, columns, rows, record_indexes })
    }

    fn operation_kind(&self) -> Result<OperationKind, RecordReadError> {
        let if_absent = match self.if_absent {
            IF_ABSENT_ERROR => IfAbsent::Error,
            IF_ABSENT_IGNORE => IfAbsent::Ignore,
            IF_ABSENT_INSERT => IfAbsent::Insert,
            other => return Err(undecodable(format!("if_absent {other} is unknown"))),
        };
        Ok(match self.kind {
            INSERT => OperationKind::Insert,
            UPSERT => OperationKind::Upsert,
            DELETE_ROW => OperationKind::DeleteRow,
            DELETE_KEY => OperationKind::DeleteKey,
            PATCH => OperationKind::Patch(if_absent),
            other => return Err(undecodable(format!("operation {other} is unknown"))),
        })
    }
}

fn counts_up(indexes: &[u32]) -> bool {
    indexes.iter().zip(0..).all(|(index, place)| *index == place)
}

fn undecodable(reason: String) -> RecordReadError {
    RecordReadError::Undecodable { reason }
}

/// The schema of the rows that an operation of this kind holds; `None` if a column is not the table's.
pub(crate) fn batch_schema(
    definition: &TableDefinition,
    kind: OperationKind,
    columns: &[usize],
) -> Option<SchemaRef> {
    let whole = definition.schema();
    let some = |columns: &[usize]| -> Option<SchemaRef> {
        let fields = columns.iter().map(|column| whole.fields().get(*column).cloned());
        Some(Arc::new(Schema::new(fields.collect::<Option<Vec<_>>>()?)))
    };
    match kind {
        OperationKind::Insert | OperationKind::Upsert | OperationKind::DeleteRow => Some(whole),
        OperationKind::DeleteKey => some(&definition.primary_key),
        OperationKind::Patch(_) => some(columns),
    }
}
