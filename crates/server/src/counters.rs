use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use parking_lot::Mutex;

use crate::routes::{ROUTES_MAX, RouteIndex};

/// Upper bounds of the buckets of a route's latency, in seconds.
pub const LATENCY_BOUNDS_S: [f64; 12] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// What the door counts, since the start of the process. The engine's own counts survive restarts; these do not.
#[derive(Debug)]
pub struct Counters {
    by_route: Box<[RouteCounters; ROUTES_MAX]>,
    unrouted: RouteCounters,
    refusals: Mutex<BTreeMap<(Option<RouteIndex>, &'static str), u64>>,
    connections_open: Arc<AtomicI64>,
}

/// What is counted for one route.
#[derive(Debug, Default)]
pub struct RouteCounters {
    by_status_class: [AtomicU64; 5],
    latency_buckets: [AtomicU64; LATENCY_BOUNDS_S.len()],
    latency_sum_micros: AtomicU64,
}

/// One route's counters as of now.
#[derive(Debug)]
pub struct RouteCounts {
    /// Answers by the first digit of their status, 1 to 5.
    pub by_status_class: [u64; 5],
    /// Answers that took up to each of [`LATENCY_BOUNDS_S`], cumulative.
    pub latency_cumulative: [u64; LATENCY_BOUNDS_S.len()],
    /// Sum of the times of all answers.
    pub latency_sum_s: f64,
}

impl RouteCounts {
    /// All answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_status_class.iter().sum()
    }
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            by_route: Box::new(std::array::from_fn(|_| RouteCounters::default())),
            unrouted: RouteCounters::default(),
            refusals: Mutex::default(),
            connections_open: Arc::default(),
        }
    }
}

impl Counters {
    /// Counts an answer; `None` is a request that no route took.
    pub fn count_answer(&self, route: Option<RouteIndex>, status: StatusCode, took: Duration) {
        self.of(route).count(status, took);
    }

    /// Counts a request that was refused as a whole.
    pub fn count_refusal(&self, route: Option<RouteIndex>, code: &'static str) {
        *self.refusals.lock().entry((route, code)).or_default() += 1;
    }

    /// Counts a connection as open until the returned value is dropped.
    #[must_use]
    pub fn connection_opened(&self) -> OpenConnection {
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(&self.connections_open))
    }

    /// Connections open now.
    #[must_use]
    pub fn connections_open(&self) -> i64 {
        self.connections_open.load(Ordering::Relaxed)
    }

    /// The counts of a route; `None` is what no route took.
    #[must_use]
    pub fn counts(&self, route: Option<RouteIndex>) -> RouteCounts {
        self.of(route).read()
    }

    /// Refusals by route and code.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<(Option<RouteIndex>, &'static str), u64> {
        self.refusals.lock().clone()
    }

    fn of(&self, route: Option<RouteIndex>) -> &RouteCounters {
        route.and_then(|route| self.by_route.get(route.0)).unwrap_or(&self.unrouted)
    }
}

impl RouteCounters {
    fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.by_status_class[class].fetch_add(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        if let Some(bucket) = LATENCY_BOUNDS_S.iter().position(|bound| seconds <= *bound) {
            self.latency_buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency_sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn read(&self) -> RouteCounts {
        let mut so_far = 0;
        RouteCounts {
            by_status_class: std::array::from_fn(|i| self.by_status_class[i].load(Ordering::Relaxed)),
            latency_cumulative: std::array::from_fn(|i| {
                so_far += self.latency_buckets[i].load(Ordering::Relaxed);
                so_far
            }),
            latency_sum_s: self.latency_sum_micros.load(Ordering::Relaxed) as f64 / 1e6,
        }
    }
}

/// A connection that is counted as open.
#[derive(Debug)]
pub struct OpenConnection(Arc<AtomicI64>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_buckets_are_cumulative() {
        let counters = Counters::default();
        for micros in [100, 400, 3_000_000, 60_000_000] {
            counters.count_answer(Some(RouteIndex(0)), StatusCode::OK, Duration::from_micros(micros));
        }
        let counts = counters.counts(Some(RouteIndex(0)));
        assert_eq!(counts.latency_cumulative, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
        assert_eq!(counts.total(), 4);
    }

    #[test]
    fn a_dropped_connection_is_not_open() {
        let counters = Counters::default();
        let open = counters.connection_opened();
        assert_eq!(counters.connections_open(), 1);
        drop(open);
        assert_eq!(counters.connections_open(), 0);
    }
}
