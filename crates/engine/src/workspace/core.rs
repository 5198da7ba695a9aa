//! The workspace's thread: it takes one step at a time through order, commit, apply and reply.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_log::AppendError;
use headwater_types::{Lsn, Name, TimestampMicros};

use super::program_turns::ProgramTurns;
use super::queue::{Command, Next};
use super::{ControlError, Shared, WorkspaceStatus};
use crate::clock::{ClockMode, Clocks};
use crate::push::{IfPaused, PushError};
use crate::record::{LogRecord, PauseRecord, RequestRecord};
use crate::state::State;
use crate::story::admit::{Reply, Ticket};
use crate::story::apply::{Applied, ApplyError, apply};
use crate::story::commit::Committer;
use crate::story::control::{cut_changes, due_cuts, order_resume, tick_record};
use crate::story::keep::Keeper;
use crate::story::order::{NetChanges, Ordered, Taken, answer, answer_if_known, order, order_queued};
use crate::story::program_change::build_parts;
use crate::story::{reply, skip};

/// How long the thread sleeps when nothing waits: how late a retention tick can be.
const IDLE: Duration = Duration::from_millis(250);
/// Time between two looks for rows that retention deletes: a look may read a whole column.
const TICK_MICROS: i64 = 1_000_000;
/// Rows of a step below which its relations change faster than another thread wakes up.
const OVERLAP_ROWS_MIN: usize = 256;
/// Bytes of a step's record beside its requests, generously.
const RECORD_OVERHEAD_BYTES: usize = 64 << 10;

/// All that the workspace's thread owns.
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) committer: Committer,
    pub(crate) keeper: Keeper,
    pub(crate) shared: Arc<Shared>,
    pub(crate) env: Env,
    /// The program change under way, and those that wait.
    pub(crate) program: ProgramTurns,
    /// When retention was looked at last, in system time.
    pub(crate) ticked_at: TimestampMicros,
}

/// How a record that was written and applied ended.
enum Ended {
    /// It is durable, applied and published.
    Published,
    /// It is durable, but applying it panicked.
    Panicked(String),
    /// It was not written.
    NoSpace,
    /// Nobody knows whether it is durable, or it cannot be applied; the workspace takes no more writes.
    Unknown,
}

impl Core {
    /// Does what comes until the queue is closed and empty.
    ///
    /// A panic here is a mistake of ours, and the state may be half changed: the workspace takes no more writes, readers
    /// keep the version that was published, and whoever waits is told that the outcome is unknown.
    pub(crate) fn run(mut self) {
        let turns = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| while self.turn() {}));
        if turns.is_err() {
            self.close_for_writes("its thread panicked; restart to recover");
            self.shared.queue.abandon();
        }
        if self.shared.is_parking() && self.shared.read_only().is_none() {
            self.keeper.park(&self.state, &self.committer, &self.shared);
        }
        self.keeper.wait();
        self.shared.tell_closing();
    }

    /// Does what is next. False when nothing will come any more.
    fn turn(&mut self) -> bool {
        let wait = if self.program.is_idle() { IDLE } else { Duration::ZERO };
        match self.shared.queue.next(wait) {
            Next::Pushes(tickets) => self.take_pushes(tickets),
            Next::Command(command) => self.obey(command),
            Next::Idle => {}
            Next::Closed => return false,
        }
        self.change_program_a_little();
        self.tick_if_due();
        if let Some(changes) = &self.state.changes {
            changes.tend();
        }
        self.keeper.consider(&self.state, &self.committer, &self.shared);
        self.shared.tell_memory(self.state.memory_bytes());
        true
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Push(ticket) => self.take_pushes(vec![ticket]),
            Command::Recall { key_id, key, body_hash, reply } => {
                let now = self.state.clocks.ingest_time.max(self.env.clock.now());
                let _ = reply.send(self.state.idempotency.known(&key_id, &key, &body_hash, now));
            }
            Command::SetProgram(asked) => self.program.ask(*asked),
            Command::Pause(reply) => {
                let _ = reply.send(self.pause());
            }
            Command::Resume(reply) => {
                let _ = reply.send(self.resume());
            }
            Command::SetClock { mode, at, reply } => {
                let _ = reply.send(self.set_clock(mode, at));
            }
            Command::SnapshotDone(done) => self.keeper.finish(done, &self.committer),
        }
    }

    fn take_pushes(&mut self, tickets: Vec<Ticket>) {
        if let Some(reason) = self.shared.read_only() {
            let workspace = || self.shared.name.to_string();
            let refused = || PushError::ReadOnly { workspace: workspace(), reason: reason.clone() };
            return refuse_all(tickets, refused);
        }
        // A retry of what was taken is answered, whatever keeps new requests out.
        let known = self.env.clock.now();
        let new = |ticket| answer_if_known(&mut self.state, ticket, known);
        let tickets: Vec<Ticket> = tickets.into_iter().filter_map(new).collect();
        let tickets = if self.state.paused { self.refuse_unqueued(tickets) } else { tickets };
        // What waits for the resume was decoded under one program, so none is queued while that changes.
        if self.program.is_behind() || (self.state.paused && self.program.is_changing()) {
            let workspace = || self.shared.name.to_string();
            return refuse_all(tickets, || PushError::ProgramChanging { workspace: workspace() });
        }
        let bytes: usize = tickets.iter().map(|ticket| ticket.admitted.log_bytes).sum();
        if !tickets.is_empty() && !self.committer.has_room(bytes + RECORD_OVERHEAD_BYTES) {
            self.keeper.make_room(&self.state, &self.committer, &self.shared);
            return refuse_all(tickets, || PushError::NoSpace);
        }
        let now = self.env.clock.now();
        let outcome = if self.state.paused {
            order_queued(&mut self.state, tickets, now)
        } else {
            order(&mut self.state, tickets, now)
        };
        if let Some(step) = outcome.step {
            self.take_step(step);
        }
        self.shared.queue.put_back(outcome.deferred);
    }

    fn refuse_unqueued(&self, tickets: Vec<Ticket>) -> Vec<Ticket> {
        let (queue, refuse): (Vec<Ticket>, Vec<Ticket>) =
            tickets.into_iter().partition(|ticket| ticket.admitted.if_paused == IfPaused::Queue);
        refuse_all(refuse, || PushError::Paused { workspace: self.shared.name.to_string() });
        queue
    }

    /// Takes an ordered step through commit, apply and reply.
    pub(crate) fn take_step(&mut self, ordered: Ordered) {
        let Ordered { lsn, clocks, record, changes, taken } = ordered;
        match self.write(lsn, clocks, &record, changes) {
            Ended::Published => reply::release(taken),
            Ended::NoSpace => refuse_all(tickets_of(taken), || PushError::NoSpace),
            Ended::Unknown => refuse_all(tickets_of(taken), || PushError::OutcomeUnknown),
            Ended::Panicked(reason) => self.skip(lsn, record, taken, &reason),
        }
    }

    /// Makes a record durable while its changes are applied, and publishes it when both are done.
    fn write(&mut self, lsn: Lsn, clocks: Clocks, record: &LogRecord, changes: NetChanges) -> Ended {
        let payload = record.encode();
        let stepped_circuit = !self.state.program.views.is_empty() && !changes.tables.is_empty();
        let (synced, applied) = if stepped_circuit || changes.num_rows() > OVERLAP_ROWS_MIN {
            let committing = self.committer.begin(lsn, record.kind(), payload);
            let applied = apply(&mut self.state, changes, lsn, clocks.ingest_time);
            (committing.wait(), applied)
        } else {
            let synced = self.committer.append(lsn, record.kind(), &payload);
            (synced, apply(&mut self.state, changes, lsn, clocks.ingest_time))
        };
        match (synced, applied) {
            (Ok(()), Ok(applied)) => {
                self.program.follow(&applied.deltas);
                self.publish(lsn, clocks, record, applied);
                Ended::Published
            }
            (Ok(()), Err(ApplyError::Panicked(reason))) => Ended::Panicked(reason),
            (Ok(()), Err(ApplyError::Storage(reason) | ApplyError::Inconsistent(reason))) => {
                self.close_for_writes(&format!("step {lsn} cannot be applied: {reason}"));
                Ended::Unknown
            }
            (Err(AppendError::NoSpace | AppendError::TooLarge { .. }), _) => {
                if stepped_circuit {
                    self.rebuild_circuit(&HashSet::new());
                }
                Ended::NoSpace
            }
            (Err(error), _) => {
                self.close_for_writes(&error.to_string());
                Ended::Unknown
            }
        }
    }

    fn publish(&mut self, lsn: Lsn, clocks: Clocks, record: &LogRecord, applied: Applied) {
        let changing = self.shared.changing.write();
        reply::settle(&mut self.state, lsn, clocks, record, applied);
        reply::publish(&self.state, &self.shared);
        drop(changing);
    }

    /// Voids a step whose apply panicked, and orders its requests again, each as a step of its own.
    pub(crate) fn skip(&mut self, skipped: Lsn, record: LogRecord, taken: Vec<Taken>, reason: &str) {
        tracing::warn!(workspace = %self.shared.name, lsn = skipped.0, reason, "a view's computation panicked; the step is skipped");
        let requests: Vec<RequestRecord> = record.requests().to_vec();
        let alone = match (requests.as_slice(), taken.as_slice()) {
            ([request], [taken]) => Some((request, reason, taken.ticket.admitted.body_head.as_str())),
            _ => None,
        };
        let is_alone = alone.is_some();
        let clocks = self.state.clocks.advanced(self.env.clock.now(), None);
        let skip = skip::skip_record(&self.state, clocks, skipped, alone);
        if self.write_skip(skipped, clocks, &skip).is_err() {
            return refuse_all(tickets_of(taken), || PushError::OutcomeUnknown);
        }
        if is_alone {
            let refused = || PushError::StepSkipped { lsn: skipped, reason: reason.to_owned() };
            return refuse_all(tickets_of(taken), refused);
        }
        for (taken, request) in taken.into_iter().zip(requests) {
            self.take_pushes(vec![skip::unordered(taken, request)]);
        }
    }

    /// Builds anew what a step left in no fit state, from the rows as they were published: of the views that are not
    /// `kept`, and what the circuit itself has lost.
    fn rebuild_circuit(&mut self, kept: &HashSet<Name>) {
        if let Err(error) = build_parts(&mut self.state, kept, |_, _| Ok(())) {
            let reason = format!("the views cannot be computed from their tables: {error}");
            self.close_for_writes(&reason);
        }
        self.restart_program();
    }

    /// Builds anew what a panic took away.
    fn repair_circuit(&mut self) {
        let views = self.state.program.views.iter().map(|view| view.definition.name.clone());
        self.rebuild_circuit(&views.collect());
    }

    pub(crate) fn close_for_writes(&self, reason: &str) {
        tracing::error!(workspace = %self.shared.name, reason, "the workspace takes no more writes");
        self.shared.close_for_writes(reason);
    }

    fn pause(&mut self) -> Result<WorkspaceStatus, ControlError> {
        if self.state.paused {
            return Ok(self.shared.status());
        }
        let clocks = self.state.clocks.advanced(self.env.clock.now(), None);
        let record = LogRecord::Pause(PauseRecord { stamp: Some(self.state.stamp(clocks)) });
        self.control(clocks, &record, NetChanges::default())
    }

    /// Lets all queued requests take effect as one step; if that panics, one by one.
    fn resume(&mut self) -> Result<WorkspaceStatus, ControlError> {
        if !self.state.paused {
            return Ok(self.shared.status());
        }
        let mut first = self.state.queued.len();
        loop {
            let is_last = first >= self.state.queued.len();
            match self.resume_first(first)? {
                None if is_last => return Ok(self.shared.status()),
                None => {}
                Some((lsn, _)) if first > 1 => {
                    let clocks = self.state.clocks.advanced(self.env.clock.now(), None);
                    let skip = skip::skip_record(&self.state, clocks, lsn, None);
                    self.write_skip(lsn, clocks, &skip)?;
                    first = 1;
                }
                Some((lsn, reason)) => {
                    let clocks = self.state.clocks.advanced(self.env.clock.now(), None);
                    let skip = skip::skip_queued_record(&self.state, clocks, lsn, &reason);
                    self.write_skip(lsn, clocks, &skip)?;
                    first = first.min(self.state.queued.len());
                }
            }
        }
    }

    /// Lets the first queued requests take effect. Says which step panicked and why, if so.
    fn resume_first(&mut self, first: usize) -> Result<Option<(Lsn, String)>, ControlError> {
        let workspace = self.shared.name.to_string();
        if let Some(reason) = self.shared.read_only() {
            return Err(ControlError::ReadOnly { workspace, reason });
        }
        let now = self.env.clock.now();
        let (clocks, record, changes) = order_resume(&self.state, now, first).map_err(|reason| {
            self.close_for_writes(&format!("queued requests cannot be read: {reason}"));
            ControlError::OutcomeUnknown
        })?;
        if !self.committer.has_room(record.encode().len()) {
            return Err(ControlError::NoSpace);
        }
        let lsn = self.state.lsn.next();
        match self.write(lsn, clocks, &record, changes) {
            Ended::Published => Ok(None),
            Ended::Panicked(reason) => Ok(Some((lsn, reason))),
            Ended::NoSpace => Err(ControlError::NoSpace),
            Ended::Unknown => Err(ControlError::OutcomeUnknown),
        }
    }

    fn write_skip(&mut self, skipped: Lsn, clocks: Clocks, skip: &LogRecord) -> Result<(), ControlError> {
        self.repair_circuit();
        match self.write(skipped.next(), clocks, skip, NetChanges::default()) {
            Ended::Published => Ok(()),
            Ended::NoSpace | Ended::Panicked(_) => {
                self.close_for_writes("no space to record that a step is skipped");
                Err(ControlError::OutcomeUnknown)
            }
            Ended::Unknown => Err(ControlError::OutcomeUnknown),
        }
    }

    fn set_clock(
        &mut self,
        mode: ClockMode,
        at: Option<TimestampMicros>,
    ) -> Result<WorkspaceStatus, ControlError> {
        let now = self.state.clocks.workspace;
        let clocks = Clocks { mode, ..self.state.clocks }.advanced(self.env.clock.now(), None);
        let clocks = match at {
            None => clocks,
            Some(_) if mode != ClockMode::Manual => return Err(ControlError::TimeNotTaken),
            Some(asked) if asked < now => return Err(ControlError::ClockGoesBack { now, asked }),
            Some(asked) => Clocks { workspace: asked, ..clocks },
        };
        self.tick(clocks, mode.code())
    }

    fn tick_if_due(&mut self) {
        let now = self.env.clock.now();
        let due = now >= self.ticked_at.plus_micros(TICK_MICROS);
        let retains = self.state.program.tables.iter().any(|table| table.definition.retention.is_some());
        if !due || !retains || self.shared.read_only().is_some() {
            return;
        }
        self.ticked_at = now;
        let clocks = self.state.clocks.advanced(now, None);
        if !due_cuts(&self.state, clocks.workspace).is_empty()
            && let Err(error) = self.tick(clocks, 0)
        {
            tracing::warn!(workspace = %self.shared.name, %error, "retention has to wait");
        }
    }

    fn tick(&mut self, clocks: Clocks, mode: u32) -> Result<WorkspaceStatus, ControlError> {
        let cuts = due_cuts(&self.state, clocks.workspace);
        let changes = cut_changes(&self.state.program, &self.state.tables, &cuts);
        let record = tick_record(&self.state, clocks, mode, cuts);
        self.control(clocks, &record, changes)
    }

    fn control(
        &mut self,
        clocks: Clocks,
        record: &LogRecord,
        changes: NetChanges,
    ) -> Result<WorkspaceStatus, ControlError> {
        let workspace = self.shared.name.to_string();
        if let Some(reason) = self.shared.read_only() {
            return Err(ControlError::ReadOnly { workspace, reason });
        }
        if !self.committer.has_room(record.encode().len()) {
            return Err(ControlError::NoSpace);
        }
        let lsn = self.state.lsn.next();
        match self.write(lsn, clocks, record, changes) {
            Ended::Published => Ok(self.shared.status()),
            Ended::NoSpace => Err(ControlError::NoSpace),
            Ended::Unknown => Err(ControlError::OutcomeUnknown),
            Ended::Panicked(reason) => {
                self.skip(lsn, record.clone(), Vec::new(), &reason);
                Err(ControlError::OutcomeUnknown)
            }
        }
    }
}

fn tickets_of(taken: Vec<Taken>) -> impl Iterator<Item = Ticket> {
    taken.into_iter().map(|taken| taken.ticket)
}

fn refuse_all(tickets: impl IntoIterator<Item = Ticket>, error: impl Fn() -> PushError) {
    for ticket in tickets {
        answer(ticket, Reply::Refused(error()));
    }
}
