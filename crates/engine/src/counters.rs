use std::collections::BTreeMap;

use crate::record::CountsRecord;

/// Counts of records. At every LSN: received = applied + rejected + duplicate + pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of requests that were taken, or had been taken before.
    pub received: u64,
    /// Records whose change was made.
    pub applied: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Records of requests that had been taken before.
    pub duplicate: u64,
    /// Records that wait: queued while the workspace is paused.
    pub pending: u64,
}

impl Counts {
    /// Whether nothing got lost.
    #[must_use]
    pub fn reconcile(&self) -> bool {
        self.received == self.applied + self.rejected + self.duplicate + self.pending
    }
}

/// The counts of every endpoint of a workspace. They are sums over the log's records, so a crash cannot change them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    by_endpoint: BTreeMap<String, Counts>,
}

impl Counters {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, records: &[CountsRecord]) {
        for record in records {
            let counts = self.by_endpoint.entry(record.endpoint.clone()).or_default();
            counts.received += record.received;
            counts.applied += record.applied;
            counts.rejected += record.rejected;
            counts.duplicate += record.duplicate;
            counts.pending = counts.pending.saturating_add_signed(record.pending);
        }
    }

    /// Sums that a snapshot holds.
    pub(crate) fn of_records(records: &[CountsRecord]) -> Counters {
        let mut counters = Counters::default();
        counters.add(records);
        counters
    }

    /// The counts by endpoint.
    pub(crate) fn by_endpoint(&self) -> &BTreeMap<String, Counts> {
        &self.by_endpoint
    }

    /// The sums as records, for a snapshot.
    pub(crate) fn to_records(&self) -> Vec<CountsRecord> {
        let record = |(endpoint, counts): (&String, &Counts)| CountsRecord {
            endpoint: endpoint.clone(),
            received: counts.received,
            applied: counts.applied,
            rejected: counts.rejected,
            duplicate: counts.duplicate,
            pending: counts.pending.cast_signed(),
        };
        self.by_endpoint.iter().map(record).collect()
    }
}

/// Counts gathered for the next record, by endpoint.
#[derive(Debug, Default)]
pub(crate) struct CountsBuilder {
    by_endpoint: BTreeMap<String, CountsRecord>,
}

impl CountsBuilder {
    /// The counts of one endpoint, to be added to.
    pub(crate) fn at(&mut self, endpoint: &str) -> &mut CountsRecord {
        if !self.by_endpoint.contains_key(endpoint) {
            let record = CountsRecord { endpoint: endpoint.to_owned(), ..CountsRecord::default() };
            self.by_endpoint.insert(endpoint.to_owned(), record);
        }
        self.by_endpoint.entry(endpoint.to_owned()).or_default()
    }

    /// Adds counts that were gathered elsewhere.
    pub(crate) fn add(&mut self, records: &[CountsRecord]) {
        for record in records {
            let counts = self.at(&record.endpoint);
            counts.received += record.received;
            counts.applied += record.applied;
            counts.rejected += record.rejected;
            counts.duplicate += record.duplicate;
            counts.pending += record.pending;
        }
    }

    /// All gathered so far.
    pub(crate) fn records(&self) -> Vec<CountsRecord> {
        self.by_endpoint.values().cloned().collect()
    }
}
