use std::fmt;

/// Why SQL text was refused, and where. `Display` gives the full text, with the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The reason for machines; part of the API.
    pub code: &'static str,
    /// The reason for people: lower case, no full stop.
    pub message: String,
    /// What to write instead, where it can be said.
    pub hint: Option<String>,
    /// Line of the place, counted from 1.
    pub line: u32,
    /// Column of the place in characters, counted from 1.
    pub column: u32,
    /// The line and a caret under the place.
    pub snippet: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, column {}\n{}", self.message, self.line, self.column, self.snippet)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
