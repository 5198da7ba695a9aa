//! What waits becomes one step. Everything that needs the state is decided here, in request order, before the log:
//! whether a request was taken before, whether a row to delete is there, what the clocks say.

/// Tables with a primary key: which row each key ends up with.
mod keyed;
/// Tables without key: how often each row is added and removed.
mod multiset;
/// What a step's operations come to: the net change of each table.
mod net_change;

use headwater_types::{Lsn, RecordError, TimestampMicros, limits};

use crate::clock::Clocks;
use crate::counters::CountsBuilder;
use crate::idempotency::{Known, Remembered};
use crate::push::{OnError, PushAnswer, PushError};
use crate::record::{LogRecord, OperationRecord, QueuedRecord, RejectedRecord, RequestRecord, StepRecord};
use crate::state::State;
use crate::story::admit::{Admitted, Reply, Ticket, records_refused};

pub(crate) use net_change::{NetChange, NetChanges, TableChange};

/// A step that is decided but neither durable nor applied.
pub(crate) struct Ordered {
    /// Its number.
    pub lsn: Lsn,
    /// Both clocks as of it.
    pub clocks: Clocks,
    /// What the log gets.
    pub record: LogRecord,
    /// What it does to the tables.
    pub changes: NetChanges,
    /// Who waits for it.
    pub taken: Vec<Taken>,
}

/// A request that is part of a step, and what it will be answered.
pub(crate) struct Taken {
    pub ticket: Ticket,
    pub answer: PushAnswer,
}

/// What came of ordering.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The step, if any request is part of one.
    pub step: Option<Ordered>,
    /// Requests that must wait for the next turn: the first with their idempotency key is in this step.
    pub deferred: Vec<Ticket>,
}

/// Makes one step of the requests that wait. Requests that are refused, stale or duplicates are answered at once.
pub(crate) fn order(state: &mut State, waiting: Vec<Ticket>, system_time: TimestampMicros) -> Outcome {
    passed!("order");
    let mut outcome = Outcome::default();
    let mut fresh: Vec<Ticket> = Vec::with_capacity(waiting.len());
    for ticket in waiting {
        let Some(ticket) = answer_if_known(state, ticket, system_time) else { continue };
        if ticket.admitted.idempotency_key.is_some()
            && fresh.iter().any(|other| same_key(&other.admitted, &ticket.admitted))
        {
            outcome.deferred.push(ticket);
        } else {
            fresh.push(ticket);
        }
    }
    let lsn = state.lsn.next();
    let mut net = NetChange::new(&state.program, &state.tables, fresh.iter().map(|t| &t.admitted.decoded));
    let mut requests = Vec::with_capacity(fresh.len());
    let mut counts = CountsBuilder::default();
    let mut taken = Vec::with_capacity(fresh.len());
    for mut ticket in fresh {
        match take(&mut net, &mut ticket.admitted) {
            Err(error) => answer(ticket, Reply::Refused(error)),
            Ok(rejected) => {
                let (request, answer) = request_record(&mut ticket.admitted, rejected, lsn);
                let at = counts.at(&request.endpoint);
                at.received += request.received;
                at.applied += request.applied;
                at.rejected += request.received - request.applied;
                requests.push(request);
                taken.push(Taken { ticket, answer });
            }
        }
    }
    if taken.is_empty() {
        return outcome;
    }
    let changes = net.finish();
    let clocks = state.clocks.advanced(system_time, event_time(state, &taken));
    counts.add(&state.unlogged_counts.records());
    let stamp = Some(state.stamp(clocks));
    let record = LogRecord::Step(StepRecord { stamp, requests, counts: counts.records() });
    outcome.step = Some(Ordered { lsn, clocks, record, changes, taken });
    outcome
}

/// Makes one record of the requests that asked a paused workspace to queue them; refuses the others.
pub(crate) fn order_queued(state: &mut State, waiting: Vec<Ticket>, system_time: TimestampMicros) -> Outcome {
    let mut outcome = Outcome::default();
    let clocks = state.clocks.advanced(system_time, None);
    let lsn = state.lsn.next();
    let mut counts = CountsBuilder::default();
    let (mut requests, mut taken) = (Vec::new(), Vec::new());
    let mut queued_bytes = state.queued_bytes;
    for ticket in waiting {
        let Some(ticket) = answer_if_known(state, ticket, system_time) else { continue };
        let mut ticket = ticket;
        if taken.iter().any(|other: &Taken| same_key(&other.ticket.admitted, &ticket.admitted)) {
            outcome.deferred.push(ticket);
            continue;
        }
        if queued_bytes + ticket.admitted.log_bytes > limits::PAUSED_BYTES_MAX {
            answer(ticket, Reply::Refused(PushError::PausedQueueFull { queued_bytes }));
            continue;
        }
        queued_bytes += ticket.admitted.log_bytes;
        let errors = std::mem::take(&mut ticket.admitted.decoded.errors);
        let (request, mut answer) = request_record(&mut ticket.admitted, errors, lsn);
        answer.applied_now = false;
        let at = counts.at(&request.endpoint);
        at.received += request.received;
        at.rejected += request.received - request.applied;
        at.pending += request.applied.cast_signed();
        requests.push(request);
        taken.push(Taken { ticket, answer });
    }
    if taken.is_empty() {
        return outcome;
    }
    counts.add(&state.unlogged_counts.records());
    let stamp = Some(state.stamp(clocks));
    let record = LogRecord::Queued(QueuedRecord { stamp, requests, counts: counts.records() });
    outcome.step = Some(Ordered { lsn, clocks, record, changes: NetChanges::default(), taken });
    outcome
}

/// Answers a request whose program is gone, or whose idempotency key is known. `None` if it was answered.
pub(crate) fn answer_if_known(state: &mut State, ticket: Ticket, now: TimestampMicros) -> Option<Ticket> {
    let admitted = &ticket.admitted;
    if admitted.program_version != state.program.version {
        answer(ticket, Reply::Stale);
        return None;
    }
    let (Some(key), Some(hash)) = (&admitted.idempotency_key, &admitted.body_hash) else {
        return Some(ticket);
    };
    let now = state.clocks.ingest_time.max(now);
    match state.idempotency.known(&admitted.key_id, key, hash, now) {
        Known::Same(earlier) => {
            let at = state.unlogged_counts.at(&admitted.endpoint);
            at.received += admitted.decoded.received;
            at.duplicate += admitted.decoded.received;
            answer(ticket, Reply::Taken(PushAnswer { duplicate: true, ..earlier }));
            None
        }
        Known::Other => {
            let key = key.clone();
            answer(ticket, Reply::Refused(PushError::IdempotencyMismatch { key }));
            None
        }
        Known::New if state.idempotency.has_room(now) => Some(ticket),
        Known::New => {
            let keys = state.idempotency.len();
            answer(ticket, Reply::Refused(PushError::IdempotencyFull { keys }));
            None
        }
    }
}

fn same_key(a: &Admitted, b: &Admitted) -> bool {
    a.idempotency_key.is_some() && a.idempotency_key == b.idempotency_key && a.key_id == b.key_id
}

/// Takes the request, or says which of its records cannot be. Returns all its bad records with `OnError::Skip`.
fn take(net: &mut NetChange<'_>, admitted: &mut Admitted) -> Result<Vec<RecordError>, PushError> {
    let found = net.add(&mut admitted.decoded.operations, admitted.on_error == OnError::Skip);
    if found.is_empty() {
        return Ok(std::mem::take(&mut admitted.decoded.errors));
    }
    let mut errors = std::mem::take(&mut admitted.decoded.errors);
    errors.extend(found);
    errors.sort_by_key(|error| error.index);
    let received = admitted.decoded.received;
    let good: usize = admitted.decoded.operations.iter().map(|operation| operation.rows.num_rows()).sum();
    if admitted.on_error == OnError::RejectRequest || good == 0 {
        return Err(records_refused(errors, received));
    }
    errors.truncate(limits::QUARANTINE_PER_REQUEST_MAX);
    // Records that cannot be are not logged as operations: what the log holds is what takes effect.
    let relations: Vec<u32> = admitted.records.iter().map(|record| record.relation).collect();
    let kept = admitted.decoded.operations.iter().zip(relations);
    admitted.records = kept
        .filter(|(operation, _)| operation.rows.num_rows() > 0)
        .map(|(operation, relation)| OperationRecord::of(operation, relation))
        .collect();
    Ok(errors)
}

fn request_record(
    admitted: &mut Admitted,
    rejected: Vec<RecordError>,
    lsn: Lsn,
) -> (RequestRecord, PushAnswer) {
    let received = admitted.decoded.received;
    let applied = admitted.decoded.operations.iter().map(|operation| operation.rows.num_rows() as u64).sum();
    let request = RequestRecord {
        endpoint: admitted.endpoint.clone(),
        key_id: admitted.key_id.clone(),
        idempotency_key: admitted.idempotency_key.clone().unwrap_or_default(),
        body_hash: admitted.body_hash.map(|hash| hash.to_vec().into()).unwrap_or_default(),
        received,
        applied,
        operations: std::mem::take(&mut admitted.records),
        rejected: rejected.iter().map(RejectedRecord::of).collect(),
        skips_bad_records: admitted.on_error == OnError::Skip,
    };
    let answer = PushAnswer {
        lsn,
        received,
        applied,
        rejected: received - applied,
        errors: rejected.into_iter().take(limits::ERRORS_PER_ANSWER_MAX).collect(),
        applied_now: true,
        duplicate: false,
    };
    (request, answer)
}

/// What will be remembered of a request, from its record: the same at its first run and at replay.
pub(crate) fn remembered(
    request: &RequestRecord,
    lsn: Lsn,
    clocks: Clocks,
    applied_now: bool,
) -> Option<Remembered> {
    if request.idempotency_key.is_empty() {
        return None;
    }
    let without_payload = |rejected: &RejectedRecord| {
        rejected.to_error().map(|error| RecordError { payload: String::new(), ..error })
    };
    let errors = request.rejected.iter().take(limits::IDEMPOTENCY_ERRORS_MAX);
    Some(Remembered {
        key_id: request.key_id.clone(),
        key: request.idempotency_key.clone(),
        body_hash: request.body_hash.as_ref().try_into().unwrap_or_default(),
        ingest_time: clocks.ingest_time,
        answer: PushAnswer {
            lsn,
            received: request.received,
            applied: request.applied,
            rejected: request.received - request.applied,
            errors: errors.filter_map(without_payload).collect(),
            applied_now,
            duplicate: false,
        },
    })
}

/// The newest event time that these requests bring; only looked for when it moves the clock.
fn event_time(state: &State, taken: &[Taken]) -> Option<TimestampMicros> {
    if state.clocks.mode != crate::clock::ClockMode::Event {
        return None;
    }
    let operations = taken.iter().flat_map(|taken| &taken.ticket.admitted.decoded.operations);
    super::control::newest_event(&state.program, operations)
}

/// Answers a ticket. Who stopped waiting gets nothing, and nothing else changes.
pub(crate) fn answer(ticket: Ticket, reply: Reply) {
    let _ = ticket.reply.send(reply);
}
