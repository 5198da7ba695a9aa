//! When a view's computation panics on a step: the step is void, and its requests are tried again, each alone.
//!
//! The void step stays in the log and a skip record after it says so. A request that panics alone is answered
//! `step_skipped` and goes to quarantine; its neighbours never notice.

use headwater_types::{Lsn, RecordError, RecordErrorCode, limits};
use tokio::sync::oneshot;

use crate::clock::Clocks;
use crate::counters::CountsBuilder;
use crate::push::{IfPaused, OnError};
use crate::record::{LogRecord, RecordReadError, RejectedRecord, RequestRecord, SkipRecord};
use crate::state::State;
use crate::story::admit::{Admitted, Ticket};
use crate::story::control::operations_of;
use crate::story::order::Taken;

/// The record that voids a step. With `alone`, the step's only request is rejected by it.
pub(crate) fn skip_record(
    state: &State,
    clocks: Clocks,
    skipped: Lsn,
    alone: Option<(&RequestRecord, &str, &str)>,
) -> LogRecord {
    let mut counts = CountsBuilder::default();
    let mut record =
        SkipRecord { stamp: Some(state.stamp(clocks)), skipped_lsn: skipped.0, ..SkipRecord::default() };
    if let Some((request, reason, body_head)) = alone {
        let at = counts.at(&request.endpoint);
        at.received += request.received;
        at.rejected += request.received;
        record.endpoint.clone_from(&request.endpoint);
        record.rejected.push(panicked_request(reason, body_head));
    }
    counts.add(&state.unlogged_counts.records());
    record.counts = counts.records();
    LogRecord::Skip(record)
}

/// The record that voids the resume of one queued request and gives the request up: it is rejected although it was
/// acknowledged as queued.
pub(crate) fn skip_queued_record(state: &State, clocks: Clocks, skipped: Lsn, reason: &str) -> LogRecord {
    let mut counts = CountsBuilder::default();
    let mut record = SkipRecord {
        stamp: Some(state.stamp(clocks)),
        skipped_lsn: skipped.0,
        unqueued: 1,
        ..SkipRecord::default()
    };
    if let Some(request) = state.queued.first() {
        let at = counts.at(&request.endpoint);
        at.rejected += request.applied;
        at.pending -= request.applied.cast_signed();
        record.endpoint.clone_from(&request.endpoint);
        record.rejected.push(panicked_request(reason, &first_row(request, state)));
    }
    counts.add(&state.unlogged_counts.records());
    record.counts = counts.records();
    LogRecord::Skip(record)
}

/// A request's first row, as far as quarantine keeps payloads.
fn first_row(request: &RequestRecord, state: &State) -> String {
    let operations = operations_of(request, &state.program).unwrap_or_default();
    let mut head = Vec::new();
    if let Some(first) = operations.first().filter(|operation| operation.rows.num_rows() > 0) {
        headwater_codec::json::write_row(&first.rows, 0, &mut head);
        head.truncate(limits::QUARANTINE_PAYLOAD_BYTES_MAX);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn panicked_request(reason: &str, body_head: &str) -> RejectedRecord {
    RejectedRecord {
        index: 0,
        code: RecordErrorCode::StepSkipped.as_str().to_owned(),
        column: String::new(),
        message: format!("a view's computation panicked on this request: {reason}"),
        hint: "The payload is the beginning of the request's body. Change the view or the records, then push again."
            .to_owned(),
        payload: body_head.to_owned(),
    }
}

/// Gives back to a ticket what its step's record holds, so that it can be ordered again.
pub(crate) fn unordered(taken: Taken, request: RequestRecord) -> Ticket {
    let mut ticket = taken.ticket;
    ticket.admitted.decoded.errors = errors_of(&request);
    ticket.admitted.decoded.operations.retain(|operation| operation.rows.num_rows() > 0);
    ticket.admitted.records = request.operations;
    ticket
}

/// A ticket for a request that only the log still knows: whoever sent it is gone with the process that took it.
pub(crate) fn ticket_of(request: RequestRecord, state: &State) -> Result<Ticket, RecordReadError> {
    let operations = operations_of(&request, &state.program)?;
    let (reply, _) = oneshot::channel();
    let body_head = first_row(&request, state);
    let errors = errors_of(&request);
    let admitted = Admitted {
        program_version: state.program.version,
        on_error: if request.skips_bad_records { OnError::Skip } else { OnError::RejectRequest },
        decoded: headwater_types::Decoded { operations, errors, received: request.received },
        log_bytes: request.operations.iter().map(|operation| operation.batch.len() + 64).sum(),
        records: request.operations,
        body_hash: request.body_hash.as_ref().try_into().ok(),
        if_paused: IfPaused::Refuse,
        idempotency_key: (!request.idempotency_key.is_empty()).then_some(request.idempotency_key),
        endpoint: request.endpoint,
        key_id: request.key_id,
        body_head,
    };
    Ok(Ticket { admitted, reply })
}

fn errors_of(request: &RequestRecord) -> Vec<RecordError> {
    request.rejected.iter().filter_map(RejectedRecord::to_error).collect()
}
