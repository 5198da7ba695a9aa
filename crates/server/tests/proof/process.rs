//! `headwater serve` as a process of its own: started, killed, told to stop.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::{Http, Reply};

pub(crate) const HEADWATER: &str = env!("CARGO_BIN_EXE_headwater");

/// Log lines shown when a test fails.
const LOG_LINES_SHOWN: usize = 60;

/// What a server is made to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    /// Kill itself when it reaches a point for the n-th time.
    pub(crate) kill_at: Option<(&'static str, u64)>,
    /// Fail the n-th sync of a log.
    pub(crate) fail_sync_at: Option<u64>,
    /// Bytes of log segments and of log between two snapshots; the server's own choice if `None`.
    pub(crate) log_sizes: Option<(u64, u64)>,
}

impl Hooks {
    /// A log so small that segments change, snapshots are written and log is cut all the time.
    pub(crate) fn small_log() -> Hooks {
        Hooks { log_sizes: Some((64 << 10, 192 << 10)), ..Hooks::default() }
    }

    pub(crate) fn kill_at(self, point: &'static str, nth: u64) -> Hooks {
        Hooks { kill_at: Some((point, nth)), ..self }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let kill_at = self.kill_at.map(|(point, nth)| ("HEADWATER_KILL_AT", format!("{point}:{nth}")));
        let fail_sync_at = self.fail_sync_at.map(|nth| ("HEADWATER_FAIL_SYNC_AT", nth.to_string()));
        let segment = self.log_sizes.map(|(bytes, _)| ("HEADWATER_LOG_SEGMENT_BYTES", bytes.to_string()));
        let snapshot = self.log_sizes.map(|(_, bytes)| ("HEADWATER_SNAPSHOT_LOG_BYTES", bytes.to_string()));
        [kill_at, fail_sync_at, segment, snapshot].into_iter().flatten().collect()
    }
}

/// A data folder and what servers over it wrote to stderr, which is shown if the test fails.
pub(crate) struct Folder {
    data: PathBuf,
    log: PathBuf,
    _temporary: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        let temporary = tempfile::tempdir().unwrap();
        let data = temporary.path().join("data");
        Folder { data, log: temporary.path().join("stderr"), _temporary: temporary }
    }

    /// The data lies on another volume.
    pub(crate) fn on_volume(volume: &Path) -> Folder {
        let mut folder = Folder::new();
        folder.data = volume.join("data");
        folder
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// All that was written to stderr.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A server that must start.
    pub(crate) fn start(&self, hooks: &Hooks) -> Server {
        self.try_start(hooks).unwrap_or_else(|status| panic!("the server did not start: {status}"))
    }

    /// A server at the address that another one had, which must start.
    pub(crate) fn start_at(&self, address: SocketAddr, hooks: &Hooks) -> Server {
        self.try_start_at(&address.to_string(), hooks)
            .unwrap_or_else(|status| panic!("it did not start: {status}"))
    }

    /// A server, or how it ended before it listened.
    pub(crate) fn try_start(&self, hooks: &Hooks) -> Result<Server, ExitStatus> {
        self.try_start_at("127.0.0.1:0", hooks)
    }

    fn try_start_at(&self, address: &str, hooks: &Hooks) -> Result<Server, ExitStatus> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut child = Command::new(HEADWATER)
            .args(["serve", "--listen", address, "--data-dir"])
            .arg(&self.data)
            .env("HEADWATER_TEST_HOOKS", "1")
            .env("NO_COLOR", "1")
            .envs(hooks.variables())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        match line.trim_end().strip_prefix("headwater listening on http://") {
            Some(address) => Ok(Server { address: address.parse().unwrap(), child, http: Http::new() }),
            None => Err(child.wait().unwrap()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let newest = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("the end of what the servers said:\n{}", newest.join("\n"));
        }
    }
}

/// A server that listens. Dropping it kills it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    http: Http,
}

impl Server {
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// How it ends within this time.
    pub(crate) fn ends_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            match self.ended() {
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                ended => return ended,
            }
        }
    }

    pub(crate) fn begin_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.begin_stop();
        self.child.wait().unwrap().code()
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        self.http.send(self.address, method, path, None, body).unwrap()
    }

    pub(crate) fn push_keyed(&self, path: &str, key: &str, body: &str) -> Reply {
        self.http.send(self.address, "POST", path, Some(key), body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "")
    }

    /// The rows of a query in workspace `w`, sorted.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.http.query(self.address, sql).unwrap().expect(200).rows()
    }

    /// Sets the program of a workspace, which must be accepted.
    pub(crate) fn program(&self, workspace: &str, sql: &str) {
        self.send("PUT", &format!("/v1/workspaces/{workspace}/program"), sql).expect(200);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Did the process die by SIGKILL?
pub(crate) fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}
