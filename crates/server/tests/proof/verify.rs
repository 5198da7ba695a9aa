//! After a restart, before any client is let in: everything is as it must be.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::http::{Http, NoAnswer, Reply};
use crate::load::client::{account_found, events_found, events_of_client};
use crate::load::model::{Accounts, Found};
use crate::load::{Load, program};

/// Requests under way at the kill, and how they were found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UnderWay {
    pub(crate) taken: u64,
    pub(crate) not_taken: u64,
}

/// Checks all of workspace `w`. `Err` if the server dies meanwhile.
pub(crate) fn verify(to: SocketAddr, load: &Load) -> Result<UnderWay, NoAnswer> {
    let http = Http::new();
    let status = http.get(to, "/v1/workspaces/w")?.expect(200).json();
    let lsn = status["lsn"].as_u64().unwrap();
    let newest = load.newest_lsn();
    assert!(lsn >= newest, "LSN {newest} was acknowledged, after the restart the newest is {lsn}");
    let reader = Reader { http, to, lsn };
    reader.views_equal_their_batch()?;
    let kinds = reader.events_by_door()?;
    reader.counters_reconcile(&status["endpoints"], kinds)?;
    reader.keys_are_found()?;
    let is_paused = status["condition"] == "paused";
    assert!(is_paused || status["condition"] == "running", "{status}");
    let mut under_way = UnderWay::default();
    for model in &load.models {
        let mut model = model.lock().unwrap();
        let events = events_found(&reader.query(&events_of_client(model.client))?.json());
        let accounts = reader.accounts_of(model.client)?;
        match model
            .reconcile(events, &accounts, is_paused)
            .unwrap_or_else(|difference| panic!("{difference}"))
        {
            Found::Nothing => {}
            Found::Taken => under_way.taken += 1,
            Found::NotTaken => under_way.not_taken += 1,
        }
    }
    Ok(under_way)
}

/// The rows of each door, as the table tells.
struct EventsByDoor {
    table: u64,
    mixed: u64,
}

struct Reader {
    http: Http,
    to: SocketAddr,
    lsn: u64,
}

impl Reader {
    /// A query at the LSN of the restart: nobody writes.
    fn query(&self, sql: &str) -> Result<Reply, NoAnswer> {
        let path = format!("/v1/workspaces/w/query?min_lsn={}", self.lsn);
        let reply = self.http.send(self.to, "POST", &path, None, sql)?.expect(200);
        assert_eq!(reply.lsn, Some(self.lsn), "{sql}");
        Ok(reply)
    }

    fn views_equal_their_batch(&self) -> Result<(), NoAnswer> {
        let text = self.http.get(self.to, "/v1/workspaces/w/program?format=text")?.expect(200).body;
        let with_all = text == program::text(true);
        assert!(with_all || text == program::text(false), "neither the old nor the new program: {text}");
        let views = program::views(with_all);
        let listed = self.http.get(self.to, "/v1/workspaces/w/views")?.expect(200).json();
        assert_eq!(listed["views"].as_array().unwrap().len(), views.len(), "{listed}");
        for view in views {
            let kept = self.query(&format!("SELECT * FROM {}", view.name))?.rows();
            assert_eq!(kept, self.query(view.batch)?.rows(), "view {} at LSN {}", view.name, self.lsn);
        }
        Ok(())
    }

    fn events_by_door(&self) -> Result<EventsByDoor, NoAnswer> {
        let mixed = format!("kind >= {}", program::MIXED_KIND);
        let sql = format!(
            "SELECT COUNT(*) FILTER (WHERE {mixed}) AS mixed, COUNT(*) FILTER (WHERE NOT {mixed}) AS from_table FROM events"
        );
        let row = self.query(&sql)?;
        Ok(EventsByDoor { table: row.number("from_table"), mixed: row.number("mixed") })
    }

    fn counters_reconcile(
        &self,
        endpoints: &serde_json::Value,
        events: EventsByDoor,
    ) -> Result<(), NoAnswer> {
        let counts: BTreeMap<String, BTreeMap<String, u64>> =
            serde_json::from_value(endpoints.clone()).unwrap();
        for (endpoint, counts) in &counts {
            let parts = counts["applied"] + counts["rejected"] + counts["duplicate"] + counts["pending"];
            assert_eq!(counts["received"], parts, "endpoint {endpoint}: {counts:?}");
        }
        let quarantine =
            self.query("SELECT endpoint, COUNT(*) AS records FROM quarantine GROUP BY endpoint")?;
        let mut kept: BTreeMap<String, u64> = BTreeMap::new();
        for line in quarantine.body.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            kept.insert(row["endpoint"].as_str().unwrap().to_owned(), row["records"].as_u64().unwrap());
        }
        for (endpoint, counts) in &counts {
            let kept = kept.get(endpoint).copied().unwrap_or(0);
            assert_eq!(counts["rejected"], kept, "endpoint {endpoint}: rejected and quarantine");
        }
        let applied = |endpoint: &str| counts.get(endpoint).map_or(0, |counts| counts["applied"]);
        assert_eq!(applied("tables/events"), events.table, "rows that came through the table's door");
        assert!(applied("push") >= events.mixed, "rows that came through the door for several tables");
        Ok(())
    }

    /// A look-up by key and a scan find the same.
    fn keys_are_found(&self) -> Result<(), NoAnswer> {
        let some = self.query("SELECT id, client, balance, quarter FROM accounts ORDER BY id LIMIT 3")?;
        for line in some.body.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let path = format!("/v1/workspaces/w/tables/accounts/rows/{}?min_lsn={}", row["id"], self.lsn);
            assert_eq!(self.http.get(self.to, &path)?.expect(200).json()["row"], row);
        }
        Ok(())
    }

    fn accounts_of(&self, client: usize) -> Result<Accounts, NoAnswer> {
        let rows =
            self.query(&format!("SELECT id, balance, quarter FROM accounts WHERE client = {client}"))?;
        let mut accounts = Accounts::new();
        for line in rows.body.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            accounts.insert(row["id"].as_i64().unwrap(), account_found(&row));
        }
        assert_eq!(accounts.len(), rows.body.lines().count(), "a key is there twice: {}", rows.body);
        Ok(accounts)
    }
}
