use headwater_types::RecordErrorCode;
use headwater_types::limits::NAME_BYTES_MAX;

/// What is wrong with a record, before its index and its text are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: RecordErrorCode,
    pub(crate) column: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: RecordErrorCode, message: impl Into<String>) -> Box<Problem> {
        Box::new(Problem { code, column: None, message: message.into(), hint: None })
    }

    /// Names the column or field at fault, an unknown one perhaps, of any length.
    pub(crate) fn at(mut self: Box<Self>, column: &str) -> Box<Problem> {
        self.column = Some(column[..column.floor_char_boundary(NAME_BYTES_MAX)].to_owned());
        self
    }

    pub(crate) fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Problem> {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if(mut self: Box<Self>, hint: Option<String>) -> Box<Problem> {
        self.hint = hint;
        self
    }
}

/// The beginning of a value or name, for messages.
pub(crate) fn excerpt(text: &[u8]) -> String {
    const EXCERPT_CHARS_MAX: usize = 60;
    let head = &text[..text.len().min(EXCERPT_CHARS_MAX * 4)];
    let head = String::from_utf8_lossy(head);
    let mut excerpt: String = head.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
