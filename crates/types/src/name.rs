use std::fmt;
use std::sync::Arc;

use crate::limits::NAME_BYTES_MAX;

/// A valid name: 1 to 255 bytes of UTF-8 without control characters.
///
/// Names are one space per workspace. SQL folds unquoted names to lower case before it makes one;
/// names from REST and Python are taken exactly. Names never become paths: on disk there are only numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("a name must have at least one character")]
    Empty,
    /// The name is longer than [`NAME_BYTES_MAX`].
    #[error("a name has at most {NAME_BYTES_MAX} bytes, this one has {bytes}")]
    TooLong {
        /// Length of the refused name.
        bytes: usize,
    },
    /// The name holds a control character.
    #[error("a name must not contain control characters")]
    ControlCharacter,
    /// The name starts with `_`, which is kept for system objects.
    #[error("names that start with '_' are reserved for the system")]
    Reserved,
}

impl Name {
    /// A name that a user chose: system names are refused.
    pub fn new(text: &str) -> Result<Name, NameError> {
        if text.starts_with('_') {
            return Err(NameError::Reserved);
        }
        Name::system(text)
    }

    /// Any valid name, system names (`_…`) among them.
    pub fn system(text: &str) -> Result<Name, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { bytes: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::ControlCharacter);
        }
        Ok(Name(Arc::from(text)))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
