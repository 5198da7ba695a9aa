use std::collections::BTreeMap;

use serde_json::json;

use super::model::{Account, Accounts, Events, Model};
use super::program::MIXED_KIND;
use crate::random::Random;

/// Keys of accounts that one client owns.
const ACCOUNTS: i64 = 40;
/// Keys of one client's accounts begin at a multiple of this.
pub(crate) const KEYS_PER_CLIENT: i64 = 1_000_000;

/// A request, and what it does if it is taken.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) idempotency_key: String,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) received: u64,
    pub(crate) rejected: u64,
    pub(crate) events: Events,
    /// What becomes of each account that it touches.
    pub(crate) accounts: BTreeMap<i64, Option<Account>>,
}

impl Plan {
    /// Something that this client could do next.
    pub(crate) fn next(model: &mut Model, random: &mut Random) -> Plan {
        let mut plan = Plan {
            idempotency_key: format!("{}-{}", model.client, model.requests),
            path: String::new(),
            body: String::new(),
            received: 0,
            rejected: 0,
            events: Events::default(),
            accounts: BTreeMap::new(),
        };
        model.requests += 1;
        let mut records = Vec::new();
        match random.between(0, 100) {
            0..40 => plan.insert_events(model, random, &mut records),
            40..50 => plan.insert_some_bad_events(model, random, &mut records),
            50..68 => plan.upsert(model, random, &mut records),
            68..78 => plan.patch(model, random, &mut records),
            78..86 => plan.delete(model, random, &mut records),
            _ => plan.mix(model, random, &mut records),
        }
        plan.received = records.len() as u64;
        plan.body = format!("[{}]", records.join(","));
        plan
    }

    fn insert_events(&mut self, model: &mut Model, random: &mut Random, records: &mut Vec<String>) {
        self.path = "tables/events".to_owned();
        if random.percent(50) {
            self.path += "?if_paused=queue";
        }
        for _ in 0..random.between(1, 20) {
            let kind = random.between(0, 8);
            records.push(self.event(model, random, kind));
        }
    }

    fn insert_some_bad_events(&mut self, model: &mut Model, random: &mut Random, records: &mut Vec<String>) {
        self.path = "tables/events?on_error=skip".to_owned();
        let kind = random.between(0, 8);
        records.push(self.event(model, random, kind));
        for _ in 0..random.between(1, 5) {
            records.push(
                json!({"client": model.client, "id": "none", "kind": 1, "n": 1, "amount": 1}).to_string(),
            );
            self.rejected += 1;
            records.push(self.event(model, random, kind));
        }
    }

    fn event(&mut self, model: &mut Model, random: &mut Random, kind: i64) -> String {
        let id = model.next_event();
        self.events.add(id);
        let n = random.between(-1_000, 1_000);
        let amount = random.between(-4_000, 4_000) as f64 * 0.25;
        let note = "x".repeat(random.between(0, 64) as usize);
        json!({"client": model.client, "id": id, "kind": kind, "n": n, "amount": amount, "note": note})
            .to_string()
    }

    fn upsert(&mut self, model: &Model, random: &mut Random, records: &mut Vec<String>) {
        self.path = "tables/accounts?op=upsert".to_owned();
        for _ in 0..random.between(1, 8) {
            let (id, account) = (some_account(model, random), Account::random(random));
            records.push(row(model, id, &account).to_string());
            self.accounts.insert(id, Some(account));
        }
    }

    fn patch(&mut self, model: &Model, random: &mut Random, records: &mut Vec<String>) {
        let inserts = random.percent(50);
        let if_absent = if inserts { "insert" } else { "ignore" };
        self.path = format!("tables/accounts?op=patch&if_absent={if_absent}");
        for _ in 0..random.between(1, 6) {
            let (id, balance) = (some_account(model, random), random.between(-1_000, 1_000));
            records.push(json!({"id": id, "client": model.client, "balance": balance}).to_string());
            let now = self.account(&model.accounts, id).or(inserts.then(Account::default));
            let patched = now.map(|account| Account { balance: Some(balance), ..account });
            self.accounts.insert(id, patched);
        }
    }

    fn delete(&mut self, model: &Model, random: &mut Random, records: &mut Vec<String>) {
        self.path = "tables/accounts?op=delete".to_owned();
        let mut there: Vec<i64> = model.accounts.keys().copied().collect();
        if there.is_empty() {
            return self.upsert(model, random, records);
        }
        for _ in 0..random.between(1, 4).min(there.len() as i64) {
            let id = there.swap_remove(random.between(0, there.len() as i64) as usize);
            records.push(json!({"id": id}).to_string());
            self.accounts.insert(id, None);
        }
    }

    /// Both tables in one atomic request.
    fn mix(&mut self, model: &mut Model, random: &mut Random, records: &mut Vec<String>) {
        self.path = "push".to_owned();
        for _ in 0..random.between(1, 5) {
            let event = self.event(model, random, MIXED_KIND);
            records.push(format!(r#"{{"table":"events","row":{event}}}"#));
            let id = some_account(model, random);
            let account = match self.account(&model.accounts, id) {
                Some(_) if random.percent(30) => {
                    records.push(json!({"table": "accounts", "op": "delete", "row": {"id": id}}).to_string());
                    None
                }
                _ => {
                    let account = Account::random(random);
                    let row = row(model, id, &account);
                    records.push(json!({"table": "accounts", "op": "upsert", "row": row}).to_string());
                    Some(account)
                }
            };
            self.accounts.insert(id, account);
        }
    }

    /// The account as the records so far leave it.
    fn account(&self, before: &Accounts, id: i64) -> Option<Account> {
        self.accounts.get(&id).cloned().unwrap_or_else(|| before.get(&id).cloned())
    }
}

fn some_account(model: &Model, random: &mut Random) -> i64 {
    model.client as i64 * KEYS_PER_CLIENT + random.between(0, ACCOUNTS)
}

fn row(model: &Model, id: i64, account: &Account) -> serde_json::Value {
    json!({"id": id, "client": model.client, "balance": account.balance, "quarter": account.quarter})
}
