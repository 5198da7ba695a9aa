//! What moves a workspace besides pushes: pause, resume, and the workspace clock with the retention that hangs on it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::aggregate;
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use headwater_relation::Relation;
use headwater_types::{Operation, OperationKind, Scan, TimestampMicros};

use crate::clock::Clocks;
use crate::counters::CountsBuilder;
use crate::program::RunningProgram;
use crate::record::{
    ClockTickRecord, LogRecord, OperationRecord, RejectedRecord, RequestRecord, ResumeRecord, RetentionCut,
};
use crate::state::State;
use crate::story::order::{NetChange, NetChanges, TableChange};

const MICROS_PER_DAY: i64 = 24 * 3_600 * 1_000_000;
const NANOS_PER_MICRO: i64 = 1_000;

/// The newest time that an operation brings in its table's retention column: what moves the event clock.
pub(crate) fn newest_time(program: &RunningProgram, operation: &Operation) -> Option<TimestampMicros> {
    let definition = &program.tables.get(operation.table)?.definition;
    let column = definition.retention?.column;
    let position = match operation.kind {
        OperationKind::Insert | OperationKind::Upsert => Some(column),
        OperationKind::Patch(_) => operation.columns.iter().position(|c| *c == column),
        OperationKind::DeleteRow | OperationKind::DeleteKey => None,
    };
    extreme_micros(operation.rows.column(position?), true)
}

/// The cuts that retention asks for at this workspace clock: one for each table that holds older rows.
pub(crate) fn due_cuts(state: &State, workspace_clock: TimestampMicros) -> Vec<RetentionCut> {
    let tables = state.program.tables.iter().zip(&state.tables);
    let due = tables.filter_map(|(table, rows)| {
        let retention = table.definition.retention?;
        let before = workspace_clock.0.checked_sub(retention.keep_micros)?;
        let oldest = oldest_micros(rows.as_ref()?, retention.column)?;
        (oldest.0 < before).then(|| RetentionCut {
            relation: table.id.0,
            column: u32::try_from(retention.column).unwrap_or(u32::MAX),
            before,
        })
    });
    due.collect()
}

/// The record of a tick: the clocks as they are, the mode if it changed, and the cuts.
pub(crate) fn tick_record(state: &State, clocks: Clocks, mode: u32, cuts: Vec<RetentionCut>) -> LogRecord {
    LogRecord::ClockTick(ClockTickRecord { stamp: Some(state.stamp(clocks)), mode, cuts })
}

/// What cuts do to tables. Cuts of tables that are gone do nothing.
pub(crate) fn cut_changes(
    program: &RunningProgram,
    tables: &[Option<Relation>],
    cuts: &[RetentionCut],
) -> NetChanges {
    let mut changes = NetChanges::default();
    for cut in cuts {
        let Some(table) = program.table_with_id(cut.relation) else { continue };
        let Some(rows) = &tables[table] else { continue };
        let old = rows.rows_where(|batch| before(batch.column(cut.column as usize), cut.before));
        if old.is_empty() {
            continue;
        }
        let change = if program.tables[table].definition.has_primary_key() {
            let inserted = RecordBatch::new_empty(Arc::clone(rows.schema()));
            TableChange::Keyed { removal: rows.removal(&old), removed: old, inserted }
        } else {
            TableChange::Multiset(rows.removal(&old))
        };
        changes.tables.push((table, change));
    }
    changes.tables.sort_by_key(|(table, _)| *table);
    changes
}

/// The record that lets the first queued requests take effect, and what they do.
pub(crate) fn order_resume(
    state: &State,
    clocks: Clocks,
    first: usize,
) -> Result<(LogRecord, NetChanges), String> {
    let queued = &state.queued[..first.min(state.queued.len())];
    let mut decoded = Vec::with_capacity(queued.len());
    for request in queued {
        decoded.push(operations_of(request, &state.program).map_err(|error| error.to_string())?);
    }
    let all = headwater_types::Decoded {
        operations: decoded.iter().flatten().cloned().collect(),
        ..Default::default()
    };
    let mut net = NetChange::new(&state.program, &state.tables, std::iter::once(&all));
    let mut counts = CountsBuilder::default();
    let mut requests = Vec::with_capacity(decoded.len());
    for (request, operations) in queued.iter().zip(&mut decoded) {
        let rejected = net.add(operations, true);
        let at = counts.at(&request.endpoint);
        at.applied += request.applied - rejected.len() as u64;
        at.rejected += rejected.len() as u64;
        at.pending -= request.applied.cast_signed();
        let relation = |table: usize| state.program.tables[table].id.0;
        let kept = operations.iter().filter(|operation| operation.rows.num_rows() > 0);
        requests.push(RequestRecord {
            endpoint: request.endpoint.clone(),
            key_id: request.key_id.clone(),
            idempotency_key: String::new(),
            body_hash: bytes::Bytes::new(),
            received: request.received,
            applied: request.applied - rejected.len() as u64,
            operations: kept.map(|op| OperationRecord::of(op, relation(op.table))).collect(),
            rejected: rejected.iter().map(RejectedRecord::of).collect(),
        });
    }
    let changes = net.finish();
    counts.add(&state.unlogged_counts.records());
    let stamp = Some(state.stamp(clocks));
    Ok((LogRecord::Resume(ResumeRecord { stamp, requests, counts: counts.records() }), changes))
}

/// A logged request's operations, for the tables of this program. Operations on tables that are gone are left out.
pub(crate) fn operations_of(
    request: &RequestRecord,
    program: &RunningProgram,
) -> Result<Vec<Operation>, crate::record::RecordReadError> {
    let operations = request.operations.iter().filter_map(|operation| {
        let table = program.table_with_id(operation.relation)?;
        Some(operation.to_operation(table, &program.tables[table].definition))
    });
    operations.collect()
}

fn oldest_micros(rows: &Relation, column: usize) -> Option<TimestampMicros> {
    let snapshot = rows.snapshot();
    (0..snapshot.num_segments())
        .filter_map(|segment| extreme_micros(snapshot.segment(segment, Some(&[column])).column(0), false))
        .min()
}

/// The newest or oldest time of a column, rounded down to microseconds.
fn extreme_micros(column: &ArrayRef, newest: bool) -> Option<TimestampMicros> {
    macro_rules! extreme {
        ($type:ty) => {{
            let column = column.as_primitive::<$type>();
            if newest { aggregate::max(column) } else { aggregate::min(column) }
        }};
    }
    let micros = match column.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, None) => extreme!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            extreme!(TimestampNanosecondType).map(|nanos| nanos.div_euclid(NANOS_PER_MICRO))
        }
        DataType::Date32 => extreme!(Date32Type).map(|days| i64::from(days) * MICROS_PER_DAY),
        _ => None,
    };
    micros.map(TimestampMicros)
}

/// Which rows have a time before this moment. NULL has none.
fn before(column: &ArrayRef, micros: i64) -> BooleanArray {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            BooleanArray::from_unary(column.as_primitive::<TimestampMicrosecondType>(), |value| {
                value < micros
            })
        }
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            let nanos = micros.saturating_mul(NANOS_PER_MICRO);
            BooleanArray::from_unary(column.as_primitive::<TimestampNanosecondType>(), |value| value < nanos)
        }
        DataType::Date32 => BooleanArray::from_unary(column.as_primitive::<Date32Type>(), |days| {
            i64::from(days) * MICROS_PER_DAY < micros
        }),
        _ => BooleanArray::from(vec![false; column.len()]),
    }
}
