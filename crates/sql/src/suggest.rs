/// The candidate that a misspelt name most likely meant, if one is near enough.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let distance_max = (wanted.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"?`, or what there is to choose from when nothing is near.
pub(crate) fn hint<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    noun: &str,
) -> Option<String> {
    const LISTED_MAX: usize = 12;
    let mut candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(wanted, candidates.iter().copied()) {
        return Some(format!("did you mean {near:?}?"));
    }
    candidates.sort_unstable();
    candidates.dedup();
    match candidates.len() {
        0 => None,
        count if count <= LISTED_MAX => Some(format!("{noun} here: {}", candidates.join(", "))),
        count => Some(format!(
            "{noun} here: {}, and {} more",
            candidates[..LISTED_MAX].join(", "),
            count - LISTED_MAX
        )),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) between two names; names are at most 255 bytes.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(255).collect(), b.chars().take(255).collect());
    if a.len().abs_diff(b.len()) > 3 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
