use std::collections::BTreeMap;

use super::plan::{KEYS_PER_CLIENT, Plan};
use crate::random::Random;

/// An account, beside its key and its client.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    pub(crate) balance: Option<i64>,
    pub(crate) quarter: Option<f64>,
}

impl Account {
    pub(crate) fn random(random: &mut Random) -> Account {
        let balance = (!random.percent(10)).then(|| random.between(-1_000, 1_000));
        let quarter = (!random.percent(10)).then(|| random.between(-4_000, 4_000) as f64 * 0.25);
        Account { balance, quarter }
    }
}

pub(crate) type Accounts = BTreeMap<i64, Account>;

/// A set of events, by sums that no loss and no double leaves as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) rows: i64,
    pub(crate) ids: i64,
    pub(crate) squares: i64,
}

impl Events {
    pub(crate) fn add(&mut self, id: i64) {
        *self = self.with(Events { rows: 1, ids: id, squares: (id % KEYS_PER_CLIENT).pow(2) });
    }

    pub(crate) fn with(self, other: Events) -> Events {
        Events {
            rows: self.rows + other.rows,
            ids: self.ids + other.ids,
            squares: self.squares + other.squares,
        }
    }
}

/// What one client knows to be there. Nobody else writes its keys.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) client: usize,
    /// Requests planned.
    pub(crate) requests: u64,
    events_planned: i64,
    /// Events that were acknowledged as applied.
    pub(crate) events: Events,
    /// Events of each request that was acknowledged as waiting for the resume, oldest first.
    pub(crate) queued: Vec<Events>,
    pub(crate) accounts: Accounts,
    /// The request that was sent and not yet answered: it is there as a whole, or not at all.
    pub(crate) pending: Option<Plan>,
    /// The newest LSN that this client was told.
    pub(crate) newest_lsn: u64,
}

/// How a request that had not been answered was found after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There was none.
    Nothing,
    /// It had been taken.
    Taken,
    /// It had not been taken.
    NotTaken,
}

impl Model {
    pub(crate) fn new(client: usize) -> Model {
        Model {
            client,
            requests: 0,
            events_planned: 0,
            events: Events::default(),
            queued: Vec::new(),
            accounts: Accounts::new(),
            pending: None,
            newest_lsn: 0,
        }
    }

    /// The id of a new event. Ids begin like account keys, so that both can be joined.
    pub(crate) fn next_event(&mut self) -> i64 {
        self.events_planned += 1;
        self.client as i64 * KEYS_PER_CLIENT + self.events_planned - 1
    }

    /// The request under way was answered.
    pub(crate) fn acknowledge(&mut self, lsn: u64, is_queued: bool) {
        let Some(plan) = self.pending.take() else { panic!("no request is under way") };
        assert!(lsn > self.newest_lsn, "acknowledged at LSN {lsn} after LSN {}", self.newest_lsn);
        self.newest_lsn = lsn;
        if is_queued {
            self.queued.push(plan.events);
        } else {
            self.events = self.events.with(plan.events);
        }
        self.accounts = applied(&self.accounts, &plan);
    }

    /// The events that may be seen: those applied, and of those queued the first few.
    fn visible(&self) -> impl Iterator<Item = Events> {
        let queued = self.queued.iter().scan(self.events, |sum, queued| {
            *sum = sum.with(*queued);
            Some(*sum)
        });
        std::iter::once(self.events).chain(queued)
    }

    /// Whether these are the events that a read after the last answer may find.
    pub(crate) fn may_see(&self, found: Events) -> bool {
        self.visible().any(|visible| visible == found)
    }

    /// Compares with what was found after a restart. Then the model follows it: queued events that were applied are.
    /// A workspace that is not paused has nothing queued.
    pub(crate) fn reconcile(
        &mut self,
        events: Events,
        accounts: &Accounts,
        is_paused: bool,
    ) -> Result<Found, String> {
        let at = self.visible().position(|visible| visible == events);
        let without = at.filter(|_| self.accounts == *accounts);
        let with = self.pending.as_ref().and_then(|plan| {
            // A request that waits for the resume has been taken too, but cannot be seen.
            let at = self.visible().position(|visible| visible.with(plan.events) == events);
            at.filter(|_| applied(&self.accounts, plan) == *accounts)
        });
        let Some(resumed) = without.or(with) else { return Err(self.difference(events, accounts)) };
        if !is_paused && resumed < self.queued.len() {
            return Err(format!(
                "of what was queued the resume lost some: {}",
                self.difference(events, accounts)
            ));
        }
        // With `with`, the request under way is going to be answered as applied, so its events are not counted here.
        self.events = self.queued.drain(..resumed).fold(self.events, Events::with);
        Ok(match (&self.pending, without) {
            (None, _) => Found::Nothing,
            (Some(_), Some(_)) => Found::NotTaken,
            (Some(_), None) => Found::Taken,
        })
    }

    fn difference(&self, events: Events, accounts: &Accounts) -> String {
        format!(
            "client {}: found {events:?} and {accounts:?}; acknowledged {:?}, queued {:?}, {:?}; under way {:?}",
            self.client, self.events, self.queued, self.accounts, self.pending
        )
    }
}

#[cfg(test)]
mod tests;

fn applied(accounts: &Accounts, plan: &Plan) -> Accounts {
    let mut accounts = accounts.clone();
    for (id, account) in &plan.accounts {
        match account {
            Some(account) => accounts.insert(*id, account.clone()),
            None => accounts.remove(id),
        };
    }
    accounts
}
