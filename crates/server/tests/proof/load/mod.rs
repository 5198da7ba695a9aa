//! Clients that change everything a workspace has, repeat each request under its key until it is answered, and know what
//! must be there afterwards.

/// One client: plans, sends, and reads what it wrote.
pub(crate) mod client;
/// What a client knows to be there.
pub(crate) mod model;
/// Who changes the program, pauses, resumes, and makes workspaces.
pub(crate) mod operator;
/// A request: what is sent, and what it does.
pub(crate) mod plan;
/// The programs that take turns.
pub(crate) mod program;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::door::Door;
use crate::history::Operation;
use crate::random::Random;
use model::Model;

/// How often.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was done: a run in which something never happened proves nothing about it.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) duplicates: Count,
    pub(crate) queued: Count,
    pub(crate) program_changes: Count,
    pub(crate) pauses: Count,
    pub(crate) workspaces: Count,
    pub(crate) comparisons: Count,
}

/// What clients and the test share.
pub(crate) struct Load {
    pub(crate) door: Door,
    pub(crate) models: Vec<Arc<Mutex<Model>>>,
    pub(crate) history: Mutex<Vec<Operation>>,
    pub(crate) done: Done,
}

impl Load {
    pub(crate) fn new(clients: usize) -> Load {
        let models = (0..clients).map(|client| Arc::new(Mutex::new(Model::new(client)))).collect();
        Load { door: Door::shut(), models, history: Mutex::default(), done: Done::default() }
    }

    /// Starts the clients and the operator; they wait at the door.
    pub(crate) fn start<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        random: &mut Random,
    ) {
        for model in &self.models {
            let random = random.fork();
            scope.spawn(move || client::run(self, model, random));
        }
        let random = random.fork();
        scope.spawn(move || operator::run(self, random));
    }

    /// The newest LSN that any client was told.
    pub(crate) fn newest_lsn(&self) -> u64 {
        self.models.iter().map(|model| model.lock().unwrap().newest_lsn).max().unwrap_or(0)
    }
}
