/// The machine-readable reason why a record was refused. The text of [`RecordErrorCode::as_str`] is API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordErrorCode {
    /// The record is not valid JSON or CSV.
    Syntax,
    /// A value does not fit its column's type.
    Type,
    /// A number is outside its column's range, or a text too long.
    Range,
    /// A NOT NULL column without default is absent or NULL.
    NotNull,
    /// A field names no column.
    UnknownField,
    /// A field occurs twice in one record.
    DuplicateField,
    /// The record names a table that the program does not have.
    UnknownTable,
    /// The operation needs a primary key, or must not have one, or is unknown.
    Operation,
    /// A primary key column is absent or NULL.
    KeyMissing,
    /// No row with this key, or no row equal to this one.
    RowNotFound,
    /// Another record of its request cannot be, and the request was sent as all or nothing.
    RequestVoid,
    /// The row that a patch would make is too large, together with those of the same step.
    TooLarge,
    /// Applying the record's request alone made a view's computation panic.
    StepSkipped,
}

impl RecordErrorCode {
    /// The code as it stands in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RecordErrorCode::Syntax => "syntax",
            RecordErrorCode::Type => "type_mismatch",
            RecordErrorCode::Range => "out_of_range",
            RecordErrorCode::NotNull => "not_null",
            RecordErrorCode::UnknownField => "unknown_field",
            RecordErrorCode::DuplicateField => "duplicate_field",
            RecordErrorCode::UnknownTable => "unknown_table",
            RecordErrorCode::Operation => "bad_operation",
            RecordErrorCode::KeyMissing => "key_missing",
            RecordErrorCode::RowNotFound => "row_not_found",
            RecordErrorCode::RequestVoid => "request_void",
            RecordErrorCode::TooLarge => "too_large",
            RecordErrorCode::StepSkipped => "step_skipped",
        }
    }

    /// Every code there is.
    pub const ALL: [RecordErrorCode; 13] = [
        RecordErrorCode::Syntax,
        RecordErrorCode::Type,
        RecordErrorCode::Range,
        RecordErrorCode::NotNull,
        RecordErrorCode::UnknownField,
        RecordErrorCode::DuplicateField,
        RecordErrorCode::UnknownTable,
        RecordErrorCode::Operation,
        RecordErrorCode::KeyMissing,
        RecordErrorCode::RowNotFound,
        RecordErrorCode::RequestVoid,
        RecordErrorCode::TooLarge,
        RecordErrorCode::StepSkipped,
    ];

    /// The code that stands in answers as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<RecordErrorCode> {
        RecordErrorCode::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

/// One refused record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's place in its request, counted from zero.
    pub index: u32,
    /// Why, for machines.
    pub code: RecordErrorCode,
    /// The column or field at fault.
    pub column: Option<String>,
    /// Why, for people: lower case, no full stop.
    pub message: String,
    /// What to do, where it can be said.
    pub hint: Option<String>,
    /// The record as it came (at most `limits::QUARANTINE_PAYLOAD_BYTES_MAX` bytes of it).
    pub payload: String,
}
