use std::cmp::Ordering;

use super::ExactSum;
use super::limbs::Limbs;

impl Ord for ExactSum {
    fn cmp(&self, other: &ExactSum) -> Ordering {
        self.specials.cmp(&other.specials).then_with(|| compare(&self.number, &other.number))
    }
}

impl PartialOrd for ExactSum {
    fn partial_cmp(&self, other: &ExactSum) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two numbers by value.
fn compare(a: &Limbs, b: &Limbs) -> Ordering {
    let mut difference = a.clone();
    difference.add(&b.scaled(-1));
    match (difference.is_zero(), difference.is_negative()) {
        (true, _) => Ordering::Equal,
        (false, true) => Ordering::Less,
        (false, false) => Ordering::Greater,
    }
}
