use std::time::Duration;

/// Latencies of many requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    all: Vec<Duration>,
}

impl Latencies {
    /// Adds one.
    pub(super) fn add(&mut self, latency: Duration) {
        self.all.push(latency);
    }

    /// Adds those of another connection.
    pub(super) fn extend(&mut self, other: Latencies) {
        self.all.extend(other.all);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The smallest latency that at least `percent` of all do not pass; zero if there is none.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.all.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
