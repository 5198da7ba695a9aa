//! Arrow, CSV and compressed bodies, in and out.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use headwater_codec::write_rows::{RowsFormat, RowsWriter};
use serde_json::json;

use crate::support::{Reply, TestServer};

const PUSH: &str = "/v1/workspaces/w/tables/t";
const QUERY: &str = "/v1/workspaces/w/query";
const ARROW: &str = "application/vnd.apache.arrow.stream";

fn server() -> TestServer {
    let server = TestServer::start();
    server.program("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR, n TINYINT)");
    server
}

fn rows(ids: &[i64], ns: &[i64]) -> RecordBatch {
    let names: ArrayRef =
        Arc::new(ids.iter().map(|id| (id % 2 == 0).then(|| format!("name {id}"))).collect::<StringArray>());
    let [ids, ns] = [ids, ns].map(|values| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef);
    RecordBatch::try_from_iter([("n", ns), ("name", names), ("id", ids)]).unwrap()
}

fn body(format: RowsFormat, rows: &RecordBatch) -> Vec<u8> {
    let mut body = Vec::new();
    let mut writer = RowsWriter::new(format, &rows.schema()).unwrap();
    writer.write(rows, &mut body).unwrap();
    writer.end(&mut body).unwrap();
    body
}

#[test]
fn arrow_is_pushed_with_every_operation() {
    let server = server();
    let pushed = server.send(
        "POST",
        PUSH,
        &[("content-type", ARROW)],
        body(RowsFormat::Arrow, &rows(&[1, 2, 3], &[1, 2, 3])),
    );
    assert_eq!(pushed.json(), json!({"lsn": 2, "received": 3, "applied": 3, "rejected": 0}));
    let patched = body(RowsFormat::Arrow, &rows(&[1], &[10]).project(&[0, 2]).unwrap());
    assert_eq!(
        server.send("POST", &format!("{PUSH}?op=patch"), &[("content-type", ARROW)], patched).status,
        200
    );
    let deleted = body(RowsFormat::Arrow, &rows(&[3], &[0]));
    assert_eq!(server.post(&format!("{PUSH}?op=delete&format=arrow"), deleted).status, 200);
    let found = server.rows("SELECT * FROM t ORDER BY id");
    assert_eq!(found, [json!({"id": 1, "name": null, "n": 10}), json!({"id": 2, "name": "name 2", "n": 2})]);
}

#[test]
fn a_value_that_does_not_fit_refuses_the_request_or_its_record_alone() {
    let server = server();
    let body = body(RowsFormat::Arrow, &rows(&[1, 2], &[1, 1_000]));
    let refused = server.send("POST", PUSH, &[("content-type", ARROW)], &body);
    assert_eq!((refused.status, refused.code().as_str()), (400, "records_refused"));
    assert_eq!(
        (&refused.json()["errors"][0]["index"], &refused.json()["errors"][0]["column"]),
        (&json!(1), &json!("n"))
    );
    let skipped =
        server.send("POST", &format!("{PUSH}?on_error=skip"), &[("content-type", ARROW)], &body).json();
    assert_eq!((&skipped["applied"], &skipped["rejected"]), (&json!(1), &json!(1)));
    let kept = server.rows("SELECT payload FROM quarantine");
    assert_eq!(kept, [json!({"payload": r#"{"n":1000,"name":"name 2","id":2}"#})]);
}

#[test]
fn a_body_that_is_cut_short_leaves_no_trace() {
    let server = server();
    let whole = body(RowsFormat::Arrow, &rows(&[1, 2, 3], &[1, 2, 3]));
    let refused = server.post(&format!("{PUSH}?format=arrow"), &whole[..whole.len() - 9]);
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad_arrow"));
    assert_eq!(server.rows("SELECT COUNT(*) AS n FROM t"), [json!({"n": 0})]);
}

#[test]
fn zstd_is_taken_within_the_bounds_of_gzip() {
    let server = server();
    let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 3).unwrap();
    let encoded = &[("content-encoding", "zstd")];
    assert_eq!(server.send("POST", PUSH, encoded, zstd(br#"{"id":1}"#)).json()["applied"], 1);
    let bomb = server.send("POST", PUSH, encoded, zstd(&vec![b' '; 8 << 20]));
    assert_eq!((bomb.status, bomb.code().as_str()), (400, "body_too_dense"));
    let other = server.send("POST", PUSH, encoded, r#"{"id":1}"#);
    assert_eq!((other.status, other.code().as_str()), (400, "bad_compression"));
}

fn with_rows() -> TestServer {
    let server = server();
    let ids: Vec<i64> = (0..100).collect();
    let pushed =
        server.send("POST", PUSH, &[("content-type", ARROW)], body(RowsFormat::Arrow, &rows(&ids, &ids)));
    assert_eq!(pushed.status, 200, "{}", pushed.body);
    server
}

fn ask(server: &TestServer, format: &str, headers: &[(&str, &str)]) -> Reply {
    let reply = server.send(
        "POST",
        &format!("{QUERY}?format={format}"),
        headers,
        "SELECT * FROM t WHERE id < 3 ORDER BY id",
    );
    assert_eq!((reply.status, reply.header("x-headwater-lsn")), (200, "2"), "{}", reply.body);
    reply
}

#[test]
fn a_query_answers_in_the_format_that_is_asked_for() {
    let server = with_rows();
    let csv = ask(&server, "csv", &[]);
    assert_eq!(csv.body, "id,name,n\n0,name 0,0\n1,,1\n2,name 2,2\n");
    let arrow = ask(&server, "arrow", &[]);
    let batches =
        StreamReader::try_new(arrow.bytes.as_slice(), None).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
    assert_eq!(batches[0].schema().field(2).data_type(), &arrow::datatypes::DataType::Int8);
    let back = server.post("/v1/workspaces/w/tables/t?format=arrow", &arrow.bytes);
    assert_eq!(back.json()["applied"], 3, "what a query answers can be pushed: {}", back.body);
}

#[test]
fn accept_asks_as_the_parameter_does() {
    let server = with_rows();
    for (accept, content_type) in [
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        (ARROW, ARROW),
        ("application/json", "application/json"),
        ("*/*", "application/x-ndjson"),
    ] {
        let reply = server.send("POST", QUERY, &[("accept", accept)], "SELECT id FROM t");
        assert_eq!((reply.status, reply.header("content-type")), (200, content_type));
    }
}

#[test]
fn an_answer_is_compressed_for_who_takes_that() {
    let server = with_rows();
    let ask = |accepted: &str| {
        server.send("POST", QUERY, &[("accept-encoding", accepted)], "SELECT * FROM t ORDER BY id")
    };
    let plain = ask("identity");
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    let zstd = ask("gzip, zstd");
    assert_eq!(zstd.header("content-encoding"), "zstd");
    assert_eq!(zstd::stream::decode_all(zstd.bytes.as_slice()).unwrap(), plain.bytes);
    let gzip = ask("gzip");
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(gzip.bytes.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.body);
    assert!(zstd.bytes.len() * 2 < plain.bytes.len() && gzip.bytes.len() * 2 < plain.bytes.len());
    let openapi = server.send("GET", "/openapi.json", &[("accept-encoding", "gzip")], "");
    assert_eq!(openapi.header("content-encoding"), "gzip");
    let short = server.send("GET", "/healthz", &[("accept-encoding", "gzip")], "");
    assert_eq!(short.header("content-encoding"), "");
}
