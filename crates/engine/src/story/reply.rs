//! The one place where a step becomes visible and its answers are released: after both its sync and its apply.

use std::sync::Arc;

use headwater_changes::Order;
use headwater_types::{Delta, Lsn, Name};

use crate::clock::Clocks;
use crate::counters::CountsBuilder;
use crate::program::{ERROR_VIEW, QUARANTINE, RelationId, RunningProgram};
use crate::published::{Part, Published, RelationPart};
use crate::record::{LogRecord, RequestRecord};
use crate::state::State;
use crate::story::admit::Reply;
use crate::story::apply::{Applied, RelationDelta, quarantine_rows};
use crate::story::order::{Taken, answer, remembered};
use crate::workspace::Shared;

/// Makes the state follow a record that is durable and applied. Replay ends here too.
pub(crate) fn settle(state: &mut State, lsn: Lsn, clocks: Clocks, record: &LogRecord, mut applied: Applied) {
    for (table, change) in applied.tables {
        if let Some(rows) = &mut state.tables[table] {
            rows.publish(change);
        }
        state.changed_at.insert(state.program.tables[table].id, lsn);
    }
    for (view, change) in applied.views {
        state.views[view].publish(change);
        state.changed_at.insert(state.program.views[view].id, lsn);
    }
    if let Some(rows) = quarantine_rows(&record.rejected(), lsn, clocks.ingest_time) {
        applied.deltas.push(system_delta(QUARANTINE, state.quarantine.add(rows, lsn)));
        state.changed_at.insert(QUARANTINE, lsn);
    }
    if let Some(rows) = applied.error_view {
        applied.deltas.push(system_delta(ERROR_VIEW, state.error_view.add(rows, lsn)));
        state.changed_at.insert(ERROR_VIEW, lsn);
    }
    settle_requests(state, lsn, clocks, record);
    state.lsn = lsn;
    state.clocks = clocks;
    super::publish::hand_over(state, record, applied.deltas);
}

fn system_delta(relation: RelationId, delta: Delta) -> RelationDelta {
    RelationDelta { relation, delta, order: Order::Given }
}

fn settle_requests(state: &mut State, lsn: Lsn, clocks: Clocks, record: &LogRecord) {
    let counts = record.counts();
    if !counts.is_empty() {
        state.counters.add(counts);
        state.unlogged_counts = CountsBuilder::default();
    }
    let (keyed, applied_now): (&[RequestRecord], bool) = match record {
        LogRecord::Queued(queued) => (&queued.requests, false),
        other => (other.requests(), true),
    };
    for request in keyed {
        if let Some(entry) = remembered(request, lsn, clocks, applied_now) {
            state.idempotency.remember(entry);
        }
    }
    match record {
        LogRecord::Pause(_) => state.paused = true,
        LogRecord::Queued(queued) => state.queue(&queued.requests),
        LogRecord::Resume(resume) => {
            state.unqueue(resume.requests.len());
            state.paused = !state.queued.is_empty();
        }
        LogRecord::Skip(skip) => state.unqueue(skip.unqueued as usize),
        LogRecord::Step(_) | LogRecord::ProgramChange(_) | LogRecord::ClockTick(_) => {}
    }
}

/// Shows readers the state as it is.
///
/// Look-ups read relations at their newest; holding the lock while relations and version change together keeps the LSN
/// that a look-up reports and the row that it finds of one version.
pub(crate) fn publish(state: &State, shared: &Shared) {
    passed!("reply");
    let published = Arc::new(Published {
        lsn: state.lsn,
        workspace_clock: state.clocks.workspace,
        program: Arc::clone(&state.program),
        parts: Arc::new(parts(state)),
    });
    shared.show(published, state);
}

/// Releases the answers of a step that was published.
pub(crate) fn release(taken: Vec<Taken>) {
    for Taken { ticket, answer: reply } in taken {
        answer(ticket, Reply::Taken(reply));
    }
}

fn parts(state: &State) -> Vec<Part> {
    let program: &RunningProgram = &state.program;
    let tables = program.tables.iter().zip(&state.tables);
    let tables = tables.filter_map(|(t, rows)| rows.as_ref().map(|rows| (t.definition.name.clone(), rows)));
    let views = program.views.iter().zip(&state.views).map(|(v, rows)| (v.definition.name.clone(), rows));
    let system = [("quarantine", state.quarantine.rows()), ("error_view", state.error_view.rows())];
    let system =
        system.into_iter().filter_map(|(name, rows)| Name::system(name).ok().map(|name| (name, rows)));
    tables
        .chain(views)
        .chain(system)
        .map(|(name, rows)| {
            Part::Relation(RelationPart {
                name,
                schema: Arc::clone(rows.schema()),
                rows: rows.snapshot(),
                reader: rows.reader(),
            })
        })
        .collect()
}
