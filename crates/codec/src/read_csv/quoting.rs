/// Why the quotes of a record are malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteError {
    /// A quoted field does not end.
    Unclosed,
    /// A quote stands in a field that does not begin with one.
    Inside,
    /// Text stands between a closing quote and the next comma.
    TextAfter,
}

/// Tells for each field of a record's text whether it stands in quotes.
///
/// The CSV reader does not tell `""` from nothing, and takes any use of quotes. Both matter: one is an empty text and
/// the other NULL, and a stray quote can swallow the records after it.
pub(super) fn quoted_fields(raw: &[u8], quoted: &mut Vec<bool>) -> Result<(), QuoteError> {
    let mut at = 0;
    loop {
        let is_quoted = raw.get(at) == Some(&b'"');
        at = if is_quoted { end_of_quoted(raw, at + 1)? } else { end_of_plain(raw, at)? };
        quoted.push(is_quoted);
        if at == raw.len() {
            return Ok(());
        }
        at += 1;
    }
}

fn end_of_quoted(raw: &[u8], mut at: usize) -> Result<usize, QuoteError> {
    loop {
        at += memchr::memchr(b'"', &raw[at..]).ok_or(QuoteError::Unclosed)? + 1;
        match raw.get(at) {
            None | Some(b',') => return Ok(at),
            Some(b'"') => at += 1,
            Some(_) => return Err(QuoteError::TextAfter),
        }
    }
}

fn end_of_plain(raw: &[u8], start: usize) -> Result<usize, QuoteError> {
    match memchr::memchr2(b',', b'"', &raw[start..]) {
        None => Ok(raw.len()),
        Some(length) if raw[start + length] == b'"' => Err(QuoteError::Inside),
        Some(length) => Ok(start + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_quoted_or_not_and_malformed_quotes_are_refused() {
        let check = |raw: &str, expected: Result<&[bool], QuoteError>| {
            let mut quoted = Vec::new();
            let result = quoted_fields(raw.as_bytes(), &mut quoted).map(|()| quoted);
            assert_eq!(result, expected.map(<[bool]>::to_vec), "{raw}");
        };
        check("", Ok(&[false]));
        check("a,,b", Ok(&[false, false, false]));
        check(r#""",a,"b""c","#, Ok(&[true, false, true, false]));
        check("\"a,\nb\"", Ok(&[true]));
        check(r#"a"b"#, Err(QuoteError::Inside));
        check(r#""a"b"#, Err(QuoteError::TextAfter));
        check(r#"a,"b"#, Err(QuoteError::Unclosed));
        check(r#""a"""#, Err(QuoteError::Unclosed));
    }
}
