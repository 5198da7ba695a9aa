//! What many workspaces cost: `many_workspaces BINARY DIR [COUNT]` makes them in a new data folder, leaves all but ten
//! alone until they are parked, and prints threads, memory, disk, the time of a start and of first pushes.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
    CREATE MATERIALIZED VIEW spend AS
        SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
    CREATE MATERIALIZED VIEW large AS SELECT id, customer, amount FROM orders WHERE amount > 50;";
const ROWS: usize = 200;
const BUSY: usize = 10;
const FIRST_PUSHES: usize = 100;

struct Server {
    child: Child,
    url: String,
    started_in: Duration,
}

impl Server {
    fn start(binary: &str, dir: &Path) -> Result<Server, Box<dyn Error>> {
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().ok_or("no stdout")?).read_line(&mut line)?;
        let url = line.trim().strip_prefix("headwater listening on ").ok_or("it does not listen")?.to_owned();
        Ok(Server { child, url, started_in: started.elapsed() })
    }

    /// Threads, and KiB of resident memory.
    fn size(&self) -> Result<(u64, u64), Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Ok((field("Threads:").ok_or("no threads")?, field("VmRSS:").ok_or("no memory")?))
    }

    fn put_program(&self, workspace: usize) -> Result<(), Box<dyn Error>> {
        ureq::put(format!("{}/v1/workspaces/w{workspace}/program", self.url)).send(PROGRAM)?;
        Ok(())
    }

    fn push(&self, workspace: usize, body: &str) -> Result<Duration, Box<dyn Error>> {
        let started = Instant::now();
        ureq::post(format!("{}/v1/workspaces/w{workspace}/tables/orders", self.url)).send(body)?;
        Ok(started.elapsed())
    }

    fn open_workspaces(&self) -> Result<usize, Box<dyn Error>> {
        let metrics = ureq::get(format!("{}/metrics", self.url)).call()?.body_mut().read_to_string()?;
        let open = |line: &&str| line.starts_with("headwater_workspace_open{") && line.ends_with(" 1");
        Ok(metrics.lines().filter(open).count())
    }

    fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

fn row(id: usize) -> String {
    format!(r#"{{"id":{id},"customer":"c{}","amount":{}.5,"at":"2026-11-22T10:00:00Z"}}"#, id % 17, id % 100)
}

fn disk_bytes(dir: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += metadata.blocks() * 512;
        if metadata.is_dir() {
            bytes += disk_bytes(&entry.path())?;
        }
    }
    Ok(bytes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (binary, dir, count) = match args.as_slice() {
        [binary, dir] => (binary, PathBuf::from(dir), 500),
        [binary, dir, count] => (binary, PathBuf::from(dir), count.parse()?),
        _ => return Err("usage: many_workspaces BINARY DIR [COUNT]".into()),
    };
    let server = Server::start(binary, &dir)?;
    let (threads, empty_kib) = server.size()?;
    println!("empty: {threads} threads, {} MiB", empty_kib >> 10);

    let started = Instant::now();
    let rows: Vec<String> = (0..ROWS).map(row).collect();
    for workspace in 0..count {
        server.put_program(workspace)?;
        server.push(workspace, &rows.join("\n"))?;
    }
    let (threads, kib) = server.size()?;
    println!(
        "{count} workspaces made in {:.1?}: {} open, {threads} threads, {} MiB",
        started.elapsed(),
        server.open_workspaces()?,
        kib >> 10
    );
    let mut next = ROWS;
    // `_system` counts as open and is not one of them.
    while server.open_workspaces()? > BUSY + 1 {
        for workspace in 0..BUSY {
            server.push(workspace, &row(next))?;
        }
        next += 1;
        std::thread::sleep(Duration::from_millis(500));
    }
    let (threads, kib) = server.size()?;
    println!(
        "{BUSY} busy, the others parked: {threads} threads, {} MiB above empty; {} MiB on disk",
        kib.saturating_sub(empty_kib) >> 10,
        disk_bytes(&dir)? >> 20
    );
    server.stop()?;

    let server = Server::start(binary, &dir)?;
    println!("started in {:.0?}", server.started_in);
    let mut took = Vec::new();
    for workspace in 0..FIRST_PUSHES.min(count) {
        took.push(server.push(workspace, &row(next))?);
    }
    took.sort_unstable();
    println!(
        "first push to a parked workspace: p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1]
    );
    server.stop()
}
