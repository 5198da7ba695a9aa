//! From single values to batches: typed column builders that can roll a record back, and the runs they form.

pub(crate) mod column_builder;
pub(crate) mod from_text;
pub(crate) mod plan;
pub(crate) mod row_builder;
pub(crate) mod scalar;
