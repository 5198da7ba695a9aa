use headwater_types::RecordErrorCode;

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

    pub(crate) fn at(mut self: Box<Self>, column: &str) -> Box<Problem> {
        self.column = Some(column.to_owned());
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
