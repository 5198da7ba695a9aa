use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ahash::RandomState;
use headwater_types::{TimestampMicros, limits};

use crate::push::PushAnswer;

/// Entries of one bucket: buckets are what expires, and what a snapshot writes, at once.
const BUCKET_ENTRIES: usize = 16_384;

/// What was answered to a request that carried an idempotency key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    /// The API key's id.
    pub key_id: String,
    /// The client's key.
    pub key: String,
    /// BLAKE3 of target, options and body.
    pub body_hash: [u8; 32],
    /// When it was taken.
    pub ingest_time: TimestampMicros,
    /// What was answered. Payloads of refused records are left out: answers never carry them.
    pub answer: PushAnswer,
}

/// What is known of a request's idempotency key.
#[derive(Debug)]
pub(crate) enum Known {
    /// Nothing: the request is new.
    New,
    /// The same request was taken.
    Same(PushAnswer),
    /// Another request was taken under this key.
    Other,
}

/// The answers of the last 24 hours of ingest time, by API key id and idempotency key.
///
/// Entries lie in buckets in the order of their steps; full buckets never change, so a snapshot shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Idempotency {
    by_key: HashMap<(String, String), Arc<Remembered>, RandomState>,
    buckets: VecDeque<Bucket>,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    entries: Arc<Vec<Arc<Remembered>>>,
}

impl Bucket {
    fn newest(&self) -> TimestampMicros {
        self.entries.last().map(|entry| entry.ingest_time).unwrap_or_default()
    }
}

impl Idempotency {
    /// What is known of this key at this ingest time.
    pub(crate) fn known(&self, key_id: &str, key: &str, body_hash: &[u8; 32], now: TimestampMicros) -> Known {
        match self.by_key.get(&(key_id.to_owned(), key.to_owned())) {
            Some(entry) if expired(entry.ingest_time, now) => Known::New,
            None => Known::New,
            Some(entry) if entry.body_hash == *body_hash => Known::Same(entry.answer.clone()),
            Some(_) => Known::Other,
        }
    }

    /// Remembers an answer, and forgets buckets that are older than a day.
    pub(crate) fn remember(&mut self, entry: Remembered) {
        self.forget_before(entry.ingest_time);
        let entry = Arc::new(entry);
        if self.buckets.back().is_none_or(|bucket| bucket.entries.len() >= BUCKET_ENTRIES) {
            self.buckets.push_back(Bucket::default());
        }
        if let Some(bucket) = self.buckets.back_mut() {
            Arc::make_mut(&mut bucket.entries).push(Arc::clone(&entry));
        }
        self.by_key.insert((entry.key_id.clone(), entry.key.clone()), entry);
    }

    fn forget_before(&mut self, now: TimestampMicros) {
        while self.buckets.front().is_some_and(|bucket| expired(bucket.newest(), now)) {
            let Some(bucket) = self.buckets.pop_front() else { return };
            for entry in bucket.entries.iter() {
                let key = (entry.key_id.clone(), entry.key.clone());
                if self.by_key.get(&key).is_some_and(|current| Arc::ptr_eq(current, entry)) {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    /// Whether another key may be remembered at this ingest time.
    pub(crate) fn has_room(&mut self, now: TimestampMicros) -> bool {
        self.forget_before(now);
        self.by_key.len() < limits::IDEMPOTENCY_KEYS_MAX
    }

    /// Keys remembered.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// All entries, oldest first, as cheap to take as there are buckets.
    pub(crate) fn entries(&self) -> Vec<Arc<Vec<Arc<Remembered>>>> {
        self.buckets.iter().map(|bucket| Arc::clone(&bucket.entries)).collect()
    }
}

fn expired(taken: TimestampMicros, now: TimestampMicros) -> bool {
    taken.plus_micros(limits::IDEMPOTENCY_KEEP_MICROS) <= now
}

#[cfg(test)]
mod tests;
