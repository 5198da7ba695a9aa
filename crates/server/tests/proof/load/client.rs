use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Load;
use super::model::{Account, Events, Model};
use super::plan::{KEYS_PER_CLIENT, Plan};
use crate::history::{Did, Operation};
use crate::http::{Http, Reply};
use crate::random::Random;

/// Time before a request is sent again that was refused or not answered.
const AGAIN: Duration = Duration::from_millis(4);

/// Does one thing after the other until the test is over.
pub(crate) fn run(load: &Load, model: &Mutex<Model>, mut random: Random) {
    let mut client = Client { load, model, http: Http::new(), history: Vec::new() };
    while !load.door.is_finishing() {
        if client.write(&mut random).is_none() {
            break;
        }
        match random.between(0, 100) {
            0..10 => client.read_events(),
            10..30 => client.read_account(&mut random),
            _ => {}
        }
    }
    load.history.lock().unwrap().append(&mut client.history);
}

struct Client<'a> {
    load: &'a Load,
    model: &'a Mutex<Model>,
    http: Http,
    history: Vec<Operation>,
}

impl Client<'_> {
    /// Plans a request and repeats it until it is answered. `None` if the test ended before.
    fn write(&mut self, random: &mut Random) -> Option<()> {
        let plan = {
            let mut model = self.model.lock().unwrap();
            let plan = Plan::next(&mut model, random);
            model.pending = Some(plan.clone());
            plan
        };
        let began = Instant::now();
        let reply = self.deliver(&plan)?;
        let ended = Instant::now();
        let lsn = reply.number("lsn");
        let answer = reply.json();
        let is_queued = answer["queued"].as_bool().unwrap_or(false);
        if answer["duplicate"] == true {
            self.load.done.duplicates.one_more();
        }
        if is_queued {
            self.load.done.queued.one_more();
        }
        let pending = answer["pending"].as_u64().unwrap_or(0);
        assert_eq!(reply.number("received"), plan.received, "{plan:?}: {}", reply.body);
        assert_eq!(reply.number("rejected"), plan.rejected, "{plan:?}: {}", reply.body);
        assert_eq!(
            reply.number("applied") + pending + plan.rejected,
            plan.received,
            "{plan:?}: {}",
            reply.body
        );
        let mut model = self.model.lock().unwrap();
        model.acknowledge(lsn, is_queued);
        let client = model.client;
        drop(model);
        self.history.push(Operation { client, began, ended, lsn, did: Did::Wrote(None) });
        Some(())
    }

    fn deliver(&self, plan: &Plan) -> Option<Reply> {
        loop {
            let to = self.load.door.wait()?;
            let path = format!("/v1/workspaces/w/{}", plan.path);
            match self.http.send(to, "POST", &path, Some(&plan.idempotency_key), &plan.body) {
                Ok(reply) if reply.status == 200 => return Some(reply),
                Ok(reply) => assert!(
                    matches!(reply.code().as_str(), "paused" | "queue_full" | "closing"),
                    "{plan:?} was refused: {}",
                    reply.body
                ),
                Err(_) => {}
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// Reads until it is answered; what was acknowledged before is in it.
    fn read(
        &mut self,
        ask: impl Fn(&Http, std::net::SocketAddr) -> Result<Reply, crate::http::NoAnswer>,
    ) -> Option<Reply> {
        loop {
            let to = self.load.door.wait()?;
            let began = Instant::now();
            let Ok(reply) = ask(&self.http, to) else {
                std::thread::sleep(AGAIN);
                continue;
            };
            let ended = Instant::now();
            if let Some(lsn) = reply.lsn {
                let mut model = self.model.lock().unwrap();
                assert!(lsn >= model.newest_lsn, "a read at LSN {lsn} after LSN {}", model.newest_lsn);
                model.newest_lsn = lsn;
                let client = model.client;
                drop(model);
                self.history.push(Operation { client, began, ended, lsn, did: Did::Read(None) });
            }
            return Some(reply);
        }
    }

    fn read_events(&mut self) {
        let client = self.model.lock().unwrap().client;
        let sql = events_of_client(client);
        let Some(reply) = self.read(|http, to| http.query(to, &sql)) else { return };
        let found = events_found(&reply.expect(200).json());
        let model = self.model.lock().unwrap();
        assert!(
            model.may_see(found),
            "read {found:?}; acknowledged {:?}, queued {:?}",
            model.events,
            model.queued
        );
    }

    fn read_account(&mut self, random: &mut Random) {
        let (id, expected) = {
            let model = self.model.lock().unwrap();
            let id = model.client as i64 * KEYS_PER_CLIENT + random.between(0, 40);
            (id, model.accounts.get(&id).cloned())
        };
        let path = format!("/v1/workspaces/w/tables/accounts/rows/{id}");
        let Some(reply) = self.read(|http, to| http.get(to, &path)) else { return };
        let found = match reply.status {
            404 => None,
            _ => Some(account_found(&reply.expect(200).json()["row"])),
        };
        assert_eq!(found, expected, "account {id} after it was acknowledged");
    }
}

/// One row with the sums that tell a set of events from every other.
pub(crate) fn events_of_client(client: usize) -> String {
    format!(
        "SELECT COUNT(*) AS row_count, COUNT(DISTINCT id) AS distinct_ids, SUM(id) AS ids, SUM((id % {KEYS_PER_CLIENT}) * (id % {KEYS_PER_CLIENT})) AS squares FROM events WHERE client = {client}"
    )
}

/// The events that this row tells of. None of them is there twice.
pub(crate) fn events_found(row: &serde_json::Value) -> Events {
    let number = |name: &str| row[name].as_i64().unwrap_or(0);
    assert_eq!(number("row_count"), number("distinct_ids"), "events are there twice: {row}");
    Events { rows: number("row_count"), ids: number("ids"), squares: number("squares") }
}

/// The account in this row.
pub(crate) fn account_found(row: &serde_json::Value) -> Account {
    Account { balance: row["balance"].as_i64(), quarter: row["quarter"].as_f64() }
}
