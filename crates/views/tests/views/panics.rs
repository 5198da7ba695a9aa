//! A panic in the dataflow is an answer, and ends the circuit without a trace.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use headwater_views::StepError;

use crate::support::{Fixture, added, changes, expected, whole};

const PROGRAM: &str = "CREATE TABLE t (a BIGINT); CREATE TABLE u (a BIGINT);
    CREATE MATERIALIZED VIEW checked AS SELECT hw_test_panic(a) AS a FROM t;
    CREATE MATERIALIZED VIEW grouped AS SELECT a, COUNT(*) AS n, MAX(a) AS m FROM checked GROUP BY a;
    CREATE MATERIALIZED VIEW joined AS SELECT x.a FROM checked x JOIN grouped y ON x.a = y.a;
    CREATE MATERIALIZED VIEW other AS SELECT a FROM u;";

#[test]
fn a_panic_is_answered_with_its_message_and_ends_the_circuit() {
    let mut fixture = Fixture::new(PROGRAM);
    let output = fixture.step("t", added(vec![vec![whole(1)]]));
    assert_eq!(changes(&output, "joined"), expected(&[(vec![whole(1)], 1)]));
    let error = fixture.try_step("t", added(vec![vec![whole(666)]])).unwrap_err();
    assert!(matches!(&error, StepError::Panicked(text) if text.contains("hw_test_panic met 666")), "{error}");
    assert!(matches!(fixture.try_step("u", added(vec![vec![whole(1)]])), Err(StepError::Panicked(_))));
}

static PANICS_SEEN: AtomicUsize = AtomicUsize::new(0);

/// Runs itself again in a process of its own, whose threads and panic hook belong to it alone.
#[test]
fn twenty_panics_leave_no_thread_behind_and_the_panic_hook_alone() {
    const ALONE: &str = "HEADWATER_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "panics::twenty_panics_leave_no_thread_behind_and_the_panic_hook_alone";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    std::panic::set_hook(Box::new(|_| {
        PANICS_SEEN.fetch_add(1, Ordering::SeqCst);
    }));
    drop(Fixture::new(PROGRAM));
    let threads_before = threads();
    for round in 1..=20 {
        let mut fixture = Fixture::new(PROGRAM);
        fixture.step("t", added(vec![vec![whole(1)]]));
        assert!(fixture.try_step("t", added(vec![vec![whole(2)], vec![whole(666)]])).is_err());
        assert_eq!(
            PANICS_SEEN.load(Ordering::SeqCst),
            round,
            "one panic prints once, through the process's own hook"
        );
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while threads() > threads_before && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!(threads(), threads_before);
    let _ = std::panic::take_hook();
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
