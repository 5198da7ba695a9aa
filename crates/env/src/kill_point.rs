//! Hooks for tests of the real binary. They do nothing until [`enable_from_env`] finds one of its variables; from then
//! on a named point counts how often it is reached, and the process dies there as if the power of the process had been
//! cut: by SIGKILL, without unwinding, without flushing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Syncs of files with this extension are those that `HEADWATER_FAIL_SYNC_AT` counts.
pub const LOG_FILE_EXTENSION: &str = "segment";

static ENABLED: AtomicBool = AtomicBool::new(false);
static PLAN: OnceLock<Plan> = OnceLock::new();

#[derive(Debug, Default)]
struct Plan {
    kill_at: Option<(String, u64)>,
    reached: AtomicU64,
    fail_sync_at: Option<u64>,
    syncs: AtomicU64,
}

/// Why a variable was not understood.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is {value:?}; expected {expected}")]
pub struct InvalidHook {
    /// The environment variable.
    pub variable: &'static str,
    /// What it holds.
    pub value: String,
    /// What it should hold.
    pub expected: &'static str,
}

/// Reads `HEADWATER_KILL_AT=name:n` (the n-th time this point is reached the process is killed) and
/// `HEADWATER_FAIL_SYNC_AT=n` (the n-th sync of a log file fails with EIO). Call it once, before any thread starts.
pub fn enable_from_env() -> Result<(), InvalidHook> {
    let kill_at = std::env::var("HEADWATER_KILL_AT").ok().map(parse_kill_at).transpose()?;
    let fail_sync_at = std::env::var("HEADWATER_FAIL_SYNC_AT").ok().map(parse_fail_sync_at).transpose()?;
    if kill_at.is_some() || fail_sync_at.is_some() {
        PLAN.get_or_init(|| Plan { kill_at, fail_sync_at, ..Plan::default() });
        ENABLED.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// The story has come to the point `name`.
pub fn reach(name: &str) {
    if ENABLED.load(Ordering::Relaxed) {
        reach_enabled(name);
    }
}

/// Is this the sync that must fail?
pub(crate) fn sync_must_fail() -> bool {
    if !ENABLED.load(Ordering::Relaxed) {
        return false;
    }
    let Some(plan) = PLAN.get() else { return false };
    plan.fail_sync_at == Some(plan.syncs.fetch_add(1, Ordering::SeqCst) + 1)
}

#[cold]
fn reach_enabled(name: &str) {
    let Some(plan) = PLAN.get() else { return };
    let Some((kill_name, nth)) = &plan.kill_at else { return };
    if kill_name == name && plan.reached.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
        // SAFETY: getpid and kill take and give plain numbers.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        loop {
            std::thread::park();
        }
    }
}

fn parse_kill_at(value: String) -> Result<(String, u64), InvalidHook> {
    let parsed = value.rsplit_once(':').and_then(|(name, nth)| Some((name.to_owned(), positive(nth)?)));
    parsed.ok_or(InvalidHook { variable: "HEADWATER_KILL_AT", value, expected: "name:n with n from 1" })
}

fn parse_fail_sync_at(value: String) -> Result<u64, InvalidHook> {
    positive(&value).ok_or(InvalidHook {
        variable: "HEADWATER_FAIL_SYNC_AT",
        value,
        expected: "a number from 1",
    })
}

fn positive(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}
