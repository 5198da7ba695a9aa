/// What is inside of what at some place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// A text or a name in these quotes.
    Quotes(u8),
    LineComment,
    /// Comments may stand in comments, so many deep.
    Comment(usize),
}

/// The statements of a text: what stands between semicolons, and lines that begin with a backslash.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut rest = text;
    while !rest.trim().is_empty() {
        let (statement, after) = first(rest);
        rest = after;
        if !is_blank(statement) {
            statements.push(statement.trim());
        }
    }
    statements
}

/// Whether what was typed is whole: a backslash command, nothing, or statements that end with a semicolon.
pub(super) fn is_whole(text: &str) -> bool {
    if text.trim_start().starts_with('\\') || is_blank(text) {
        return true;
    }
    let mut rest = text;
    loop {
        match end(rest) {
            None => return is_blank(rest),
            Some(after) => rest = &rest[after..],
        }
    }
}

/// The first statement, without its semicolon, and what follows.
fn first(text: &str) -> (&str, &str) {
    let text = without_comments(text);
    if text.trim_start().starts_with('\\') {
        let start = text.len() - text.trim_start().len();
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        return text.split_at(line_end);
    }
    match end(text) {
        None => (text, ""),
        Some(after) => (&text[..after - 1], &text[after..]),
    }
}

/// The text from its first line on that is more than a comment.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("--") {
        rest = comment.split_once('\n').map_or("", |(_, after)| after.trim_start());
    }
    rest
}

/// The place after the first semicolon that ends a statement.
fn end(text: &str) -> Option<usize> {
    let mut inside = Inside::Nothing;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at], bytes.get(at + 1).copied());
        let mut taken = 1;
        inside = match (inside, pair) {
            (Inside::Nothing, (b';', _)) => return Some(at + 1),
            (Inside::Nothing, (quote @ (b'\'' | b'"'), _)) => Inside::Quotes(quote),
            (Inside::Nothing, (b'-', Some(b'-'))) => Inside::LineComment,
            (Inside::Nothing, (b'/', Some(b'*'))) => {
                taken = 2;
                Inside::Comment(1)
            }
            // A doubled quote ends a text and begins the next, which comes to the same.
            (Inside::Quotes(quote), (byte, _)) if byte == quote => Inside::Nothing,
            (Inside::LineComment, (b'\n', _)) => Inside::Nothing,
            (Inside::Comment(depth), (b'/', Some(b'*'))) => {
                taken = 2;
                Inside::Comment(depth + 1)
            }
            (Inside::Comment(depth), (b'*', Some(b'/'))) => {
                taken = 2;
                if depth == 1 { Inside::Nothing } else { Inside::Comment(depth - 1) }
            }
            (inside, _) => inside,
        };
        at += taken;
    }
    None
}

/// Whether there is nothing but space and line comments.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_not_inside_of_something() {
        let text = "SELECT ';' AS \"a;b\" -- not; here\n, /* nor; /* here; */ ; */ 1; \\d t\nSELECT 2";
        assert_eq!(
            split(text),
            ["SELECT ';' AS \"a;b\" -- not; here\n, /* nor; /* here; */ ; */ 1", "\\d t", "SELECT 2"]
        );
        assert_eq!(split(" ;; -- nothing\n;"), [""; 0]);
        assert_eq!(split("-- one\n -- two;\n\\d\nSELECT 1"), ["\\d", "SELECT 1"]);
        assert_eq!(split("SELECT 'it''s; é'; SELECT 1;"), ["SELECT 'it''s; é'", "SELECT 1"]);
    }

    #[test]
    fn a_statement_is_whole_once_its_semicolon_came() {
        for whole in ["", "  ", "\\d", "SELECT 1;", "SELECT 1; -- done", "SELECT 1; SELECT 2;\n"] {
            assert!(is_whole(whole), "{whole}");
        }
        for open in ["SELECT 1", "SELECT ';", "SELECT 1 -- ;", "SELECT 1; SELECT", "/* ; "] {
            assert!(!is_whole(open), "{open}");
        }
    }
}
