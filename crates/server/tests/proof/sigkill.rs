use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::Path;
use std::time::Duration;

use crate::door::EndsDoor;
use crate::history;
use crate::load::{Load, program};
use crate::process::{Folder, Hooks, Server, is_killed};
use crate::random::Random;
use crate::scale::{Replay, from_env, seed};
use crate::verify::{UnderWay, verify};

/// Where a server can be made to kill itself, and how often at most it is let pass there before.
const POINTS: &[(&str, i64)] = &[
    ("log.commit.written", 80),
    ("log.commit.synced", 80),
    ("log.segment.created", 5),
    ("log.segment.sealed", 4),
    ("log.cut.before", 3),
    ("log.cut.after", 3),
    ("sealed.written", 12),
    ("sealed.renamed", 12),
    ("snapshot.begin", 3),
    ("changes.flush", 3),
    ("changes.written", 3),
    ("changes.done", 3),
    ("snapshot.written", 3),
    ("snapshot.done", 3),
    ("program.filling", 4),
    ("program.built", 4),
    ("program.logged", 4),
    ("workspace.listed", 2),
];
/// In one round, over one data folder. Rounds begin with an empty one: the more a folder holds, the rarer snapshots are.
const KILLS_PER_POINT: usize = 2;
const CLIENTS: usize = 4;
/// Time that a named point is waited for under load.
const POINT_WAIT: Duration = Duration::from_secs(20);
/// Tries for one point before the test gives up on it.
const TRIES_MAX: usize = 20;
/// Snapshot files of one workspace: two tables, two system tables and the state, twice while a round is under way.
const SNAPSHOTS_PER_WORKSPACE_MAX: usize = 10;

#[test]
fn killed_at_every_named_point_nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let seed = seed();
    let _replay = Replay::new(
        "sigkill::killed_at_every_named_point_nothing_acknowledged_is_lost_and_nothing_is_there_twice",
        seed,
    );
    let rounds = from_env("HEADWATER_KILL_ROUNDS", 1);
    let mut random = Random::new(seed);
    let mut kills: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..rounds {
        let report = run(random.next(), |lives, random| {
            for (point, passes_max) in POINTS {
                for _ in 0..KILLS_PER_POINT {
                    lives.die_at_last_at(point, *passes_max, random);
                    *kills.entry(point).or_default() += 1;
                }
            }
        });
        println!("{report}");
    }
    for (point, count) in &kills {
        println!("{count} kills at {point}");
    }
}

#[test]
fn killed_at_random_moments_under_load_nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let seed = seed();
    let _replay = Replay::new(
        "sigkill::killed_at_random_moments_under_load_nothing_acknowledged_is_lost_and_nothing_is_there_twice",
        seed,
    );
    let kills = from_env("HEADWATER_KILLS", 20);
    let report = run(seed, |lives, random| {
        for _ in 0..kills {
            lives.die_after(Duration::from_millis(random.between(20, 301) as u64));
        }
    });
    println!("{kills} kills at random moments\n{report}");
}

/// Lets the load run over a server that dies as `deaths` says, checks everything after each restart, and once more when
/// every client has its answer.
fn run(seed: u64, mut deaths: impl FnMut(&mut Lives<'_>, &mut Random)) -> String {
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let folder = Folder::new();
    let first = folder.start(&Hooks::small_log());
    first.program("w", &program::text(false));
    drop(first);
    let load = Load::new(CLIENTS);
    let mut lives =
        Lives { folder: &folder, load: &load, under_way: UnderWay::default(), restarts: 0, unfinished: 0 };
    std::thread::scope(|scope| {
        let _ends = EndsDoor(&load.door);
        load.start(scope, &mut random);
        deaths(&mut lives, &mut random);
        let server = lives.start(&Hooks::small_log()).expect("nothing kills this server");
        load.door.finish();
        load.door.open(server.address);
        lives.settle(&server);
        assert_eq!(server.stop(), Some(0));
    });
    let server = folder.start(&Hooks::default());
    assert!(verify(server.address, &load).is_ok(), "a clean stop loses nothing");
    let snapshots =
        count_files(folder.data(), &|name| name.starts_with("rows-") || name.starts_with("state-"));
    let workspaces = server.get("/v1/workspaces").json()["workspaces"].as_array().unwrap().len() + 1;
    assert!(snapshots <= workspaces * SNAPSHOTS_PER_WORKSPACE_MAX, "{snapshots} snapshots pile up");
    let history = load.history.lock().unwrap();
    let checked = history::check(&history).unwrap_or_else(|error| panic!("{error}"));
    let done = &load.done;
    assert!(done.program_changes.get() > 0 && done.comparisons.get() > 0);
    format!(
        "{} restarts; requests under way at a kill: {} had been taken, {} had not; {} files were unfinished\n\
         {} writes acknowledged ({} of them for a second time, {} while paused) and {} reads answered, in the order of \
         their LSNs\n\
         {} program changes, {} pauses, {} workspaces made, {} times all views compared under load",
        lives.restarts,
        lives.under_way.taken,
        lives.under_way.not_taken,
        lives.unfinished,
        checked.writes,
        done.duplicates.get(),
        done.queued.get(),
        checked.reads,
        done.program_changes.get(),
        done.pauses.get(),
        done.workspaces.get(),
        done.comparisons.get()
    )
}

/// One server after the other over one folder.
struct Lives<'a> {
    folder: &'a Folder,
    load: &'a Load,
    under_way: UnderWay,
    restarts: u64,
    /// Temporary files that kills left behind.
    unfinished: usize,
}

impl Lives<'_> {
    /// Starts a server and checks all that it has. `None` if it died meanwhile, as its hooks may say.
    fn start(&mut self, hooks: &Hooks) -> Option<Server> {
        self.unfinished += count_unfinished(self.folder.data());
        self.restarts += 1;
        let mut server = match self.folder.try_start(hooks) {
            Ok(server) => server,
            Err(status) => {
                assert!(is_killed(status) && hooks.kill_at.is_some(), "the server does not start: {status}");
                return None;
            }
        };
        match verify(server.address, self.load) {
            Ok(under_way) => {
                self.under_way.taken += under_way.taken;
                self.under_way.not_taken += under_way.not_taken;
                Some(server)
            }
            Err(error) => {
                let status = server.ends_within(Duration::from_secs(10));
                let died = status.is_some_and(is_killed) && hooks.kill_at.is_some();
                assert!(died, "the server does not answer: {error}; {status:?}");
                None
            }
        }
    }

    /// Lives until one ends at a named point.
    fn die_at_last_at(&mut self, point: &'static str, passes_max: i64, random: &mut Random) {
        for _ in 0..TRIES_MAX {
            if self.die_at(point, random.between(1, passes_max + 1) as u64) {
                return;
            }
        }
        panic!("{point} is not reached under load");
    }

    /// One life that ends at a named point. Whether it was reached.
    fn die_at(&mut self, point: &'static str, nth: u64) -> bool {
        let Some(mut server) = self.start(&Hooks::small_log().kill_at(point, nth)) else { return true };
        self.load.door.open(server.address);
        let ended = server.ends_within(POINT_WAIT);
        self.load.door.close();
        server.kill();
        if let Some(status) = ended {
            assert!(is_killed(status), "the server ended by itself: {status}");
        }
        ended.is_some()
    }

    /// One life that ends after this time under load.
    fn die_after(&mut self, time: Duration) {
        let mut server = self.start(&Hooks::small_log()).expect("nothing kills this server");
        self.load.door.open(server.address);
        if let Some(status) = server.ends_within(time) {
            panic!("the server ended by itself: {status}");
        }
        server.kill();
        self.load.door.close();
    }

    /// Waits until every client has its answers, then checks everything once more.
    fn settle(&mut self, server: &Server) {
        let has_pending = || self.load.models.iter().any(|model| model.lock().unwrap().pending.is_some());
        while has_pending() {
            std::thread::sleep(Duration::from_millis(5));
            // A pause that a crash cut short would hold up those who do not queue.
            server.send("POST", "/v1/workspaces/w/resume", "").expect(200);
        }
        server.send("POST", "/v1/workspaces/w/resume", "").expect(200);
        verify(server.address, self.load).unwrap_or_else(|error| panic!("{error}"));
        for view in program::views(false) {
            let rows = server.rows(&format!("SELECT * FROM {}", view.name));
            assert!(!rows.is_empty(), "view {} is empty: nothing was compared", view.name);
        }
        for model in &self.load.models {
            let model = model.lock().unwrap();
            assert!(model.pending.is_none() && model.queued.is_empty());
        }
    }
}

/// Files that were being written when the process died.
fn count_unfinished(folder: &Path) -> usize {
    count_files(folder, &|name| name.ends_with(".tmp") || name.ends_with(".preparing"))
}

fn count_files(folder: &Path, counts: &dyn Fn(&str) -> bool) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => count_files(&entry.path(), counts),
        _ => usize::from(entry.file_name().to_str().is_some_and(counts)),
    };
    entries.flatten().map(count).sum()
}
