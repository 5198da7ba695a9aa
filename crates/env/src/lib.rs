//! The outside world as small traits: everything in Headwater that is not a function of its input goes through here.
//!
//! Invariant: no other core crate reads a clock, touches a disk, draws a random number or starts a thread. So a whole
//! run can be repeated from a seed, and every fault that a disk can have can be put into a test.
//!
//! Reading order:

/// What time it is: the system's clock, and one that is set by hand.
pub mod clock;
/// Files and folders, as narrow as the log needs them.
pub mod disk;
/// Named points at which a test kills the process or fails a sync.
pub mod kill_point;
/// The operating system's disk.
pub mod real_disk;
/// Random bytes: the operating system's, and a seeded stream.
pub mod rng;
/// A disk in memory that loses power, fails and fills up on command.
pub mod sim;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{DirLock, Disk, Entry, File, LockError, OpenHow};
pub use real_disk::RealDisk;
pub use rng::{OsRng, Rng, SeededRng};

/// The three parts of the outside world, passed together.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where bytes are kept.
    pub disk: Arc<dyn Disk>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub rng: Arc<dyn Rng>,
}

impl Env {
    /// The machine's own disk, clock and random numbers.
    #[must_use]
    pub fn real() -> Env {
        Env { disk: Arc::new(RealDisk), clock: Arc::new(SystemClock), rng: Arc::new(OsRng) }
    }

    /// A simulated world: the given disk, a clock that stands at `now_micros`, random bytes from `seed`.
    #[must_use]
    pub fn simulated(disk: sim::SimDisk, now_micros: i64, seed: u64) -> Env {
        let now = headwater_types::TimestampMicros(now_micros);
        Env {
            disk: Arc::new(disk),
            clock: Arc::new(ManualClock::new(now)),
            rng: Arc::new(SeededRng::new(seed)),
        }
    }
}
