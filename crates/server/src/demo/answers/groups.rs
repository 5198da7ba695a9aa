use std::collections::BTreeMap;

/// What the views want to know of a group's values; NULL does not enter.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    all: Vec<i64>,
}

impl Values {
    /// Adds a value that is not NULL.
    pub(super) fn add(&mut self, value: Option<i32>) {
        self.all.extend(value.map(i64::from));
    }

    pub(super) fn sum(&self) -> Option<i64> {
        (!self.all.is_empty()).then(|| self.all.iter().sum())
    }

    pub(super) fn min(&self) -> Option<i64> {
        self.all.iter().min().copied()
    }

    pub(super) fn max(&self) -> Option<i64> {
        self.all.iter().max().copied()
    }

    /// The mean, rounded once: sum and count are far below 2^53.
    pub(super) fn mean(&self) -> Option<f64> {
        let sum = self.sum()?;
        Some(sum as f64 / self.all.len() as f64)
    }
}

/// Rows by key, in key order.
pub(super) fn group_by<K: Ord, R>(rows: impl Iterator<Item = (K, R)>) -> BTreeMap<K, Vec<R>> {
    let mut groups: BTreeMap<K, Vec<R>> = BTreeMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}

/// How many rows a group has.
pub(super) fn count<R>(rows: &[R]) -> i64 {
    i64::try_from(rows.len()).expect("a month has fewer rows than 2^63")
}

/// The values of one column of a group.
pub(super) fn column<R>(rows: &[R], value: impl Fn(&R) -> Option<i32>) -> Values {
    let mut values = Values::default();
    rows.iter().for_each(|row| values.add(value(row)));
    values
}
