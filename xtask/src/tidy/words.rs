use super::TextFile;

/// Words that must not stand anywhere, with the reason. Written in two halves, so that this file may be checked too.
const BANNED: [(&str, &str, &str); 8] = [
    ("TO", "DO", "finish it or leave it out; plans belong in the tracker"),
    ("FIX", "ME", "fix it"),
    ("XX", "X", "say what is meant"),
    ("/ro", "ot/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
    ("/Us", "ers/", "a path of one machine"),
    ("#[ig", "nore]", "say in the attribute what runs it: a test that nothing runs is not a test"),
];

/// Banned words, tabs where spaces belong, trailing spaces, a last line without its end.
pub(crate) fn check(file: &TextFile) -> Vec<String> {
    // A licence is copied to the letter; a snapshot is what a program printed.
    if file.path == "LICENSE" || file.path.ends_with(".snap") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        for (start, end, reason) in BANNED {
            let word = format!("{start}{end}");
            if contains_word(line, &word) {
                breaches.push(format!("{place}: {word}: {reason}"));
            }
        }
        // Tests hold what programs printed.
        if line.ends_with([' ', '\t']) && !file.path.contains("tests") {
            breaches.push(format!("{place}: trailing space"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        breaches.push(format!("{}: the last line has no end", file.path));
    }
    breaches
}

/// Whether `word` stands in `line` and is not a part of a longer word.
fn contains_word(line: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let starts_inside =
            word.starts_with(char::is_alphanumeric) && is_letter(line[..at].chars().next_back());
        let ends_inside =
            word.ends_with(char::is_alphanumeric) && is_letter(line[at + word.len()..].chars().next());
        !starts_inside && !ends_inside
    })
}
