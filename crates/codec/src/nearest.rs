/// A hint that names the known word nearest to an unknown one, or lists the known words when none is near.
pub(crate) fn did_you_mean<'a>(
    unknown: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<String> {
    // Words longer than any valid name cannot be a slip of the hand, and would make the distance costly.
    if unknown.len() <= headwater_types::limits::NAME_BYTES_MAX {
        let slips_max = (unknown.chars().count() / 3).max(1);
        let distance = |word: &&str| edit_distance(&unknown.to_lowercase(), &word.to_lowercase());
        if let Some(nearest) = known.clone().min_by_key(distance)
            && distance(&nearest) <= slips_max
        {
            return Some(format!("did you mean '{nearest}'?"));
        }
    }
    const LISTED_MAX: usize = 12;
    let listed: Vec<&str> = known.clone().take(LISTED_MAX).collect();
    if listed.is_empty() {
        return None;
    }
    let more = if known.count() > LISTED_MAX { ", …" } else { "" };
    Some(format!("known are: {}{more}", listed.join(", ")))
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
    use super::{did_you_mean, edit_distance};

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
        let hint = |unknown| did_you_mean(unknown, known.into_iter());
        assert_eq!(hint("userId").as_deref(), Some("did you mean 'user_id'?"));
        assert_eq!(hint("Price").as_deref(), Some("did you mean 'price'?"));
        assert_eq!(hint("weather").as_deref(), Some("known are: user_id, price"));
    }
}
