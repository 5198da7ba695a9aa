use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bounds the bytes that all request bodies together hold, from their first byte to their answer.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    bytes_held: AtomicUsize,
}

impl BodyBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> BodyBudget {
        BodyBudget { shared: Arc::new(Shared { bytes_max, bytes_held: AtomicUsize::new(0) }) }
    }

    /// An empty share, to be grown as bytes come.
    #[must_use]
    pub fn share(&self) -> BodyShare {
        BodyShare { budget: self.clone(), bytes: 0 }
    }

    /// Bytes held now.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.shared.bytes_held.load(Ordering::Relaxed)
    }
}

/// What one request holds of the budget; given back when dropped.
#[derive(Debug)]
pub struct BodyShare {
    budget: BodyBudget,
    bytes: usize,
}

impl BodyShare {
    /// Bytes held by this share.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes more of the budget; false, and nothing taken, if there is not so much left.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let shared = &self.budget.shared;
        let held = shared.bytes_held.fetch_add(bytes, Ordering::Relaxed);
        if held.saturating_add(bytes) > shared.bytes_max {
            shared.bytes_held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        self.budget.shared.bytes_held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_does_not_fit_takes_nothing() {
        let budget = BodyBudget::new(10);
        let mut share = budget.share();
        assert!(share.grow(6));
        assert!(!share.grow(5));
        assert_eq!(budget.bytes_held(), 6);
        assert!(share.grow(4));
    }

    #[test]
    fn a_dropped_share_is_given_back() {
        let budget = BodyBudget::new(10);
        let mut share = budget.share();
        assert!(share.grow(10));
        drop(share);
        assert_eq!(budget.bytes_held(), 0);
    }
}
