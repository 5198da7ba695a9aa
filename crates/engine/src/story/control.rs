//! What moves a workspace besides pushes: pause, resume, and the workspace clock with the retention that hangs on it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::aggregate;
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use headwater_codec::json;
use headwater_relation::Relation;
use headwater_types::{
    Operation, OperationKind, RecordError, RecordErrorCode, Scan, TimestampMicros, limits,
};

use crate::clock::{ClockMode, Clocks};
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
fn newest_time(program: &RunningProgram, operation: &Operation) -> Option<TimestampMicros> {
    let definition = &program.tables.get(operation.table)?.definition;
    let column = definition.retention?.column;
    let position = match operation.kind {
        OperationKind::Insert | OperationKind::Upsert => Some(column),
        OperationKind::Patch(_) => operation.columns.iter().position(|c| *c == column),
        OperationKind::DeleteRow | OperationKind::DeleteKey => None,
    };
    extreme_micros(operation.rows.column(position?), true)
}

/// The newest time that these operations bring.
pub(crate) fn newest_event<'a>(
    program: &RunningProgram,
    operations: impl Iterator<Item = &'a Operation>,
) -> Option<TimestampMicros> {
    operations.filter_map(|operation| newest_time(program, operation)).max()
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
    system_time: TimestampMicros,
    first: usize,
) -> Result<(Clocks, LogRecord, NetChanges), String> {
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
        let mut rejected = net.add(operations, request.skips_bad_records);
        if !rejected.is_empty() && !request.skips_bad_records {
            rejected = void_request(operations, rejected);
        }
        let applied = operations.iter().map(|operation| operation.rows.num_rows() as u64).sum();
        let at = counts.at(&request.endpoint);
        at.applied += applied;
        at.rejected += request.applied - applied;
        at.pending -= request.applied.cast_signed();
        let relation = |table: usize| state.program.tables[table].id.0;
        let kept = operations.iter().filter(|operation| operation.rows.num_rows() > 0);
        requests.push(RequestRecord {
            endpoint: request.endpoint.clone(),
            key_id: request.key_id.clone(),
            received: request.received,
            applied,
            operations: kept.map(|op| OperationRecord::of(op, relation(op.table))).collect(),
            rejected: rejected.iter().map(RejectedRecord::of).collect(),
            ..RequestRecord::default()
        });
    }
    let changes = net.finish();
    counts.add(&state.unlogged_counts.records());
    let event = match state.clocks.mode {
        ClockMode::Event => newest_event(&state.program, decoded.iter().flatten()),
        ClockMode::System | ClockMode::Manual => None,
    };
    let clocks = state.clocks.advanced(system_time, event);
    let stamp = Some(state.stamp(clocks));
    Ok((clocks, LogRecord::Resume(ResumeRecord { stamp, requests, counts: counts.records() }), changes))
}

/// Rejects the rest of a request of which some records cannot be: it was all or nothing. Nothing of it stays.
fn void_request(operations: &mut Vec<Operation>, mut rejected: Vec<RecordError>) -> Vec<RecordError> {
    for operation in operations.drain(..) {
        let room = limits::QUARANTINE_PER_REQUEST_MAX.saturating_sub(rejected.len());
        for (row, index) in operation.record_indexes.iter().enumerate().take(room) {
            let mut payload = Vec::new();
            json::write_row(&operation.rows, row, &mut payload);
            payload.truncate(limits::QUARANTINE_PAYLOAD_BYTES_MAX);
            rejected.push(RecordError {
                index: *index,
                code: RecordErrorCode::RequestVoid,
                column: None,
                message: "another record of this request cannot be, and it was sent as all or nothing"
                    .to_owned(),
                hint: Some("Send on_error=skip to take the good records of a request.".to_owned()),
                payload: String::from_utf8_lossy(&payload).into_owned(),
            });
        }
    }
    rejected.sort_by_key(|error| error.index);
    rejected
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
