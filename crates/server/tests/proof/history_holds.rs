use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::door::{Door, EndsDoor};
use crate::history::{Checked, Did, Operation, check};
use crate::http::{Http, Reply};
use crate::process::{Folder, Hooks};
use crate::random::Random;
use crate::scale::{Replay, from_env, seed};

const CLIENTS: usize = 6;
/// Few, so that clients meet at them.
const REGISTERS: i64 = 8;
const AGAIN: Duration = Duration::from_millis(2);

const PROGRAM: &str = "CREATE TABLE registers (id BIGINT PRIMARY KEY, value BIGINT NOT NULL);
CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS n, SUM(value) AS value FROM registers;";

/// What clients share.
struct Run {
    door: Door,
    history: Mutex<Vec<Operation>>,
    answered: AtomicU64,
    wanted: u64,
}

#[test]
fn over_many_operations_and_crashes_the_order_of_answers_is_the_order_of_lsns() {
    let seed = seed();
    let _replay = Replay::new(
        "history_holds::over_many_operations_and_crashes_the_order_of_answers_is_the_order_of_lsns",
        seed,
    );
    let wanted = from_env("HEADWATER_HISTORY_OPERATIONS", 10_000);
    let mut random = Random::new(seed);
    let folder = Folder::new();
    folder.start(&Hooks::small_log()).program("w", PROGRAM);
    let run = Run { door: Door::shut(), history: Mutex::default(), answered: AtomicU64::new(0), wanted };
    let mut crashes = 0;
    std::thread::scope(|scope| {
        let _ends = EndsDoor(&run.door);
        for client in 0..CLIENTS {
            let (run, random) = (&run, random.fork());
            scope.spawn(move || work(run, client, random));
        }
        while !run.is_enough() {
            let mut server = folder.start(&Hooks::small_log());
            run.door.open(server.address);
            let life = Duration::from_millis(random.between(50, 1_000) as u64);
            let deadline = Instant::now() + life;
            while Instant::now() < deadline && !run.is_enough() {
                std::thread::sleep(AGAIN);
            }
            run.door.close();
            server.kill();
            crashes += 1;
        }
    });
    let history = run.history.into_inner().unwrap();
    let Checked { writes, reads, values } = check(&history).unwrap_or_else(|error| panic!("{error}"));
    assert!(writes + reads >= wanted as usize && writes > 0 && values > 0);
    println!("seed {seed}: {writes} writes and {reads} reads ({values} of registers) over {crashes} crashes");
}

impl Run {
    fn is_enough(&self) -> bool {
        self.answered.load(Ordering::Relaxed) >= self.wanted
    }
}

fn work(run: &Run, client: usize, mut random: Random) {
    let http = Http::new();
    let mut history = Vec::new();
    let mut value = client as i64;
    while !run.is_enough() {
        let id = random.between(0, REGISTERS);
        value += CLIENTS as i64;
        let operation = match random.between(0, 10) {
            0..5 => write(run, &http, client, id, value),
            5..9 => read_register(run, &http, client, id),
            _ => read_view(run, &http, client),
        };
        let Some(operation) = operation else { break };
        history.push(operation);
        run.answered.fetch_add(1, Ordering::Relaxed);
    }
    run.history.lock().unwrap().append(&mut history);
}

/// Repeats a request until it is answered. For a write its first try counts as its begin: it may have been that one.
fn ask(
    run: &Run,
    http: &Http,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &str,
) -> Option<(Instant, Reply)> {
    let mut began = None;
    loop {
        let to = run.door.wait()?;
        let try_began = Instant::now();
        let began = *began.get_or_insert(try_began);
        if let Ok(reply) = http.send(to, method, path, key, body) {
            return Some((if key.is_some() { began } else { try_began }, reply));
        }
        std::thread::sleep(AGAIN);
    }
}

fn write(run: &Run, http: &Http, client: usize, id: i64, value: i64) -> Option<Operation> {
    let body = format!(r#"{{"id":{id},"value":{value}}}"#);
    let key = value.to_string();
    let (began, reply) = ask(run, http, "POST", "/v1/workspaces/w/tables/registers", Some(&key), &body)?;
    let ended = Instant::now();
    let lsn = reply.expect(200).number("lsn");
    Some(Operation { client, began, ended, lsn, did: Did::Wrote(Some((id, value))) })
}

fn read_register(run: &Run, http: &Http, client: usize, id: i64) -> Option<Operation> {
    let (began, reply) =
        ask(run, http, "GET", &format!("/v1/workspaces/w/tables/registers/rows/{id}"), None, "")?;
    let ended = Instant::now();
    // An answer that finds nothing has no LSN; what it could have missed is checked by the reads that find.
    if reply.status == 404 {
        return read_view(run, http, client);
    }
    let value = reply.json()["row"]["value"].as_i64();
    let lsn = reply.expect(200).number("lsn");
    Some(Operation { client, began, ended, lsn, did: Did::Read(Some((id, value))) })
}

fn read_view(run: &Run, http: &Http, client: usize) -> Option<Operation> {
    let (began, reply) = ask(run, http, "POST", "/v1/workspaces/w/query", None, "SELECT * FROM total")?;
    let ended = Instant::now();
    let lsn = reply.expect(200).lsn.unwrap();
    Some(Operation { client, began, ended, lsn, did: Did::Read(None) })
}

#[test]
fn a_history_that_cannot_be_is_found() {
    let start = Instant::now();
    let operation = |from: u64, to: u64, lsn, did| {
        let at = |ms| start + Duration::from_millis(ms);
        Operation { client: 0, began: at(from), ended: at(to), lsn, did }
    };
    let wrote = |from, to, lsn| operation(from, to, lsn, Did::Wrote(None));
    let read = |from, to, lsn| operation(from, to, lsn, Did::Read(None));
    assert!(check(&[wrote(0, 1, 5), read(2, 3, 5), wrote(4, 5, 6)]).is_ok());
    assert!(check(&[wrote(0, 3, 6), wrote(1, 2, 5)]).is_ok(), "those that overlap may be in either order");
    assert!(
        check(&[wrote(0, 1, 5), wrote(2, 3, 5)]).is_err(),
        "a write that is not newer than one before it"
    );
    assert!(check(&[wrote(0, 1, 5), read(2, 3, 4)]).is_err(), "a read that misses an acknowledged write");
    assert!(check(&[read(0, 1, 5), read(2, 3, 4)]).is_err(), "a read that goes back");

    let set = |lsn, value| operation(lsn, lsn, lsn, Did::Wrote(Some((1, value))));
    let got = |lsn, value| operation(lsn, lsn, lsn, Did::Read(Some((1, value))));
    assert!(check(&[set(2, 70), set(4, 71), got(5, Some(71))]).is_ok());
    assert!(check(&[set(2, 70), set(4, 71), got(5, Some(70))]).is_err(), "an overwritten value");
    assert!(check(&[set(2, 70), got(5, None)]).is_err(), "a value that is gone");
    assert!(check(&[got(1, Some(70)), set(2, 70)]).is_err(), "a value of the future");
}
