//! The tables in `docs/http.md` say what the code says.

use headwater_server::errors::catalogue::CATALOGUE;
use headwater_server::routes::routes;
use headwater_types::limits;

/// Set it to write the tables anew.
const UPDATE_VARIABLE: &str = "UPDATE_HTTP_DOCS";
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/http.md");
const LIMITS_SOURCE: &str = include_str!("../../../types/src/limits.rs");

#[test]
fn the_table_of_errors_is_the_catalogue() {
    let mut table =
        "| code | status | retry after | meaning | what to do |\n|---|---|---|---|---|\n".to_owned();
    for condition in CATALOGUE {
        let retry = condition.retry_after_s.map(|seconds| format!("{seconds} s")).unwrap_or_default();
        let (code, status) = (condition.code, condition.status.as_u16());
        table +=
            &format!("| `{code}` | {status} | {retry} | {} | {} |\n", condition.meaning, condition.remedy);
    }
    check("errors", &table);
}

#[test]
fn the_table_of_limits_is_the_code() {
    let mut table = "| limit | value | why |\n|---|---|---|\n".to_owned();
    for (name, value) in LIMITS.iter() {
        table += &format!("| `{name}` | {value} | {} |\n", reason(name));
    }
    check("limits", &table);
    let declarations =
        LIMITS_SOURCE.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in declarations {
        assert!(
            LIMITS.iter().any(|(listed, _)| *listed == name),
            "add {name} to the list at the end of this file"
        );
    }
}

#[test]
fn every_route_is_documented() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    for route in routes() {
        let line = format!("{} {}", route.method, route.path);
        assert!(document.contains(&line), "{line} is not in docs/http.md");
    }
}

/// The text between the two markers of this name is `table`.
fn check(name: &str, table: &str) {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("{begin} is missing"));
    let (found, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{end} is missing"));
    if found != table && std::env::var_os(UPDATE_VARIABLE).is_some() {
        std::fs::write(DOCUMENT, [before, &begin, table, &end, after].concat()).unwrap();
        return;
    }
    assert!(
        found == table,
        "{UPDATE_VARIABLE}=1 cargo test -p headwater-server --test server http_docs -- --test-threads=1"
    );
}

/// The comment above a constant, in one line.
fn reason(name: &str) -> String {
    let lines = LIMITS_SOURCE.lines().collect::<Vec<_>>();
    let declaration = lines.iter().position(|line| line.starts_with(&format!("pub const {name}:"))).unwrap();
    let comment =
        lines[..declaration].iter().rev().map_while(|line| line.strip_prefix("/// ")).collect::<Vec<_>>();
    let text = comment.into_iter().rev().collect::<Vec<_>>().join(" ");
    text.replace("[`", "`").replace("`]", "`")
}

fn bytes(bytes: u128) -> String {
    match bytes {
        b if b >= 1 << 30 && b % (1 << 30) == 0 => format!("{} GiB", b >> 30),
        b if b >= 1 << 20 && b % (1 << 20) == 0 => format!("{} MiB", b >> 20),
        b if b >= 1 << 10 && b % (1 << 10) == 0 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}

fn number(number: u128) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// A value in the unit that the constant's name ends with.
fn in_words(name: &str, value: u128) -> String {
    let hours = 3_600 * 1_000_000;
    match name {
        _ if name.contains("MICROS") && value.is_multiple_of(hours) => format!("{} h", value / hours),
        _ if name.contains("MICROS") => format!("{} s", value / 1_000_000),
        _ if name.ends_with("_MS") && value % 1_000 > 0 => format!("{value} ms"),
        _ if name.ends_with("_MS") => format!("{} s", value / 1_000),
        _ if name.contains("BYTES") => bytes(value),
        _ if name.contains("RATIO") => format!("{value} : 1"),
        _ => number(value),
    }
}

macro_rules! limits {
    ($($name:ident)+) => {
        static LIMITS: std::sync::LazyLock<Vec<(&'static str, String)>> = std::sync::LazyLock::new(|| {
            vec![$((stringify!($name), in_words(stringify!($name), limits::$name as u128))),+]
        });
    };
}

limits! {
    BODY_BYTES_MAX
    BODY_WIRE_BYTES_MAX
    DECOMPRESSION_RATIO_MAX
    DECOMPRESSION_FREE_BYTES
    ZSTD_WINDOW_LOG_MAX
    RECORDS_PER_REQUEST_MAX
    DECODED_BYTES_MAX
    RECORD_BYTES_MAX
    JSON_DEPTH_MAX
    ERRORS_PER_ANSWER_MAX
    QUARANTINE_PAYLOAD_BYTES_MAX
    QUARANTINE_PER_REQUEST_MAX
    QUARANTINE_ROWS_MAX
    ERROR_VIEW_ROWS_MAX
    ERRORS_PER_STEP_MAX
    NAME_BYTES_MAX
    COLUMNS_MAX
    RELATIONS_MAX
    SQL_BYTES_MAX
    WORKSPACES_MAX
    OPEN_WORKSPACES_WANTED
    OPEN_WORKSPACES_MAX
    IDLE_PARK_MICROS
    PRESSED_PARK_MICROS
    OPENINGS_MAX
    OPENING_WAIT_MS
    MEMORY_BYTES_DEFAULT
    QUEUED_REQUESTS_MAX
    QUEUED_BYTES_MAX
    STEP_BYTES_MAX
    PAUSED_BYTES_MAX
    IDEMPOTENCY_KEY_BYTES_MAX
    IDEMPOTENCY_ERRORS_MAX
    PATCHED_BYTES_MAX
    IDEMPOTENCY_KEEP_MICROS
    IDEMPOTENCY_KEYS_MAX
    CONNECTIONS_MAX
    HEAD_BYTES_MAX
    HEAD_TIMEOUT_MS
    BODY_IDLE_TIMEOUT_MS
    BODY_TIMEOUT_MS
    QUERY_TIMEOUT_MS
    CHANGES_FLUSH_BYTES
    CHANGES_TAIL_BYTES_MAX
    CHANGES_KEEP_MICROS
    CHANGES_KEEP_BYTES
    CHANGES_VOLUME_PARTS
    CHANGES_PAGE_LINES
    CHANGES_PAGE_BYTES
    FOLLOWERS_MAX
    HEARTBEAT_MS
    HEARTBEAT_MIN_MS
    HEARTBEAT_MAX_MS
    QUERY_MEMORY_BYTES_MAX
    QUERY_ROWS_MAX
    QUERY_ANSWER_BYTES_MAX
    QUERIES_RUNNING_MAX
    QUERIES_WAITING_MAX
    VERSIONS_KEPT_MAX
    VERSIONS_KEPT_BYTES_MAX
    VERSIONS_KEPT_MICROS
    MIN_LSN_WAIT_MS
    BODIES_BYTES_MAX
    DECODE_INLINE_BYTES_MAX
    ANSWER_STALL_TIMEOUT_MS
    COMPRESSED_ANSWER_BYTES_MIN
    HTTP2_STREAMS_MAX
    HTTP2_PING_MS
    DRAIN_TIMEOUT_MS
    ALTER_DEFAULT_BYTES_MAX
    PROGRAM_CHANGES_WAITING_MAX
    PROGRAM_CHANGE_BACKLOG_BYTES_MAX
    PROGRAM_CHANGE_RESTARTS_MAX
    PROGRAM_CHANGE_PIECE_MS
}
