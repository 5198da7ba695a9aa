use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::{Http, Reply};
use crate::process::{Folder, Hooks, Server};
use crate::scale::from_env;

const PROGRAM: &str = "CREATE TABLE events (id BIGINT NOT NULL);
CREATE TABLE accounts (id BIGINT PRIMARY KEY, note VARCHAR);
CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n, SUM(id) AS ids FROM events;";
/// Keys that every push writes anew: the log grows, what is kept does not.
const ACCOUNTS: usize = 200;
/// Far beyond what is promised (2 s), for a machine that does other things too. The times are printed.
const RESUME_WITHIN: Duration = Duration::from_secs(30);

/// Pushes that are more than a segment of the log on this volume.
const PUSHES_IN_A_ROW: usize = 60;

/// How long snapshots are waited for when the disk is full. Not every time enough log has come together for them.
const SNAPSHOT_WAIT: Duration = Duration::from_millis(500);

/// A file system of 64 MiB in memory. Dropping it unmounts it.
struct Volume(TempDir);

impl Volume {
    /// `None` where nothing may be mounted.
    fn mount() -> Option<Volume> {
        let dir = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Volume(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// A file that takes all the space there is.
struct Ballast(PathBuf);

impl Ballast {
    fn fill(volume: &Path) -> Ballast {
        let path = volume.join("ballast");
        let mut file = File::create(&path).unwrap();
        let mut piece = vec![7; 1 << 20];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        Ballast(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Who pushes, and what was acknowledged.
struct Writer {
    server: Server,
    acknowledged: i64,
}

impl Writer {
    fn push(&mut self) -> Reply {
        let event = format!(r#"{{"table":"events","row":{{"id":{}}}}}"#, self.acknowledged);
        let note = "n".repeat(100);
        let account = |id| {
            format!(r#"{{"table":"accounts","row":{{"id":{id},"note":"{note}{}"}}}}"#, self.acknowledged)
        };
        let records: Vec<String> = std::iter::once(event).chain((0..ACCOUNTS).map(account)).collect();
        let reply = self.server.send("POST", "/v1/workspaces/w/push", &records.join("\n"));
        self.acknowledged += i64::from(reply.status == 200);
        reply
    }

    /// Reads go on, and show what was acknowledged and nothing else.
    fn check(&self) {
        let n = self.acknowledged;
        let expected = [format!(r#"{{"n":{n},"ids":{}}}"#, n * (n - 1) / 2)];
        assert_eq!(self.server.rows("SELECT * FROM n"), expected);
        assert_eq!(self.server.rows("SELECT COUNT(*) AS n, SUM(id) AS ids FROM events"), expected);
        assert_eq!(self.server.get("/v1/workspaces/w/tables/accounts/rows/3").status, 200);
        assert_eq!(self.server.get("/healthz").status, 200, "a full disk is no failure");
    }

    /// Pushes until the disk is full, and some times more.
    fn push_until_full(&mut self) {
        let started = self.acknowledged;
        let refused = loop {
            let reply = self.push();
            if reply.status != 200 {
                break reply;
            }
            assert!(self.acknowledged - started < 10_000, "the disk does not get full");
        };
        assert_eq!((refused.status, refused.code().as_str()), (507, "no_space"), "{}", refused.body);
        for _ in 0..3 {
            let again = self.push();
            assert!(matches!(again.status, 200 | 507), "{}", again.body);
        }
    }

    fn snapshot_lsn(&self) -> u64 {
        self.server.get("/v1/workspaces/w").number("snapshot_lsn")
    }

    /// Whether snapshots newer than this are written although the disk is full.
    fn is_snapshotted_after(&self, lsn: u64) -> bool {
        let deadline = Instant::now() + SNAPSHOT_WAIT;
        while self.snapshot_lsn() <= lsn && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.snapshot_lsn() > lsn
    }

    /// Pushes until they are taken again, and says how long that took. The first may fit into what the log has already,
    /// so it counts only if those after it are taken too.
    fn wait_for_space(&mut self) -> Duration {
        let freed = Instant::now();
        let mut resumed = Duration::ZERO;
        let mut in_a_row = 0;
        while in_a_row < PUSHES_IN_A_ROW {
            let reply = self.push();
            if reply.status == 200 {
                in_a_row += 1;
                continue;
            }
            assert_eq!(reply.status, 507, "{}", reply.body);
            assert!(freed.elapsed() < RESUME_WITHIN, "writes do not resume: {}", reply.body);
            std::thread::sleep(Duration::from_millis(10));
            resumed = freed.elapsed();
            in_a_row = 0;
        }
        resumed
    }
}

/// Does this while another client reads without pause; no read fails. How many there were.
fn while_reading(to: SocketAddr, work: impl FnOnce()) -> usize {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (http, mut reads) = (Http::new(), 0);
            while !is_done.load(Ordering::Relaxed) {
                http.query(to, "SELECT COUNT(*) AS accounts FROM accounts").unwrap().expect(200);
                reads += 1;
            }
            reads
        });
        let ends = SetsWhenDropped(&is_done);
        work();
        drop(ends);
        reader.join().unwrap()
    })
}

/// Ends the reader also when the work beside it fails.
struct SetsWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetsWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_full_disk_refuses_pushes_and_takes_them_again_by_itself_when_there_is_space() {
    let Some(volume) = Volume::mount() else {
        println!("skipped 1: no file system may be mounted here, so no disk was filled");
        return;
    };
    let rounds = from_env("HEADWATER_FULL_DISK_ROUNDS", 20);
    let folder = Folder::on_volume(volume.path());
    let server = folder.start(&Hooks::default());
    server.program("w", PROGRAM);
    let mut writer = Writer { server, acknowledged: 0 };
    let mut resumed = Vec::new();
    let mut snapshots_when_full = 0;
    let mut reads = 0;
    for round in 0..rounds {
        writer.push().expect(200);
        let snapshot_lsn = writer.snapshot_lsn();
        let mut ballast = None;
        reads += while_reading(writer.server.address, || {
            ballast = Some(Ballast::fill(volume.path()));
            writer.push_until_full();
            snapshots_when_full += u64::from(writer.is_snapshotted_after(snapshot_lsn));
            writer.check();
        });
        if round % 5 == 4 {
            // A server that dies on a full disk starts on it again.
            writer.server.kill();
            writer.server = folder.start(&Hooks::default());
            writer.check();
        }
        drop(ballast);
        resumed.push(writer.wait_for_space());
        writer.check();
    }
    assert_eq!(writer.server.stop(), Some(0));
    writer.server = folder.start(&Hooks::default());
    writer.check();
    assert!(snapshots_when_full > 0, "the reserve is there for snapshots");
    resumed.sort_unstable();
    println!(
        "{rounds} times full and freed, {snapshots_when_full} times snapshots were written meanwhile; {} pushes acknowledged and {reads} queries beside them answered; writes resumed after {:?} to {:?}, in the middle {:?}",
        writer.acknowledged,
        resumed[0],
        resumed[resumed.len() - 1],
        resumed[resumed.len() / 2]
    );
}

#[test]
fn a_volume_that_the_log_alone_would_fill_stays_usable() {
    let Some(volume) = Volume::mount() else {
        println!("skipped 1: no file system may be mounted here, so no disk was filled");
        return;
    };
    let folder = Folder::on_volume(volume.path());
    let server = folder.start(&Hooks::default());
    server.program("w", PROGRAM);
    let mut writer = Writer { server, acknowledged: 0 };
    // About twice the volume, as the log holds it; what must be kept is small.
    let deadline = Instant::now() + 10 * RESUME_WITHIN;
    while writer.acknowledged < 3_500 {
        let reply = writer.push();
        assert!(matches!(reply.status, 200 | 507), "{}", reply.body);
        assert!(
            Instant::now() < deadline,
            "after {} pushes the log has filled the volume for good",
            writer.acknowledged
        );
        if reply.status == 507 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    writer.check();
    assert_eq!(writer.server.stop(), Some(0));
    writer.server = folder.start(&Hooks::default());
    writer.check();
}
