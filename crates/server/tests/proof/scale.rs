//! How much is done: short by default, more on request through environment variables.

use std::time::{SystemTime, UNIX_EPOCH};

/// A number from the environment.
pub(crate) fn from_env(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, not a number")),
        Err(_) => default,
    }
}

/// `HEADWATER_SEED`, or a fresh one: every run takes another way.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    from_env("HEADWATER_SEED", now.as_nanos() as u64 % 1_000_000_000)
}

/// The command that runs a test again in the same way, printed when it fails.
pub(crate) struct Replay {
    test: &'static str,
    seed: u64,
}

impl Replay {
    pub(crate) fn new(test: &'static str, seed: u64) -> Replay {
        Replay { test, seed }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let scales: String = std::env::vars()
                .filter(|(name, _)| name.starts_with("HEADWATER_") && name != "HEADWATER_SEED")
                .map(|(name, value)| format!("{name}={value} "))
                .collect();
            eprintln!(
                "seed {}; to run it again: HEADWATER_SEED={} {scales}cargo test --release -p headwater-server --test proof -- --exact {} --nocapture",
                self.seed, self.seed, self.test
            );
        }
    }
}
