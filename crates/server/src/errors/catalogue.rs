use axum::http::StatusCode;

/// One way in which a request can fail.
#[derive(Debug)]
pub struct Condition {
    /// The code in the answer. It is API: it does not change.
    pub code: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// Seconds in `Retry-After`, where the same request may pass later.
    pub retry_after_s: Option<u16>,
    /// What it means.
    pub meaning: &'static str,
    /// What to do; also the hint, unless there is one that knows more.
    pub remedy: &'static str,
}

macro_rules! conditions {
    ($($name:ident $code:literal $status:ident $(retry $after:literal)? : $meaning:literal => $remedy:literal;)+) => {
        $(
            #[doc = $meaning]
            pub static $name: Condition = Condition {
                code: $code,
                status: StatusCode::$status,
                retry_after_s: conditions!(@after $($after)?),
                meaning: $meaning,
                remedy: $remedy,
            };
        )+
        /// Every condition, in the order of the documentation.
        pub static CATALOGUE: &[&Condition] = &[$(&$name),+];
    };
    (@after) => { None };
    (@after $after:literal) => { Some($after) };
}

conditions! {
    HOST_NOT_ALLOWED "host_not_allowed" FORBIDDEN:
        "the Host header is not a loopback name" => "use http://localhost or http://127.0.0.1: this version serves its own machine only";
    ORIGIN_NOT_ALLOWED "origin_not_allowed" FORBIDDEN:
        "the Origin header is not a loopback origin" => "call the server from a program, or from a page served by this machine";
    UNKNOWN_ROUTE "unknown_route" NOT_FOUND:
        "no such path" => "see /openapi.json for every path";
    METHOD_NOT_ALLOWED "method_not_allowed" METHOD_NOT_ALLOWED:
        "the path exists, but not with this method" => "the Allow header lists the methods, /openapi.json says what they do";
    UNKNOWN_PARAMETER "unknown_parameter" BAD_REQUEST:
        "a query parameter that this request does not know" => "check its spelling";
    BAD_PARAMETER "bad_parameter" BAD_REQUEST:
        "a query parameter has a value that cannot be used, or is given twice" => "see /openapi.json for its values";
    BAD_PATH "bad_path" BAD_REQUEST:
        "a part of the path is not percent-encoded UTF-8" => "percent-encode the path as UTF-8";
    BAD_HEADER "bad_header" BAD_REQUEST:
        "a header has a value that cannot be used, or is given twice" => "send the header once, as plain text";
    BAD_JSON "bad_json" BAD_REQUEST:
        "the body of a request that is not a push is not the JSON object it should be" => "see /openapi.json for the object";
    BAD_NAME "bad_name" BAD_REQUEST:
        "a name is empty, too long, reserved or has control characters" => "use 1 to 255 bytes of UTF-8, not starting with '_'";
    BODY_TIMEOUT "body_timeout" REQUEST_TIMEOUT:
        "the body came too slowly; nothing was taken" => "send the body without long pauses, or in smaller requests";
    BODY_INCOMPLETE "body_incomplete" BAD_REQUEST:
        "the connection ended, or broke the protocol, before the body was complete; nothing was taken" => "send the whole body";
    BODY_TOO_LARGE "body_too_large" PAYLOAD_TOO_LARGE:
        "the body is larger than one atomic request may be; nothing was taken" => "split the records over several requests";
    TOO_MANY_RECORDS "too_many_records" PAYLOAD_TOO_LARGE:
        "the body has more records than one request may have; nothing was taken" => "split the records over several requests";
    BODY_TOO_DENSE "body_too_dense" BAD_REQUEST:
        "the compressed body grows more than a hundredfold; nothing was taken" => "send it uncompressed, or in smaller requests";
    BAD_COMPRESSION "bad_compression" BAD_REQUEST:
        "the body is not the gzip or zstd that Content-Encoding promises" => "compress the body as the header says, or leave the header out";
    UNSUPPORTED_ENCODING "unsupported_encoding" UNSUPPORTED_MEDIA_TYPE:
        "Content-Encoding is not gzip, zstd or identity" => "send the body with gzip or zstd, or uncompressed";
    BODIES_FULL "bodies_full" SERVICE_UNAVAILABLE retry 1:
        "all requests together hold as many body bytes as they may; nothing was taken" => "send it again after a moment";
    TOO_MANY_CONNECTIONS "too_many_connections" SERVICE_UNAVAILABLE retry 1:
        "the server has as many connections as it may; nothing was taken" => "use fewer connections, and keep them open between requests";
    EMPTY_BODY "empty_body" BAD_REQUEST:
        "the body is empty" => "send at least one record";
    NOT_UTF8 "not_utf8" BAD_REQUEST:
        "the body is not UTF-8" => "encode the body as UTF-8";
    BAD_COLUMNS "bad_columns" BAD_REQUEST:
        "the columns of a CSV or Arrow body do not fit the table; the code is that of a record error" => "name each column once, as the table does, with a type that its values fit";
    BAD_ARROW "bad_arrow" BAD_REQUEST:
        "the body is not a whole Arrow IPC stream, or one of a kind that is not taken" => "send the stream whole, with the end marker that closing its writer writes";
    BAD_OPERATION "bad_operation" BAD_REQUEST:
        "the table cannot take the operation" => "see the hint";
    RECORDS_REFUSED "records_refused" BAD_REQUEST:
        "records are bad: the request is refused as a whole, nothing was taken, `errors` lists them by index" => "correct them, or send with on_error=skip to have the good ones taken and the bad ones put into quarantine";
    UNKNOWN_WORKSPACE "unknown_workspace" NOT_FOUND:
        "no such workspace" => "PUT /v1/workspaces/{w}/program creates one and sets its program";
    WORKSPACE_EXISTS "workspace_exists" CONFLICT:
        "a workspace of this name exists" => "use it, or choose another name";
    TOO_MANY_WORKSPACES "too_many_workspaces" CONFLICT:
        "the server has as many workspaces as it may" => "delete one that is not needed";
    UNKNOWN_TABLE "unknown_table" NOT_FOUND:
        "no such table in this workspace" => "create it in the workspace's program";
    UNKNOWN_VIEW "unknown_view" NOT_FOUND:
        "no such view in this workspace" => "create it in the workspace's program";
    NO_PRIMARY_KEY "no_primary_key" BAD_REQUEST:
        "rows can only be looked up in a table with a PRIMARY KEY" => "query the table instead";
    BAD_KEY "bad_key" BAD_REQUEST:
        "the key does not fit the PRIMARY KEY's columns" => "give one value per key column, separated by commas, a comma inside a value as %2C";
    ROW_NOT_FOUND "row_not_found" NOT_FOUND:
        "no row has this key" => "push it first, or wait for its LSN with min_lsn=";
    SQL_REFUSED "sql_refused" BAD_REQUEST:
        "SQL text was refused; the code says why, `place` says where; nothing was changed" => "see the hint";
    DROPS_DATA "drops_data" CONFLICT:
        "the change would lose rows, or columns, that were pushed; nothing was changed" => "keep the tables as they are, or send with drop_data=true";
    RECORDS_QUEUED "records_queued" CONFLICT:
        "the program cannot change while records wait for the resume; nothing was changed" => "resume the workspace first: POST /v1/workspaces/{w}/resume";
    PROGRAM_NOT_COMPUTABLE "program_not_computable" BAD_REQUEST:
        "the views cannot be computed incrementally, or not be filled; nothing was changed" => "write the view in another way";
    UNKNOWN_MODULE "unknown_module" NOT_FOUND:
        "the program has no module of this name that could be set" => "leave the parameter out: the module is 'sql'";
    OBJECT_IN_USE "object_in_use" CONFLICT:
        "another module uses what the change would drop or make anew, or has its name; nothing was changed" => "change the module that uses it first";
    PROGRAM_CHANGING "program_changing" SERVICE_UNAVAILABLE retry 1:
        "the program is being changed, and as much waits for that as may; nothing was taken" => "send it again after a moment";
    PAUSED "paused" CONFLICT:
        "the workspace is paused; nothing was taken" => "resume it, or send with if_paused=queue";
    PAUSED_QUEUE_FULL "paused_queue_full" TOO_MANY_REQUESTS retry 5:
        "the paused workspace has queued as many bytes as it may; nothing was taken" => "resume it: POST /v1/workspaces/{w}/resume";
    QUEUE_FULL "queue_full" TOO_MANY_REQUESTS retry 1:
        "too many requests wait for this workspace; nothing was taken" => "send it again after a moment, or fewer and larger requests";
    IDEMPOTENCY_MISMATCH "idempotency_mismatch" UNPROCESSABLE_ENTITY:
        "the Idempotency-Key was used for a different request; nothing was taken" => "use a new key for a new request";
    IDEMPOTENCY_FULL "idempotency_full" TOO_MANY_REQUESTS retry 60:
        "the workspace remembers as many idempotency keys as it may; nothing was taken" => "send larger requests with fewer keys, or wait until the oldest are 24 h old";
    BAD_IDEMPOTENCY_KEY "bad_idempotency_key" BAD_REQUEST:
        "the Idempotency-Key is empty or too long" => "use 1 to 255 bytes, a UUID for example";
    NO_SPACE "no_space" INSUFFICIENT_STORAGE retry 2:
        "the disk is full; nothing was taken; reads go on, writes resume by themselves" => "free space on the volume of the data folder";
    WORKSPACE_OVER_BUDGET "workspace_over_budget" INSUFFICIENT_STORAGE retry 5:
        "the workspace holds as much memory as it may; nothing was taken; deletions and reads go on" => "delete rows (op=delete), drop views, or raise its budget: PUT /v1/workspaces/{w} {\"memory_bytes\": …}";
    SERVER_OVER_BUDGET "server_over_budget" INSUFFICIENT_STORAGE retry 5:
        "all workspaces together hold as much memory as the server may, and this one more than an equal share; nothing was taken; deletions and reads go on" => "delete rows (op=delete), or start the server with more: headwater serve --memory-bytes";
    WORKSPACE_DAMAGED "workspace_damaged" INTERNAL_SERVER_ERROR:
        "the workspace's files are damaged, so it cannot be opened; nothing was taken; other workspaces go on" => "stop the server and look: headwater doctor --data-dir DIR; restore the files from a backup, then start again";
    WORKSPACE_NOT_OPENED "workspace_not_opened" SERVICE_UNAVAILABLE retry 2:
        "the workspace could not be opened: the disk failed, or memory or threads are used up; nothing was taken" => "send it again; if it stays so, look at the server's disk and memory";
    WORKSPACE_OPENING "workspace_opening" SERVICE_UNAVAILABLE retry 2:
        "the workspace is still being opened; nothing was taken" => "send it again";
    OUTCOME_UNKNOWN "outcome_unknown" INTERNAL_SERVER_ERROR:
        "the log failed while the request was written: after a restart it is there, or it is not" => "restart the server, then send the request again with the same Idempotency-Key";
    STEP_SKIPPED "step_skipped" INTERNAL_SERVER_ERROR:
        "computing a view panicked on this request alone; it is void, its records are in quarantine" => "leave out the record that a view cannot compute, and report the panic";
    READ_ONLY "read_only" SERVICE_UNAVAILABLE retry 5:
        "the workspace takes no writes; nothing was taken; reads go on" => "GET the workspace for its condition";
    CLOSING "closing" SERVICE_UNAVAILABLE retry 1:
        "the server is stopping, or the workspace was deleted; nothing was taken" => "send it again to the restarted server";
    LSN_NOT_REACHED "lsn_not_reached" PRECONDITION_FAILED:
        "the workspace did not reach min_lsn in time" => "ask for an LSN that an answer gave";
    VERSION_GONE "version_gone" GONE:
        "the version of at_lsn is not kept any more; `lsn` is the oldest that is" => "leave at_lsn out to read the newest version, or ask for a newer one";
    UNKNOWN_RELATION "unknown_relation" NOT_FOUND:
        "no such table or materialized view in this workspace" => "create it in the workspace's program";
    NOT_MATERIALIZED "not_materialized" BAD_REQUEST:
        "the view is computed when it is asked, so it has no changes of its own" => "write CREATE MATERIALIZED VIEW, or follow the tables it reads";
    CHANGES_NOT_KEPT "changes_not_kept" CONFLICT:
        "changes of the relation are not kept, so they cannot be followed" => "leave 'changes' = 'off' out of the relation's options";
    BAD_CURSOR "bad_cursor" BAD_REQUEST:
        "the text is not a cursor" => "give a cursor as a change stream gave it, or from=snapshot";
    CURSOR_GONE "cursor_gone" GONE:
        "changes behind the cursor are not there any more" => "start over with from=snapshot";
    FOLLOWERS_FULL "followers_full" TOO_MANY_REQUESTS retry 5:
        "the server serves as many change streams as it may" => "follow several relations in one stream, and close streams that are not read";
    QUERIES_FULL "queries_full" TOO_MANY_REQUESTS retry 1:
        "too many queries wait" => "send it again after a moment";
    QUERY_TIMEOUT "query_timeout" UNPROCESSABLE_ENTITY:
        "the query ran longer than it may" => "ask for less, filter earlier, or make it a view";
    QUERY_MEMORY "query_memory" UNPROCESSABLE_ENTITY:
        "the query needs more memory than it may hold" => "join or group fewer rows, or make it a view";
    QUERY_TOO_MANY_ROWS "query_too_many_rows" UNPROCESSABLE_ENTITY:
        "the answer has more rows than one answer may have" => "add LIMIT or a filter";
    QUERY_TOO_MANY_BYTES "query_too_many_bytes" UNPROCESSABLE_ENTITY:
        "the answer has more bytes than one answer may have" => "select fewer columns or rows";
    QUERY_FAILED "query_failed" UNPROCESSABLE_ENTITY:
        "an expression failed on some row" => "use TRY_CAST, or filter the row out";
    BAD_CLOCK "bad_clock" BAD_REQUEST:
        "the clock cannot be set so: it never goes back, and only the manual clock takes a time" => "give a later time, or another mode";
    INTERNAL "internal" INTERNAL_SERVER_ERROR:
        "a defect of the server; whether a write was taken is not known" => "send it again with the same Idempotency-Key, and report the request id";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique() {
        let codes = CATALOGUE.iter().map(|condition| condition.code).collect::<HashSet<_>>();
        assert_eq!(codes.len(), CATALOGUE.len());
    }

    /// Clients repeat these statuses by themselves, so they may only be given before anything was taken.
    #[test]
    fn statuses_that_clients_retry_promise_that_nothing_was_taken_or_are_reads() {
        let reads = ["queries_full", "followers_full"];
        for condition in CATALOGUE {
            if matches!(condition.status.as_u16(), 408 | 429 | 502 | 503 | 504) {
                let promised = condition.meaning.contains("nothing was taken");
                assert!(promised || reads.contains(&condition.code), "{}", condition.code);
            }
        }
    }

    #[test]
    fn overload_says_when_to_come_back() {
        for condition in CATALOGUE {
            let overload = matches!(condition.status.as_u16(), 429 | 503 | 507);
            assert_eq!(condition.retry_after_s.is_some(), overload, "{}", condition.code);
        }
    }
}
