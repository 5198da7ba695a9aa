use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_sql::{QueryError, QueryOptions};
use headwater_types::limits::{QUERIES_RUNNING_MAX, QUERIES_WAITING_MAX};

use crate::fixture::{numbers, orders, run};

/// Queries share the places of the process, so the tests that fill these run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn limited() -> QueryOptions {
    QueryOptions {
        timeout: Duration::from_millis(700),
        memory_bytes_max: 64 << 20,
        ..QueryOptions::default()
    }
}

/// The query must end at its deadline or soon after, and let go of its place.
fn ends_in_time(text: &str) -> QueryError {
    let _alone = alone();
    let started = Instant::now();
    let relations = vec![numbers("a", 100_000), numbers("b", 100_000)];
    let error = run(text, relations, limited()).unwrap_err();
    let taken = started.elapsed();
    assert!(taken < limited().timeout + Duration::from_secs(1), "{text} took {taken:?}");
    error
}

#[test]
fn a_cross_join_ends_at_its_deadline() {
    let error = ends_in_time("SELECT count(*) FROM a CROSS JOIN b WHERE a.x + b.x < 0 OR a.x * b.x = 7");
    assert_eq!(error, QueryError::Timeout { timeout_ms: 700 });
}

#[test]
fn a_cross_join_without_condition_ends_at_its_deadline() {
    let error = ends_in_time("SELECT max(a.x + b.x) FROM a CROSS JOIN b");
    assert_eq!(error, QueryError::Timeout { timeout_ms: 700 });
}

#[test]
fn a_join_on_one_hot_key_ends_at_its_deadline() {
    let error =
        ends_in_time("SELECT count(*) FROM a JOIN b ON a.x / 100000 = b.x / 100000 AND a.x * b.x = -1");
    assert_eq!(error, QueryError::Timeout { timeout_ms: 700 });
}

#[test]
fn an_endless_recursion_ends() {
    let error = ends_in_time(
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    );
    assert!(matches!(error, QueryError::Timeout { .. } | QueryError::Memory { .. }), "{error:?}");
}

#[test]
fn places_are_free_again_soon_after_a_deadline() {
    for _ in 0..=QUERIES_RUNNING_MAX {
        ends_in_time("SELECT count(*) FROM a CROSS JOIN b WHERE a.x * b.x = -7");
    }
    let patient = QueryOptions { timeout: Duration::from_secs(5), ..QueryOptions::default() };
    assert!(run("SELECT 1", vec![], patient).is_ok());
}

#[test]
fn sorts_groups_and_joins_stay_within_memory() {
    let options = QueryOptions { memory_bytes_max: 1 << 20, ..QueryOptions::default() };
    let over = QueryError::Memory { bytes_max: 1 << 20 };
    for text in [
        "SELECT x FROM a ORDER BY x * 7 % 1000, x",
        "SELECT x, count(*) FROM a GROUP BY x",
        "SELECT a.x FROM a JOIN a AS b ON a.x = b.x + 1",
        "SELECT string_agg(CAST(x AS VARCHAR), ',') FROM a",
    ] {
        assert_eq!(run(text, vec![numbers("a", 500_000)], options).unwrap_err(), over, "{text}");
    }
}

#[test]
fn long_texts_are_not_made() {
    let failed = |text: &str| {
        let result = run(text, vec![orders()], QueryOptions::default());
        matches!(result, Err(QueryError::Failed(_) | QueryError::Refused(_)))
    };
    assert!(failed("SELECT repeat('x', 2000000000)"));
    assert!(failed("SELECT repeat(customer, 2000000000) FROM orders"));
    assert!(failed("SELECT lpad(customer, 2000000000, 'ab') FROM orders"));
    assert!(failed("SELECT replace(repeat(customer, 100000), 'a', repeat('b', 1000000)) FROM orders"));
}

#[test]
fn answers_are_bounded_in_rows_and_bytes() {
    let rows = QueryOptions { rows_max: 1_000, ..QueryOptions::default() };
    let bytes = QueryOptions { bytes_max: 10_000, ..QueryOptions::default() };
    let numbers = || vec![numbers("a", 100_000)];
    assert_eq!(
        run("SELECT x FROM a", numbers(), rows).unwrap_err(),
        QueryError::TooManyRows { rows_max: 1_000 }
    );
    assert_eq!(
        run("SELECT x FROM a", numbers(), bytes).unwrap_err(),
        QueryError::TooManyBytes { bytes_max: 10_000 }
    );
    assert_eq!(run("SELECT x FROM a LIMIT 1000", numbers(), rows).unwrap().num_rows(), 1_000);
    assert_eq!(run("SELECT x FROM a LIMIT 10", numbers(), bytes).unwrap().num_rows(), 10);
}

#[test]
fn a_dropped_query_stops() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 * QUERIES_RUNNING_MAX {
            let relations = vec![numbers("a", 100_000), numbers("b", 100_000)];
            let endless =
                headwater_sql::query("SELECT max(a.x * b.x) FROM a, b", relations, QueryOptions::default());
            let _ = tokio::time::timeout(Duration::from_millis(50), endless).await;
        }
    });
    let patient = QueryOptions { timeout: Duration::from_secs(5), ..QueryOptions::default() };
    assert!(run("SELECT 1", vec![], patient).is_ok());
}

#[test]
fn a_workspace_that_holds_all_it_may_leaves_a_place_to_another() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let endless = |owner| {
            let relations = vec![numbers("a", 100_000), numbers("b", 100_000)];
            let options = QueryOptions { owner, timeout: Duration::from_secs(20), ..QueryOptions::default() };
            headwater_sql::query("SELECT max(a.x * b.x) FROM a, b", relations, options)
        };
        let hostile = futures::future::join_all((0..2 * QUERIES_RUNNING_MAX).map(|_| endless(1)));
        let small = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let options = QueryOptions { owner: 2, ..QueryOptions::default() };
            headwater_sql::query("SELECT 1", vec![], options).await
        };
        let first = futures::future::select(Box::pin(hostile), Box::pin(small)).await;
        assert!(matches!(first, futures::future::Either::Right((Ok(_), _))));
    });
}

#[test]
fn too_many_waiting_queries_are_turned_away() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let busy = runtime.block_on(async {
        let many = (0..2 * (QUERIES_RUNNING_MAX + QUERIES_WAITING_MAX)).map(|_| {
            let relations = vec![numbers("a", 100_000), numbers("b", 100_000)];
            let options = QueryOptions { timeout: Duration::from_millis(200), ..QueryOptions::default() };
            headwater_sql::query("SELECT max(a.x * b.x) FROM a, b", relations, options)
        });
        let results = futures::future::join_all(many).await;
        results.iter().filter(|result| matches!(result, Err(QueryError::Busy))).count()
    });
    assert!(busy > 0);
}
