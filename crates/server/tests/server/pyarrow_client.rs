//! Python's own Arrow library as a client. Its interpreter is named by `HEADWATER_ORACLE_PYTHON`, as `cargo xtask test`
//! does.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::TestServer;

const SCRIPT: &str = r#"
import datetime, decimal, io, sys, urllib.request
import pyarrow as pa

base = sys.argv[1]

def send(path, body, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(base + path, data=body, headers=headers)) as answer:
        return answer.read()

def stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=300)
    return sink.getvalue()

def table(start):
    ids = range(start, start + 1000)
    return pa.table({
        "id": pa.array(ids, pa.int64()),
        "word": pa.array([None if i % 5 == 0 else f"w{i % 7}" for i in ids]).dictionary_encode(),
        "price": pa.array([decimal.Decimal(i).scaleb(-2) for i in ids], pa.decimal128(12, 2)),
        "amount": pa.array([i / 8 for i in ids], pa.float32()),
        "at": pa.array([datetime.datetime(2026, 11, 22, 10) + datetime.timedelta(milliseconds=i) for i in ids], pa.timestamp("ms", "UTC")),
        "day": pa.array([datetime.date(2026, 11, 22)] * 1000),
        "whole": pa.array([float(i) if i % 3 else None for i in ids], pa.float64()),
    })

arrow = "application/vnd.apache.arrow.stream"
for body in [stream(table(0)), stream(table(1000), compression="zstd")]:
    send("/tables/t", body, Content_Type=arrow)

expected = pa.concat_tables(table(start).cast(pa.schema([
    ("id", pa.int64()), ("word", pa.string()), ("price", pa.decimal128(12, 2)), ("amount", pa.float64()),
    ("at", pa.timestamp("us")), ("day", pa.date32()), ("whole", pa.int64()),
])) for start in range(0, 2000, 1000))
query = b"SELECT id, word, price, amount, at, day, whole FROM t ORDER BY id"
by_arrow = pa.ipc.open_stream(send("/query?format=arrow", query)).read_all()
assert by_arrow.to_pylist() == expected.to_pylist(), "Arrow"
assert by_arrow.schema.equals(expected.schema), by_arrow.schema
print("equal")
"#;

#[test]
fn what_pyarrow_pushes_is_what_pyarrow_reads() {
    let Some(python) = std::env::var_os("HEADWATER_ORACLE_PYTHON") else {
        println!("skipped: HEADWATER_ORACLE_PYTHON names a Python that has pyarrow");
        return;
    };
    let server = TestServer::start();
    server.program(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, word VARCHAR, price DECIMAL(12, 2), amount DOUBLE, at TIMESTAMP,
                         day DATE, whole BIGINT);",
    );
    let mut child = Command::new(python)
        .args(["-", &format!("http://{}/v1/workspaces/w", server.address)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SCRIPT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "equal\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        server.rows("SELECT COUNT(*) AS n, MAX(id) AS last FROM t"),
        [json!({"n": 2000, "last": 1999})]
    );
}
