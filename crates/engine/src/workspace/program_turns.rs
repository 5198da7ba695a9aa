//! Program changes, in turns between pushes: one at a time, the others wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_env::kill_point;
use headwater_log::AppendError;
use headwater_types::{Scan, limits};
use tokio::sync::oneshot;

use super::core::Core;
use crate::program::{Candidate, NewModule, ProgramAnswer, SetProgram, SetProgramError};
use crate::story::apply::{Applied, RelationDelta, error_rows};
use crate::story::program_change::{Pace, Transition, program_record};
use crate::story::reply;

type Answer = Result<ProgramAnswer, SetProgramError>;

/// A place among the program changes that wait. It is given back when dropped.
pub(crate) struct ChangePlace(Arc<AtomicUsize>);

/// A program change that was asked for.
pub(crate) struct Asked {
    pub(crate) module: NewModule,
    pub(crate) how: SetProgram,
    pub(crate) reply: oneshot::Sender<Answer>,
    pub(crate) place: ChangePlace,
}

/// The program change that is under way, and those that wait for it.
#[derive(Default)]
pub(crate) struct ProgramTurns {
    under_way: Option<UnderWay>,
    waiting: VecDeque<Asked>,
}

struct UnderWay {
    asked: Asked,
    transition: Transition,
    pace: Pace,
    restarts: usize,
}

impl ChangePlace {
    /// A place, if there is one left: one change under way and a few that wait.
    pub(crate) fn take(taken: &Arc<AtomicUsize>) -> Option<ChangePlace> {
        let one_more = |taken: usize| (taken <= limits::PROGRAM_CHANGES_WAITING_MAX).then_some(taken + 1);
        taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(ChangePlace(Arc::clone(taken)))
    }
}

impl Drop for ChangePlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Asked {
    fn answer(self, answer: Answer) {
        // The place is free before whoever waits can ask for the next.
        drop(self.place);
        // Who stopped waiting gets nothing, and nothing else changes.
        let _ = self.reply.send(answer);
    }
}

impl ProgramTurns {
    /// Takes its place in the line.
    pub(crate) fn ask(&mut self, asked: Asked) {
        self.waiting.push_back(asked);
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none() && self.waiting.is_empty()
    }

    /// Whether a change is under way.
    pub(crate) fn is_changing(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether no more can be kept of what pushes change before new views have heard of it.
    pub(crate) fn is_behind(&self) -> bool {
        let behind = |under_way: &UnderWay| {
            under_way.transition.backlog_bytes() >= limits::PROGRAM_CHANGE_BACKLOG_BYTES_MAX
        };
        self.under_way.as_ref().is_some_and(behind)
    }

    /// Hears what a step did that is durable and about to be published.
    pub(crate) fn follow(&mut self, deltas: &[RelationDelta]) {
        if let Some(under_way) = &mut self.under_way {
            for delta in deltas {
                under_way.transition.follow(delta);
            }
        }
    }
}

impl Core {
    /// One piece of the program change under way; begins the next if there is none.
    pub(crate) fn change_program_a_little(&mut self) {
        if self.program.under_way.is_none() {
            let Some(asked) = self.program.waiting.pop_front() else { return };
            match self.begin_program(&asked) {
                Ok(transition) => {
                    let pace = Pace::default();
                    self.program.under_way = Some(UnderWay { asked, transition, pace, restarts: 0 });
                }
                Err(error) => return asked.answer(Err(error)),
            }
        }
        let Some(mut under_way) = self.program.under_way.take() else { return };
        if let Some(error) = self.takes_no_program() {
            self.state.circuit.abandon_change();
            return under_way.asked.answer(Err(error));
        }
        let began = self.env.clock.now();
        match under_way.transition.piece(&mut self.state, under_way.pace.rows()) {
            Ok(piece) if piece.is_last => {
                let UnderWay { asked, transition, .. } = under_way;
                let answer = self.swap_program(&asked, transition);
                if answer.is_err() {
                    self.state.circuit.abandon_change();
                }
                asked.answer(answer);
            }
            Ok(piece) => {
                under_way.pace.took(piece.rows, self.env.clock.now().0 - began.0);
                self.program.under_way = Some(under_way);
                kill_point::reach("program.filling");
            }
            Err(error) => {
                self.state.circuit.abandon_change();
                under_way.asked.answer(Err(SetProgramError::Build { reason: error.to_string() }));
            }
        }
    }

    /// Begins the change under way anew: a step failed and took what was built with it.
    pub(crate) fn restart_program(&mut self) {
        let Some(mut under_way) = self.program.under_way.take() else { return };
        under_way.restarts += 1;
        tracing::warn!(workspace = %self.shared.name, "a step failed; the views of the program change are filled anew");
        let again = if under_way.restarts > limits::PROGRAM_CHANGE_RESTARTS_MAX {
            let reason = "running views panicked on pushes again and again meanwhile".to_owned();
            Err(SetProgramError::Build { reason })
        } else {
            self.begin_program(&under_way.asked)
        };
        match again {
            Ok(transition) => self.program.under_way = Some(UnderWay { transition, ..under_way }),
            Err(error) => under_way.asked.answer(Err(error)),
        }
    }

    fn begin_program(&mut self, asked: &Asked) -> Result<Transition, SetProgramError> {
        if let Some(error) = self.takes_no_program() {
            return Err(error);
        }
        let next = self.candidate(asked)?.running(&self.state.program, self.state.lsn.next());
        Transition::begin(&mut self.state, &next).map_err(|error| {
            self.state.circuit.abandon_change();
            SetProgramError::Build { reason: error.to_string() }
        })
    }

    /// What the program becomes, if the rows there are now allow it.
    fn candidate(&self, asked: &Asked) -> Result<Candidate, SetProgramError> {
        if !self.state.queued.is_empty() {
            let queued = self.state.queued.iter().map(|request| request.applied).sum();
            return Err(SetProgramError::RecordsQueued { queued });
        }
        let published = self.shared.published();
        let has_rows = |name: &str| published.relation(name).is_some_and(|r| r.rows.num_rows() > 0);
        let candidate = Candidate::new(&self.state.program, &asked.module, has_rows)?;
        let losses = candidate.losses();
        if !asked.how.drop_data && !losses.is_empty() {
            return Err(SetProgramError::DropsData { losses });
        }
        Ok(candidate)
    }

    fn takes_no_program(&self) -> Option<SetProgramError> {
        let reason = self.shared.read_only()?;
        Some(SetProgramError::ReadOnly { workspace: self.shared.name.to_string(), reason })
    }

    /// Logs the change and swaps it in: everything was fed to it.
    fn swap_program(&mut self, asked: &Asked, transition: Transition) -> Answer {
        // Asked again: what may be lost now was perhaps not there when it began.
        let candidate = self.candidate(asked)?;
        kill_point::reach("program.built");
        let lsn = self.state.lsn.next();
        let program = candidate.running(&self.state.program, lsn);
        let version = program.version;
        let clocks = self.state.clocks.advanced(self.env.clock.now(), None);
        let record = program_record(&self.state, &program, &transition.errors, clocks);
        let payload = record.encode();
        if !self.committer.has_room(payload.len()) {
            return Err(SetProgramError::NoSpace);
        }
        match self.committer.append(lsn, record.kind(), &payload) {
            Ok(()) => {}
            Err(AppendError::NoSpace | AppendError::TooLarge { .. }) => return Err(SetProgramError::NoSpace),
            Err(error) => {
                self.close_for_writes(&error.to_string());
                return Err(SetProgramError::OutcomeUnknown);
            }
        }
        kill_point::reach("program.logged");
        let shared = Arc::clone(&self.shared);
        let changing = shared.changing.write();
        let error_view = error_rows(&transition.errors, 0, lsn, clocks.ingest_time);
        transition.settle(&mut self.state, program, lsn);
        reply::settle(&mut self.state, lsn, clocks, &record, Applied { error_view, ..Applied::default() });
        reply::publish(&self.state, &self.shared);
        drop(changing);
        tracing::info!(workspace = %self.shared.name, lsn = lsn.0, version = version.0, "the program changed");
        Ok(ProgramAnswer { lsn, version, entries: candidate.entries })
    }
}
