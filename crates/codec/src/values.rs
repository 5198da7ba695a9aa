//! From the text of one value to its number: exact, and nothing is rounded or dropped in silence.

pub(crate) mod calendar;
pub(crate) mod float;
pub(crate) mod number;
pub(crate) mod scaled;
pub(crate) mod timestamp;
