use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::diagnostic::Diagnostic;

/// Characters of a line that a snippet shows; a longer line is cut around the place.
const SNIPPET_CHARS_MAX: usize = 160;

/// A place in the text: line and column in characters, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// Where the text begins.
    pub(crate) const START: Place = Place { line: 1, column: 1 };

    /// The start of a span; `None` for the empty span that generated syntax carries.
    pub(crate) fn of(span: Span) -> Option<Place> {
        Place::at(span.start)
    }

    /// A parser's location; `None` for "nowhere".
    pub(crate) fn at(location: Location) -> Option<Place> {
        Place::new(location.line, location.column)
    }

    /// A place by its numbers, `None` unless both are positive.
    pub(crate) fn new(line: u64, column: u64) -> Option<Place> {
        let place = Place { line: u32::try_from(line).ok()?, column: u32::try_from(column).ok()? };
        (place.line > 0 && place.column > 0).then_some(place)
    }
}

/// What is wrong with the text; [`Source::diagnostic`] adds the line and the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) place: Option<Place>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), hint: None, place: None }
    }

    pub(crate) fn unsupported(message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal::new("unsupported", message).hint(hint)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn at(self, span: Span) -> Refusal {
        let place = Place::of(span);
        self.at_place(place)
    }

    pub(crate) fn at_place(mut self, place: Option<Place>) -> Refusal {
        self.place = place.or(self.place);
        self
    }

    /// Gives the place if none is known yet.
    pub(crate) fn or_at(mut self, place: Option<Place>) -> Refusal {
        self.place = self.place.or(place);
        self
    }
}

/// The text with its lines.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Source<'a> {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(breaks.map(|(index, _)| index + 1)).collect();
        Source { text, line_starts }
    }

    /// A refusal with its line and caret; one without place points at the beginning.
    pub(crate) fn diagnostic(&self, refusal: Refusal) -> Diagnostic {
        let place = refusal.place.unwrap_or(Place::START);
        Diagnostic {
            code: refusal.code,
            message: refusal.message,
            hint: refusal.hint,
            line: place.line,
            column: place.column,
            snippet: self.snippet(place),
        }
    }

    /// The text from one place up to (not including) another.
    pub(crate) fn slice(&self, from: Place, to: Place) -> &'a str {
        let from = self.byte_offset(from);
        let to = self.byte_offset(to).max(from);
        &self.text[from..to]
    }

    fn line(&self, number: u32) -> &'a str {
        let index = number as usize - 1;
        let start = self.line_starts.get(index).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        self.text[start..end.max(start)].trim_end_matches('\r')
    }

    fn byte_offset(&self, place: Place) -> usize {
        let start = self.line_starts.get(place.line as usize - 1).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        rest.char_indices()
            .nth(place.column as usize - 1)
            .map_or(self.text.len(), |(offset, _)| start + offset)
    }

    /// The place's line and a caret under the place. Tabs are shown as one blank, so that the caret fits.
    fn snippet(&self, place: Place) -> String {
        let chars: Vec<char> =
            self.line(place.line).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let caret = (place.column as usize - 1).min(chars.len());
        let first =
            if chars.len() <= SNIPPET_CHARS_MAX { 0 } else { caret.saturating_sub(SNIPPET_CHARS_MAX / 2) };
        let shown: String = chars.iter().skip(first).take(SNIPPET_CHARS_MAX).collect();
        format!("{}\n{}^", shown.trim_end(), " ".repeat(caret - first))
    }
}
