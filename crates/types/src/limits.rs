//! Every bound of the server, with its reason. Nothing in Headwater grows without one.

/// Bytes of a request body after decompression. One body is one atomic step, held in memory several times over.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// Bytes of a request body as it comes over the wire.
pub const BODY_WIRE_BYTES_MAX: usize = 64 << 20;
/// How much a compressed body may grow, beyond [`DECOMPRESSION_FREE_BYTES`]. Text rarely passes 30 : 1.
pub const DECOMPRESSION_RATIO_MAX: usize = 100;
/// Decompressed bytes that are not held against the ratio, so that tiny bodies of one repeated byte pass.
pub const DECOMPRESSION_FREE_BYTES: usize = 1 << 20;
/// Logarithm of the window that a zstd body may ask for: 64 MiB, so that no frame asks for more than a body may hold.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 26;
/// Records in one request.
pub const RECORDS_PER_REQUEST_MAX: usize = 1_000_000;
/// Memory that the typed columns of one request take. Absent columns take room too, so short records of a wide table
/// would otherwise grow a thousandfold.
pub const DECODED_BYTES_MAX: usize = 512 << 20;
/// Bytes of one record in its own text.
pub const RECORD_BYTES_MAX: usize = 4 << 20;
/// Nesting of JSON. Rows are flat; the rest is tolerance for unknown envelopes and an end to stack abuse.
pub const JSON_DEPTH_MAX: usize = 32;
/// Record errors listed in one answer; the rest is counted.
pub const ERRORS_PER_ANSWER_MAX: usize = 1_000;
/// Bytes of a refused record that quarantine keeps.
pub const QUARANTINE_PAYLOAD_BYTES_MAX: usize = 4 << 10;
/// Refused records of one request that are logged and kept in quarantine; the rest is counted.
pub const QUARANTINE_PER_REQUEST_MAX: usize = 10_000;
/// Rows that quarantine keeps per workspace; the oldest go first.
pub const QUARANTINE_ROWS_MAX: usize = 100_000;
/// Rows that `error_view` keeps per workspace; the oldest go first.
pub const ERROR_VIEW_ROWS_MAX: usize = 10_000;
/// Expression errors that one step lists; the rest is counted.
pub const ERRORS_PER_STEP_MAX: usize = 100;
/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 255;
/// Columns of a table or view.
pub const COLUMNS_MAX: usize = 1_024;
/// Tables and views of one workspace.
pub const RELATIONS_MAX: usize = 1_000;
/// Bytes of a program's text or of a query.
pub const SQL_BYTES_MAX: usize = 1 << 20;
/// Workspaces of one server.
pub const WORKSPACES_MAX: usize = 1_000;
/// Open workspaces beyond which idle ones are parked before their time: each has threads and a dataflow of its own.
pub const OPEN_WORKSPACES_WANTED: usize = 64;
/// Open workspaces at most, all of them in use; further ones get 503.
pub const OPEN_WORKSPACES_MAX: usize = 512;
/// How long a workspace stays open that nobody uses: long enough that whoever calls every minute never waits for it.
pub const IDLE_PARK_MICROS: i64 = 60 * 1_000_000 + 5 * 1_000_000;
/// The same while memory or threads are short. Not less, or workspaces would be opened and parked in turns.
pub const PRESSED_PARK_MICROS: i64 = 2 * 1_000_000;
/// Workspaces that are opened at once: opening reads files and computes views, more would only slow each other down.
pub const OPENINGS_MAX: usize = 4;
/// How long a request waits for its workspace to be opened; then it gets 503.
pub const OPENING_WAIT_MS: u64 = 30_000;
/// Bytes that all open workspaces together may hold where nobody knows how much memory the machine has.
pub const MEMORY_BYTES_DEFAULT: u64 = 4 << 30;
/// Requests that wait for one workspace's order.
pub const QUEUED_REQUESTS_MAX: usize = 4_096;
/// Bytes of requests that wait for one workspace's order.
pub const QUEUED_BYTES_MAX: usize = 256 << 20;
/// Bytes of records that one step takes on; a single request may be larger.
pub const STEP_BYTES_MAX: usize = 16 << 20;
/// Bytes that a paused workspace queues (`if_paused=queue`).
pub const PAUSED_BYTES_MAX: usize = 64 << 20;
/// Bytes of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Record errors that are remembered with an idempotency key; a retry is answered with these.
pub const IDEMPOTENCY_ERRORS_MAX: usize = 10;
/// Bytes of rows that the patches of one step may make. A patch names a row by its key alone, so its own size is no bound.
pub const PATCHED_BYTES_MAX: usize = 256 << 20;
/// How long an idempotency key is remembered, in ingest time.
pub const IDEMPOTENCY_KEEP_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// Idempotency keys remembered per workspace. At the bound new keyed pushes get 429 until the oldest expire.
pub const IDEMPOTENCY_KEYS_MAX: usize = 10_000_000;
/// Open connections of the server.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Bytes of a request's head.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// Time for a request's head to come.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;
/// Time between two pieces of a body.
pub const BODY_IDLE_TIMEOUT_MS: u64 = 15_000;
/// Time for a whole body.
pub const BODY_TIMEOUT_MS: u64 = 60_000;
/// Time a query may run.
pub const QUERY_TIMEOUT_MS: u64 = 30_000;
/// Memory that all queries together may hold.
pub const QUERY_MEMORY_BYTES_MAX: usize = 1 << 30;
/// Rows of one query's answer.
pub const QUERY_ROWS_MAX: usize = 1_000_000;
/// Bytes of one query's answer.
pub const QUERY_ANSWER_BYTES_MAX: usize = 256 << 20;
/// Queries that run at once; further ones wait, up to [`QUERIES_WAITING_MAX`].
pub const QUERIES_RUNNING_MAX: usize = 4;
/// Queries that wait for a place; further ones get 429.
pub const QUERIES_WAITING_MAX: usize = 64;
/// Versions of a workspace that `at_lsn` can still read beside the newest.
pub const VERSIONS_KEPT_MAX: usize = 1_000;
/// Bytes that they hold beyond the newest: what one client reads again must not cost others their memory.
pub const VERSIONS_KEPT_BYTES_MAX: usize = 32 << 20;
/// How long they are kept: enough for a page of queries that belong together.
pub const VERSIONS_KEPT_MICROS: i64 = 60 * 1_000_000;
/// Longest `min_lsn` wait.
pub const MIN_LSN_WAIT_MS: u64 = 30_000;
/// Bytes that all request bodies together hold, from their first byte to their answer; further ones get 503.
pub const BODIES_BYTES_MAX: usize = 1 << 30;
/// Bytes of a body that a connection's own task decodes; larger ones must not hold up the connections beside it.
pub const DECODE_INLINE_BYTES_MAX: usize = 64 << 10;
/// Time for a client to take the next piece of an answer.
pub const ANSWER_STALL_TIMEOUT_MS: u64 = 15_000;
/// Bytes from which on an answer is compressed for a client that takes that; below, it fits into a packet anyway.
pub const COMPRESSED_ANSWER_BYTES_MIN: u64 = 1 << 10;
/// Requests under way on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// Time between two pings of an HTTP/2 connection, and for their answer, so that a dead peer is noticed.
pub const HTTP2_PING_MS: u64 = 20_000;
/// Time for requests under way when the server is told to stop.
pub const DRAIN_TIMEOUT_MS: u64 = 30_000;
/// Bytes of the DEFAULT of a column that is added to a table: it is written into every row there is.
pub const ALTER_DEFAULT_BYTES_MAX: usize = 4 << 10;
/// Changes of one workspace's program that wait for the one under way; further ones get 503.
pub const PROGRAM_CHANGES_WAITING_MAX: usize = 16;
/// Memory of the changes that pushes make while a program change fills its views. At the bound pushes get 503 until the
/// views have caught up.
pub const PROGRAM_CHANGE_BACKLOG_BYTES_MAX: usize = 256 << 20;
/// How often the views of a program change are filled anew because a running view panicked on a push meanwhile.
pub const PROGRAM_CHANGE_RESTARTS_MAX: usize = 8;
/// Time that a push waits for one piece of a program change, about.
pub const PROGRAM_CHANGE_PIECE_MS: u64 = 25;
/// Memory of changes that are not yet in a file of the change log: from here on they are written to one.
pub const CHANGES_FLUSH_BYTES: usize = 16 << 20;
/// The same, when no more is taken on until a file is written: a disk that is slower than the pushes slows them.
pub const CHANGES_TAIL_BYTES_MAX: usize = 128 << 20;
/// How long a relation's changes are kept for followers to come back to, in ingest time, unless it says otherwise.
pub const CHANGES_KEEP_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// Bytes of one relation's changes that are kept at most.
pub const CHANGES_KEEP_BYTES: u64 = 1 << 30;
/// Part of its volume that one workspace's change log takes at most.
pub const CHANGES_VOLUME_PARTS: u64 = 8;
/// Lines of a change stream that are made at once; a follower that has fallen behind holds no more than this.
pub const CHANGES_PAGE_LINES: u64 = 4_096;
/// Bytes of rows of the same.
pub const CHANGES_PAGE_BYTES: usize = 1 << 20;
/// Change streams that the server serves at once; further ones get 429.
pub const FOLLOWERS_MAX: usize = 1_024;
/// Time between two heartbeats of a change stream on which nothing happens, unless the request says otherwise.
pub const HEARTBEAT_MS: u64 = 10_000;
/// The shortest time between two heartbeats that a request may ask for.
pub const HEARTBEAT_MIN_MS: u64 = 50;
/// The longest: a client that went away is noticed when a heartbeat cannot be sent.
pub const HEARTBEAT_MAX_MS: u64 = 600_000;
