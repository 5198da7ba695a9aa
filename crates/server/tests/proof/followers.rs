//! Followers of change streams over kills: their lines are, byte for byte, those of a follower that nothing disturbed.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::http::Http;
use crate::process::{Folder, Hooks, Server, is_killed};
use crate::random::Random;
use crate::scale::{Replay, from_env, seed};
use crate::stream::{Lines, Stream};

/// Where the server is killed while followers are attached, and how often at most it is let pass there before.
const POINTS: &[(&str, i64)] = &[
    ("changes.flush", 3),
    ("changes.written", 3),
    ("changes.done", 3),
    ("sealed.written", 6),
    ("sealed.renamed", 6),
    ("snapshot.begin", 3),
    ("snapshot.written", 3),
    ("snapshot.done", 3),
    ("log.commit.written", 40),
    ("log.commit.synced", 40),
    ("program.built", 2),
    ("program.logged", 2),
];
const RELATIONS: [&str; 3] = ["t", "v", "t,v,w"];
const PATIENCE: Duration = Duration::from_secs(30);
/// Rows of one push.
const ROWS: usize = 40;

/// Every other program counts, the others sum: `v` begins anew with each, `t` never.
fn program(version: u64) -> String {
    let value = if version.is_multiple_of(2) { "COUNT(*) AS n" } else { "SUM(n) AS total" };
    format!(
        "CREATE TABLE t (k BIGINT PRIMARY KEY, g BIGINT, n BIGINT);
         CREATE MATERIALIZED VIEW v AS SELECT g, {value} FROM t GROUP BY g;
         CREATE MATERIALIZED VIEW w AS SELECT k, g FROM t WHERE n % 2 = 0;"
    )
}

/// Where the server is just now, and whether it comes back when it is gone.
struct Place {
    address: Mutex<SocketAddr>,
    is_over: AtomicBool,
}

impl Place {
    fn of(server: &Server) -> Place {
        Place { address: Mutex::new(server.address), is_over: AtomicBool::new(false) }
    }

    fn now(&self) -> SocketAddr {
        *self.address.lock().unwrap()
    }

    fn moves_to(&self, server: &Server) {
        *self.address.lock().unwrap() = server.address;
    }

    fn ends(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

/// Pushes, and changes the program now and then, each until it is taken, until there is no more need.
fn load(place: &Place, seed: u64) {
    let mut random = Random::new(seed);
    let http = Http::new();
    for round in 0_u64.. {
        let rows: String = (0..ROWS)
            .map(|_| {
                let k = random.between(0, 500);
                format!("{{\"k\":{k},\"g\":{},\"n\":{}}}\n", k % 7, random.between(0, 9))
            })
            .collect();
        let key = format!("round {round}");
        let push = || http.send(place.now(), "POST", "/v1/workspaces/w/tables/t", Some(&key), &rows);
        let change = || http.send(place.now(), "PUT", "/v1/workspaces/w/program", None, &program(round / 12));
        while !push().is_ok_and(|reply| reply.status == 200) {
            std::thread::sleep(Duration::from_millis(2));
        }
        while round.is_multiple_of(12) && !change().is_ok_and(|reply| reply.status == 200) {
            std::thread::sleep(Duration::from_millis(2));
        }
        if place.is_over() {
            return;
        }
    }
}

fn newest_lsn(server: &Server) -> u64 {
    server.get("/v1/workspaces/w").number("lsn")
}

#[test]
fn followers_over_kills_at_every_point_get_the_bytes_of_one_that_nothing_disturbed() {
    let seed = seed();
    let _replay = Replay::new(
        "followers::followers_over_kills_at_every_point_get_the_bytes_of_one_that_nothing_disturbed",
        seed,
    );
    let mut random = Random::new(seed);
    let kills_per_point = from_env("HEADWATER_FOLLOWER_KILLS", 1);
    let folder = Folder::new();
    let server = folder.start(&Hooks::small_log());
    server.program("w", &program(0));
    let place = Place::of(&server);
    let start = Lines::from_now(server.address, "t,v,w");
    let mut server = Some(server);
    let last = Mutex::new(u64::MAX);
    let followed = std::thread::scope(|scope| {
        let loaded = scope.spawn(|| load(&place, seed));
        let follow = |relations: &'static str| {
            let mut lines = start.at();
            while lines.lsn < *last.lock().unwrap() {
                lines.read(place.now(), relations, |lines| lines.lsn >= *last.lock().unwrap());
            }
            lines
        };
        let following = RELATIONS.map(|relations| scope.spawn(move || follow(relations)));
        for (point, passes_max) in POINTS {
            for _ in 0..kills_per_point {
                drop(server.take());
                let nth = random.between(1, passes_max + 1) as u64;
                let started = folder.try_start(&Hooks::small_log().kill_at(point, nth));
                // It may be killed while it starts; if it is let pass too often it goes on for a while.
                if let Ok(mut started) = started {
                    place.moves_to(&started);
                    let ended = started.ends_within(PATIENCE);
                    assert!(ended.is_none_or(is_killed), "{point}: {ended:?}");
                    println!("{point}:{nth} {}", if ended.is_some() { "killed" } else { "never came" });
                }
            }
        }
        let calm = folder.start(&Hooks::small_log());
        place.moves_to(&calm);
        place.ends();
        loaded.join().unwrap();
        *last.lock().unwrap() = newest_lsn(&calm);
        server = Some(calm);
        following.map(|following| following.join().unwrap())
    });
    let server = server.unwrap();
    for (relations, followed) in RELATIONS.iter().zip(followed) {
        let mut calm = start.at();
        calm.read_until(server.address, relations, *last.lock().unwrap());
        println!("{relations}: {} lines over {} connections", followed.lines.len(), followed.connections);
        assert!(followed.lines.len() > 100 && followed.connections > POINTS.len() as u64 / 2);
        followed.assert_equal(&calm);
    }
}

/// The step is pushed once; a follower of it is cut off by a kill again and again before it has read all of it.
#[test]
fn a_step_of_100_000_rows_that_kills_cut_while_it_is_sent_arrives_whole_and_once() {
    let folder = Folder::new();
    let mut server = folder.start(&Hooks::default());
    server.program("w", "CREATE TABLE t (a BIGINT, text VARCHAR); CREATE MATERIALIZED VIEW v AS SELECT text, COUNT(*) AS n FROM t GROUP BY text;");
    let start = Lines::from_now(server.address, "t,v");
    let rows: String =
        (0..100_000).map(|a| format!("{{\"a\":{a},\"text\":\"row {}\"}}\n", a % 50_000)).collect();
    let lsn = server.send("POST", "/v1/workspaces/w/tables/t", &rows).expect(200).number("lsn");
    let mut lines = start.at();
    for kill in 1..=5 {
        let enough = kill * 25_000 + 777;
        lines.read(server.address, "t,v", |lines| lines.lines.len() >= enough);
        assert!(lines.lines.len() >= enough && lines.lines.len() < 150_000);
        server.kill();
        server = folder.start(&Hooks::default());
    }
    lines.read_until(server.address, "t,v", lsn);
    let mut calm = start.at();
    calm.read_until(server.address, "t,v", lsn);
    assert_eq!(calm.lines.len(), 150_000);
    lines.assert_equal(&calm);
}

#[test]
fn a_follower_that_reads_slowly_hurts_no_push_and_gets_everything_in_the_end() {
    let folder = Folder::new();
    let server = folder.start(&Hooks::small_log());
    server.program("w", &program(0));
    let start = Lines::from_now(server.address, "t,v");
    // It takes one line, and no more until all is pushed.
    let mut slow = Stream::open(server.address, "t,v", start.cursor.as_deref(), "").unwrap();
    let row = |k: u64| format!("{{\"k\":{k},\"g\":{},\"n\":{k}}}\n", k % 3);
    server.send("POST", "/v1/workspaces/w/tables/t", &row(0)).expect(200);
    let first = slow.line().unwrap();
    for round in 0..200 {
        let rows: String = (0..1_000).map(|k| row(round * 100 + k)).collect();
        server.send("POST", "/v1/workspaces/w/tables/t", &rows).expect(200);
    }
    let lsn = newest_lsn(&server);
    let mut calm = start.at();
    calm.read_until(server.address, "t,v", lsn);
    assert_eq!(first, calm.lines[0]);
    let mut lines = vec![first];
    while lines.len() < calm.lines.len() {
        let Some(line) = slow.line() else { break };
        if !line.contains("\"heartbeat\"") {
            lines.push(line);
        }
    }
    assert!(lines.iter().eq(&calm.lines[..lines.len()]), "what it got is what there was");
    println!("the slow one got {} of {} lines before it was cut off", lines.len(), calm.lines.len());
}

/// `headwater tail` prints each change once over a kill and a restart at the same address.
#[test]
fn tail_goes_on_by_itself_when_the_server_is_killed_and_started_again() {
    let folder = Folder::new();
    let server = folder.start(&Hooks::default());
    let address = server.address;
    server.program("w", "CREATE TABLE t (a BIGINT)");
    let mut tail = Tail::start(address);
    let (mut expected, mut printed) = (Vec::new(), Vec::new());
    let mut server = Some(server);
    for a in 0..6 {
        let at = server.as_ref().unwrap();
        let lsn =
            at.send("POST", "/v1/workspaces/w/tables/t", &format!("{{\"a\":{a}}}")).expect(200).number("lsn");
        expected.push(format!("{lsn} + t {{\"a\":{a}}}"));
        if a % 2 == 0 {
            // It follows by now, so that the kill after the next record cuts a stream.
            printed.extend((printed.len()..expected.len()).map(|_| tail.line()));
        } else {
            drop(server.take());
            server = Some(folder.start_at(address, &Hooks::default()));
        }
    }
    printed.extend((printed.len()..expected.len()).map(|_| tail.line()));
    assert_eq!(printed, expected);
}

/// `headwater tail` as a process.
struct Tail {
    child: std::process::Child,
    printed: std::io::BufReader<std::process::ChildStdout>,
}

impl Tail {
    fn start(server: SocketAddr) -> Tail {
        let mut child = std::process::Command::new(crate::process::HEADWATER)
            .args(["tail", "t", "--from", "snapshot", "--url", &format!("http://{server}")])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let printed = std::io::BufReader::new(child.stdout.take().unwrap());
        Tail { child, printed }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.printed, &mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
