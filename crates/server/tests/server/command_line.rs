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
    let push = ["push", csv.as_str(), "--table", "t", "--resume", "first", "--url", served.url.as_str()];
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

#[test]
fn a_script_of_several_statements_comes_from_standard_input() {
    let served = Served::with(&["--dev"]);
    served.put_program(
        "w",
        "CREATE TABLE t (a BIGINT PRIMARY KEY, s VARCHAR); CREATE VIEW v AS SELECT s FROM t",
    );
    ureq::post(format!("{}/v1/workspaces/w/tables/t", served.url))
        .send(r#"[{"a":1},{"a":2,"s":""}]"#)
        .unwrap();
    let script = "-- what there is\n\\d\n\\d T\nSELECT s FROM t ORDER BY a;\n\\format csv\nSELECT s, a FROM t\n ORDER BY a; \\q\nSELECT 1";
    let mut child = Command::new(HEADWATER)
        .args(["sql", "--url", &served.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let expected = "\
name | kind  | columns | rows
-----+-------+---------+-----
t    | table |       2 |    2
v    | view  |       1 |    -
column | type    |
-------+---------+------------
a      | BIGINT  | PRIMARY KEY
s      | VARCHAR |
s
----
NULL

(2 rows, LSN 2)
s,a
,1
\"\",2
";
    assert_eq!(stdout(&output), expected);
}

#[test]
fn a_mistake_in_a_query_is_shown_with_a_caret() {
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT)");
    let said = refusal(&["sql", "-c", "SELECT b FROM t", "--url", &served.url]);
    assert!(said.contains("line 1, column 8") && said.contains('^'), "{said}");
}

#[test]
fn push_makes_the_table_that_the_file_needs() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    let csv = file(&folder, "Orders 2026.csv", "id,amount,at\n1,2.5,2026-11-22T10:00:00Z\n2,3,\n");
    let made = headwater(&["push", &csv, "--create", "--url", &served.url]);
    assert!(made.status.success(), "{made:?}");
    let said = stdout(&made);
    let statement =
        "CREATE TABLE orders_2026 (\n    id     BIGINT,\n    amount DOUBLE,\n    at     TIMESTAMP\n);\n";
    assert!(said.contains(statement), "{said}");
    assert!(said.contains("workspace main will be made") && said.contains("--key id"), "{said}");
    assert!(said.contains("2 records pushed to orders_2026"), "{said}");

    let json = file(&folder, "people.json", r#"[{"name": "ada", "id": 7}]"#);
    let made = headwater(&["push", &json, "--create", "--key", "id", "-y", "--url", &served.url]);
    assert!(stdout(&made).contains("id   BIGINT PRIMARY KEY"), "{made:?}");
    let again = headwater(&["push", &json, "--create", "--url", &served.url]);
    assert!(stdout(&again).contains("table people exists"), "{again:?}");
    let rows = headwater(&[
        "sql",
        "SELECT (SELECT COUNT(*) FROM orders_2026) AS o, (SELECT COUNT(*) FROM people) AS p",
        "--url",
        &served.url,
        "--format",
        "ndjson",
    ]);
    assert_eq!(stdout(&rows), "{\"o\":2,\"p\":1}\n");
}

#[test]
fn what_a_query_answers_as_arrow_is_pushed_back() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    served.put_program("w", "CREATE TABLE t (a BIGINT, at TIMESTAMP, s VARCHAR)");
    let url = format!("{}/v1/workspaces/w", served.url);
    ureq::post(format!("{url}/tables/t"))
        .send(r#"[{"a":1,"at":"2026-11-22T10:00:00Z","s":"x"},{}]"#)
        .unwrap();
    let mut answer = ureq::post(format!("{url}/query?format=arrow")).send("SELECT * FROM t").unwrap();
    let path = file(&folder, "copy.arrows", answer.body_mut().read_to_vec().unwrap());
    let pushed = headwater(&["push", &path, "--create", "--url", &served.url]);
    assert!(stdout(&pushed).contains("2 records pushed to copy"), "{pushed:?}");
    let both = "SELECT COUNT(*) AS n FROM (SELECT * FROM t INTERSECT SELECT * FROM copy)";
    let rows = headwater(&["sql", both, "--url", &served.url, "--format", "csv"]);
    assert_eq!(stdout(&rows), "n\n2\n");
}

#[test]
fn a_record_that_widens_a_made_column_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(&["--dev"]);
    let mut text = "n,filler\n".to_owned();
    for n in 0..30_000 {
        text.push_str(&format!("{n},{:0100}\n", 7));
    }
    text.push_str("1.5,x\n");
    let csv = file(&folder, "wide.csv", &text);
    let said = refusal(&["push", &csv, "--create", "--url", &served.url]);
    assert!(said.contains("record 30001, column n") && said.contains("make it DOUBLE"), "{said}");
    assert!(said.contains("--resume"), "{said}");
}
