//! The binary: what it prints, what it says when something is in the way, and how it ends.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const HEADWATER: &str = env!("CARGO_BIN_EXE_headwater");

/// `headwater serve` on a port of its own.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn on(folder: &Path) -> Served {
        Served::with(&["--data-dir", folder.to_str().unwrap()])
    }

    fn with(args: &[&str]) -> Served {
        let mut child = Command::new(HEADWATER)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("headwater listening on ").expect(&line).to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Served { child, url }
    }

    fn put_program(&self, workspace: &str, sql: &str) {
        let reply = ureq::put(format!("{}/v1/workspaces/{workspace}/program", self.url)).send(sql).unwrap();
        assert_eq!(reply.status(), 200);
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn headwater(args: &[&str]) -> Output {
    Command::new(HEADWATER).args(args).env_remove("HEADWATER_URL").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command that must fail says.
fn refusal(args: &[&str]) -> String {
    let output = headwater(args);
    assert!(!output.status.success(), "{args:?} succeeded: {}", stdout(&output));
    String::from_utf8(output.stderr).unwrap()
}

fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn sigterm_ends_the_server_with_success_and_the_data_stays() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::on(folder.path());
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    ureq::post(format!("{}/v1/workspaces/w/tables/t", served.url)).send(r#"{"a":7}"#).unwrap();
    assert_eq!(served.terminate(), Some(0));

    let served = Served::on(folder.path());
    let rows = headwater(&["sql", "SELECT a FROM t", "--url", &served.url]);
    assert_eq!(stdout(&rows), "a\n-\n7\n(1 row, LSN 2)\n");
    assert_eq!(served.terminate(), Some(0));
}

#[test]
fn a_port_in_use_says_which_port_to_take() {
    let served = Served::with(&["--dev"]);
    let address = served.url.strip_prefix("http://").unwrap();
    let said = refusal(&["serve", "--dev", "--listen", address]);
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    assert!(said.contains(&format!("port {port} is in use")), "{said}");
    assert!(said.contains(&format!("headwater serve --listen 127.0.0.1:{}", port.wrapping_add(1))), "{said}");
}

#[test]
fn a_locked_folder_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let _served = Served::on(folder.path());
    let said = refusal(&["serve", "--listen", "127.0.0.1:0", "--data-dir", folder.path().to_str().unwrap()]);
    assert!(said.contains("in use by another process") && said.contains("--data-dir DIR"), "{said}");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let said = refusal(&["serve", "--dev", "--listen", "0.0.0.0:8080"]);
    assert!(said.contains("not a loopback address") && said.contains("--listen 127.0.0.1:8080"), "{said}");
}

#[test]
fn serve_without_a_folder_asks_for_one() {
    let said = refusal(&["serve"]);
    assert!(said.contains("--data-dir DIR") && said.contains("--dev"), "{said}");
}

#[test]
fn no_server_says_how_to_start_one() {
    let said = refusal(&["sql", "SELECT 1", "--url", "http://127.0.0.1:9"]);
    assert!(said.contains("headwater serve --dev") && said.contains("HEADWATER_URL"), "{said}");
}

#[test]
fn the_only_workspace_is_meant_and_of_several_one_must_be_named() {
    let served = Served::with(&["--dev"]);
    let none = refusal(&["sql", "SELECT 1 AS one", "--url", &served.url]);
    assert!(none.contains("no workspace") && none.contains("/program"), "{none}");
    served.put_program("shop", "");
    assert!(headwater(&["sql", "SELECT 1 AS one", "--url", &served.url]).status.success());
    served.put_program("lab", "");
    let several = refusal(&["sql", "SELECT 1 AS one", "--url", &served.url]);
    assert!(several.contains("--workspace: lab, shop"), "{several}");
    let unknown = refusal(&["sql", "SELECT 1 AS one", "--url", &served.url, "--workspace", "shp"]);
    assert!(unknown.contains("\"shp\" does not exist") && unknown.contains("lab, shop"), "{unknown}");
}

#[test]
fn a_typo_in_a_query_shows_the_caret() {
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    let said = refusal(&["sql", "SELECT b FROM t", "--url", &served.url]);
    assert!(said.contains("line 1, column 8") && said.contains("\n       ^"), "{said}");
}

#[test]
fn files_are_pushed_in_requests_and_an_interrupted_push_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT, b VARCHAR)");
    // About 3 MB: several requests.
    let rows = (0..100_000).map(|a| format!("{a},\"some \"\"text\"\"\nof two lines\"\n")).collect::<String>();
    let csv = file(&folder, "rows.csv", format!("a,b\n{rows}"));
    let push = ["push", csv.as_str(), "--table", "t", "--key", "first", "--url", served.url.as_str()];
    let pushed = headwater(&push);
    assert!(pushed.status.success(), "{pushed:?}");
    assert!(stdout(&pushed).starts_with("100000 records pushed to t in "), "{}", stdout(&pushed));
    let again = headwater(&push);
    assert!(stdout(&again).contains("100000 of all taken by an earlier try"), "{}", stdout(&again));
    let count = headwater(&[
        "sql",
        "SELECT COUNT(*) AS n, SUM(a) AS s FROM t",
        "--url",
        &served.url,
        "--format",
        "ndjson",
    ]);
    assert_eq!(stdout(&count), "{\"n\":100000,\"s\":4999950000}\n");
}

#[test]
fn every_kind_of_file_is_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"a\n4\n").unwrap();
    let files = [
        file(&folder, "a.json", r#"[{"a": 1}, {"a": 2}]"#),
        file(&folder, "a.ndjson", "{\"a\":3}\n"),
        file(&folder, "a.csv.gz", gzip.finish().unwrap()),
    ];
    for name in &files {
        let pushed = headwater(&["push", name, "--table", "t", "--url", &served.url]);
        assert!(pushed.status.success(), "{name}: {pushed:?}");
    }
    let rows = headwater(&["sql", "SELECT SUM(a) AS s FROM t", "--url", &served.url, "--format", "ndjson"]);
    assert_eq!(stdout(&rows), "{\"s\":10}\n");
}

#[test]
fn bad_records_are_named_by_their_number_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    let csv = file(&folder, "rows.csv", "a\n1\nx\n3\n");
    let said = refusal(&["push", &csv, "--table", "t", "--url", &served.url]);
    assert!(said.contains("record 2, column a") && said.contains("--skip-bad"), "{said}");
    let skipped = headwater(&["push", &csv, "--table", "t", "--skip-bad", "--url", &served.url]);
    assert!(stdout(&skipped).contains("2 applied, 1 in quarantine"), "{skipped:?}");
}

#[test]
fn doctor_tells_a_whole_folder_from_a_damaged_one_and_the_server_serves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let served = Served::on(folder.path());
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    for a in 0..20 {
        ureq::post(format!("{}/v1/workspaces/w/tables/t", served.url))
            .send(format!("{{\"a\":{a}}}"))
            .unwrap();
    }
    assert_eq!(served.terminate(), Some(0));
    let whole = headwater(&["doctor", "--data-dir", data_dir]);
    assert!(whole.status.success() && stdout(&whole).contains("The log is whole"), "{}", stdout(&whole));

    let workspaces = std::fs::read_dir(folder.path().join("workspaces")).unwrap();
    flip_a_bit_of_a_segment(&workspaces.map(|entry| entry.unwrap().path()).next().unwrap());
    let damaged = headwater(&["doctor", "--data-dir", data_dir]);
    assert!(!damaged.status.success(), "{}", stdout(&damaged));

    let served = Served::on(folder.path());
    served.put_program("other", "CREATE TABLE t (a BIGINT)");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut refused = agent.get(format!("{}/v1/workspaces/w/query?q=SELECT+1", served.url)).call().unwrap();
    let said = refused.body_mut().read_to_string().unwrap();
    assert_eq!(refused.status(), 500, "{said}");
    assert!(said.contains("workspace_damaged") && said.contains("headwater doctor --data-dir"), "{said}");
    let mut health = agent.get(format!("{}/healthz", served.url)).call().unwrap();
    let said = health.body_mut().read_to_string().unwrap();
    assert!(health.status() == 503 && said.contains("\"workspace\":\"w\""), "{said}");
    assert_eq!(served.terminate(), Some(0));

    flip_a_bit_of_a_segment(&folder.path().join("system"));
    let said = refusal(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir]);
    assert!(said.contains("headwater doctor --data-dir"), "{said}");
}

/// Changes one bit well inside the used part of the workspace's log.
fn flip_a_bit_of_a_segment(workspace: &Path) {
    let log = std::fs::read_dir(workspace.join("log")).unwrap();
    let segment =
        log.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "segment"));
    let segment = segment.unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[2_000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
}
