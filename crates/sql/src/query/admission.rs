//! Places for queries. Few run at once, and no workspace takes them all: the last free place is for one that has none.

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use headwater_types::limits::{QUERIES_RUNNING_MAX, QUERIES_WAITING_MAX};
use tokio::sync::oneshot;

use super::QueryError;

/// Waiting queries of one workspace: half of all, so that others can still wait.
const WAITING_OF_ONE_MAX: usize = QUERIES_WAITING_MAX / 2;

static PLACES: LazyLock<Mutex<Places>> = LazyLock::new(Mutex::default);

/// Who runs, and who waits, in the order in which they came.
#[derive(Default)]
struct Places {
    running: HashMap<u64, usize>,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    owner: u64,
    place: oneshot::Sender<Place>,
}

/// A place, held. It is free again when this is dropped, which is when the query's thread has let go of its memory, not
/// when its caller has stopped waiting.
#[derive(Debug)]
pub(super) struct Place {
    owner: u64,
}

/// Waits for one of the places of the process.
pub(super) async fn enter(owner: u64) -> Result<Place, QueryError> {
    let waiting = {
        let mut places = places();
        places.waiting.retain(|waiting| !waiting.place.is_closed());
        if places.may_run(owner) && !places.waiting.iter().any(|waiting| waiting.owner == owner) {
            return Ok(places.run(owner));
        }
        let of_owner = places.waiting.iter().filter(|waiting| waiting.owner == owner).count();
        if places.waiting.len() >= QUERIES_WAITING_MAX || of_owner >= WAITING_OF_ONE_MAX {
            return Err(QueryError::Busy);
        }
        let (place, waiting) = oneshot::channel();
        places.waiting.push_back(Waiting { owner, place });
        waiting
    };
    waiting.await.map_err(|_| QueryError::Busy)
}

fn places() -> MutexGuard<'static, Places> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    fn of(&self, owner: u64) -> usize {
        self.running.get(&owner).copied().unwrap_or(0)
    }

    fn may_run(&self, owner: u64) -> bool {
        let free = QUERIES_RUNNING_MAX.saturating_sub(self.running.values().sum());
        free > 1 || (free == 1 && self.of(owner) == 0)
    }

    fn run(&mut self, owner: u64) -> Place {
        *self.running.entry(owner).or_default() += 1;
        Place { owner }
    }

    /// The next to run: of those that may, one whose workspace runs fewest, and of these the one that came first.
    fn next(&mut self) -> Option<(oneshot::Sender<Place>, Place)> {
        let may_run = |(_, waiting): &(usize, &Waiting)| self.may_run(waiting.owner);
        let candidates = self.waiting.iter().enumerate().filter(may_run);
        let (index, _) = candidates.min_by_key(|(_, waiting)| self.of(waiting.owner))?;
        let Waiting { owner, place } = self.waiting.remove(index)?;
        Some((place, self.run(owner)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut places = places();
            if let Some(running) = places.running.get_mut(&self.owner) {
                *running -= 1;
                if *running == 0 {
                    places.running.remove(&self.owner);
                }
            }
            places.next()
        };
        if let Some((waiting, place)) = next {
            // Whoever gave up waiting gives the place back, which drops it, outside the lock.
            let _ = waiting.send(place);
        }
    }
}
