//! JSON bodies, in one pass: each value goes from its text straight into its column.
//!
//! Reading is optimistic. Where anything is wrong with a record, its values are dropped and its text is checked again
//! from its start by [`cursor::Cursor::skip_value`], which tells bad syntax from bad values and finds where the record
//! ends. So the usual path carries no bookkeeping for the rare one, and what is JSON is decided in one place.

pub(crate) mod body;
pub(crate) mod cursor;
pub(crate) mod envelope;
pub(crate) mod row;
pub(crate) mod string;
