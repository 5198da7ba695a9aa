use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_types::{Name, limits};

/// An expression had no value for one row, so it was NULL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpressionError {
    /// The view whose definition holds the expression.
    pub view: Name,
    /// The column it computes; `WHERE`, `HAVING` or `ON` for a condition.
    pub column: String,
    /// Why, for people.
    pub reason: String,
}

/// The place in a program where an expression stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site {
    pub(crate) view: Name,
    pub(crate) column: Arc<str>,
}

/// All places where one expression stands: views that compute the same share it.
#[derive(Clone, Debug)]
pub(crate) struct Sites(Vec<Site>);

impl Sites {
    /// One place.
    pub(crate) fn one(site: Site) -> Sites {
        Sites(vec![site])
    }

    /// The expression stands at these places too.
    pub(crate) fn add(&mut self, others: &Sites) {
        for site in &others.0 {
            if !self.0.contains(site) {
                self.0.push(site.clone());
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Site> {
        self.0.iter()
    }
}

/// Bytes of a reason; it may quote a value of any length.
const REASON_BYTES_MAX: usize = 200;

/// The expression errors of one step.
///
/// Errors are summed by row with their weights: a row that one operator adds and takes back within the step, as a
/// join does, counts for nothing, and retractions are not counted.
#[derive(Debug, Default)]
pub(crate) struct ErrorLog {
    weights: RefCell<BTreeMap<Occurrence, i64>>,
}

/// An error of one row. In the order in which errors are listed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Occurrence {
    site: Site,
    reason: Arc<str>,
    row_hash: u64,
}

impl ErrorLog {
    /// Notes that the row with this hash had an error at these places, `weight` times.
    pub(crate) fn note(&self, sites: &Sites, reason: &Arc<str>, row_hash: u64, weight: i64) {
        for site in sites.iter() {
            let occurrence = Occurrence { site: site.clone(), reason: reason.clone(), row_hash };
            *self.weights.borrow_mut().entry(occurrence).or_default() += weight;
        }
    }

    /// Takes what was noted: at most `limits::ERRORS_PER_STEP_MAX` errors, and how many there were.
    pub(crate) fn take(&self) -> (Vec<ExpressionError>, u64) {
        let mut errors = Vec::new();
        let mut total = 0_u64;
        for (Occurrence { site, reason, .. }, weight) in self.weights.take() {
            let Ok(count) = u64::try_from(weight) else { continue };
            total += count;
            let room = limits::ERRORS_PER_STEP_MAX - errors.len();
            let error = || ExpressionError {
                view: site.view.clone(),
                column: site.column.to_string(),
                reason: reason.to_string(),
            };
            let listed = usize::try_from(count).map_or(room, |count| count.min(room));
            errors.extend(std::iter::repeat_with(error).take(listed));
        }
        (errors, total)
    }
}

/// A reason of bounded length.
pub(crate) fn reason(text: &str) -> Arc<str> {
    let end =
        (0..=REASON_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Arc::from(&text[..end])
}
