use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::places;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// A running server with a data folder of its own; both are gone when this is dropped.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
}

impl Server {
    /// Starts `headwater serve --dev` on a free port, with its data in a new folder below `parent`.
    pub(crate) fn headwater(parent: &Path) -> Result<Server, String> {
        let folder = new_folder(parent, "headwater")?;
        let mut command = Command::new(places::headwater());
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.join("data"));
        Server::start(command, folder, "headwater listening on http://")
    }

    /// Starts a program that prints `prefix` and its address once it accepts connections.
    pub(crate) fn start(mut command: Command, folder: PathBuf, prefix: &str) -> Result<Server, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|e| format!("cannot start {program}: {e}"))?;
        let output = child.stdout.take().expect("standard output is piped");
        let address = address_in(output, prefix);
        let mut server = Server { child, folder, address: String::new() };
        server.address = address.ok_or_else(|| format!("{program} did not say that it listens"))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().is_ok_and(|s| s.success());
        let deadline = Instant::now() + STOPPED_WITHIN;
        while asked && Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder with this process's id in its name.
pub(crate) fn new_folder(parent: &Path, name: &str) -> Result<PathBuf, String> {
    for attempt in 0..1_000 {
        let folder = parent.join(format!("{name}-{}-{attempt}", std::process::id()));
        if !folder.exists() {
            fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
            return Ok(folder);
        }
    }
    Err(format!("cannot find a free name for a folder in {}", parent.display()))
}

/// Reads lines until one starts with `prefix`; goes on reading in the background so that the program never blocks.
fn address_in(output: impl std::io::Read + Send + 'static, prefix: &str) -> Option<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let prefix = prefix.to_string();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix(&prefix) {
                let _ = sender.send(address.trim_end_matches('/').to_string());
            }
        }
    });
    receiver.recv_timeout(READY_WITHIN).ok()
}
