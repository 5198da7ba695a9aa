//! The rows of one table or view: in memory, columnar, versioned.
//!
//! Reading order:

/// What a prepared change of a relation may be refused for.
pub mod error;
/// Keys as comparable bytes.
pub mod key_rows;
/// The place of one row in the published state.
pub mod row_id;
/// One relation, seen by the thread that changes it.
pub mod relation;
/// Look-ups by key from any thread.
pub mod reader;
/// All rows as of one moment, for ever.
pub mod snapshot;
/// Netting of weighted rows.
pub mod consolidate;

pub use consolidate::{consolidate, row_bytes};
pub use error::ChangeError;
pub use key_rows::KeyRows;
pub use reader::RelationReader;
pub use relation::{Change, Relation};
pub use row_id::RowId;
pub use snapshot::RelationSnapshot;
