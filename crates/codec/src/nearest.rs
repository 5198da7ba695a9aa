use std::cell::Cell;
use std::rc::Rc;

/// Hints looked for in one request. Comparing a word with all columns of a wide table costs milliseconds, and a body
/// may hold a million unknown words.
const HINTS_MAX: u32 = 32;
/// Bytes of words that are compared; longer ones are not slips of the hand.
const COMPARED_BYTES_MAX: usize = 64;
/// Known words that a hint lists.
const LISTED_MAX: usize = 12;

/// Gives hints while there are some left. Clones share what is left.
#[derive(Clone, Debug)]
pub(crate) struct Hints {
    left: Rc<Cell<u32>>,
}

impl Hints {
    pub(crate) fn new() -> Hints {
        Hints { left: Rc::new(Cell::new(HINTS_MAX)) }
    }

    /// Names the known word nearest to an unknown one, or lists the known words when none is near.
    pub(crate) fn did_you_mean<'a>(
        &self,
        unknown: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<String> {
        self.left.set(self.left.get().checked_sub(1)?);
        if let Some(nearest) = nearest(unknown, known.clone()) {
            return Some(format!("did you mean '{nearest}'?"));
        }
        let listed: Vec<&str> = known.clone().take(LISTED_MAX).collect();
        let more = if known.count() > LISTED_MAX { ", …" } else { "" };
        (!listed.is_empty()).then(|| format!("known are: {}{more}", listed.join(", ")))
    }
}

fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let unknown = unknown.to_lowercase();
    let slips_max = (unknown.chars().count() / 3).max(1);
    let comparable = known.filter(|word| word.len() <= COMPARED_BYTES_MAX);
    let distances = comparable.map(|word| (edit_distance(&unknown, &word.to_lowercase()), word));
    distances
        .filter(|(distance, _)| *distance <= slips_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut last_char = '\0';
    for (row, from_char) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, &to_char) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(from_char != to_char);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && from_char == to[column - 1] && last_char == to_char {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        last_char = from_char;
        before_last = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{HINTS_MAX, Hints, edit_distance};

    #[test]
    fn distance_counts_single_slips() {
        for (from, to, distance) in
            [("", "", 0), ("a", "", 1), ("price", "prise", 1), ("price", "pirce", 1), ("ab", "xyz", 3)]
        {
            assert_eq!(edit_distance(from, to), distance, "{from} → {to}");
        }
    }

    #[test]
    fn a_near_word_is_named_and_else_all_are_listed() {
        let known = ["user_id", "price"];
        let hint = |unknown| Hints::new().did_you_mean(unknown, known.into_iter());
        assert_eq!(hint("userId").as_deref(), Some("did you mean 'user_id'?"));
        assert_eq!(hint("Price").as_deref(), Some("did you mean 'price'?"));
        assert_eq!(hint("weather").as_deref(), Some("known are: user_id, price"));
    }
    #[test]
    fn hints_run_out() {
        let hints = Hints::new();
        let given = (0..1_000).filter(|_| hints.clone().did_you_mean("a", ["b"].into_iter()).is_some());
        assert_eq!(given.count(), HINTS_MAX as usize);
    }
}
