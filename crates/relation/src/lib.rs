//! The rows of one table or view: in memory, columnar, versioned.
//!
//! Rows lie in immutable segments of Arrow columns. A published state is a persistent list of segments, each with a
//! bitmap of the rows that still live; a change makes a new list that shares all it does not touch. Whoever holds a
//! [`RelationSnapshot`] keeps its list, and so sees the same rows for ever.
//!
//! A change is *prepared* from the published state without being visible, while the log syncs, and made visible by
//! *publish*, which only swaps the list and writes the prepared entries into the index, under the one lock that
//! look-ups from other threads take for reading. New rows come as small segments. Preparing also merges these by size,
//! a factor of eight at a time, and rewrites segments of which more than half is dead, so that memory follows the live
//! rows and a row is copied a logarithmic number of times in its life; the work per step is bounded.
//!
//! Contents and their order depend on the sequence of changes alone. Hashes are seeded at random per relation, against
//! keys chosen to collide, and nothing that can be observed depends on them.
//!
//! Values are expected in canonical form: one NaN, and 0.0 for −0.0, as columns of these types promise. Two rows are
//! equal when all columns are, and NULL equals NULL. Which one of several equal rows is removed cannot be observed.
//!
//! Reading order:

/// The place of one row in the published state.
pub mod row_id;

/// Keys as comparable bytes.
pub mod key_rows;

/// Why a change may be refused.
pub mod error;

/// Netting of weighted rows.
pub mod consolidate;

/// One relation, seen by the thread that changes it.
pub mod relation;

/// Look-ups by key from any thread.
pub mod reader;

/// All rows as of one moment, for ever.
pub mod snapshot;

/// Look-ups by key in a snapshot.
mod lookup_at;

/// Copying rows together, whatever their size.
mod gather;

/// An immutable run of rows, and which of them live.
mod segment;

/// The persistent list of segments that is one state of a relation.
mod segment_list;

/// Which segments are merged when.
mod compaction;

/// From keys or whole rows to places.
mod index;

/// Rows as bytes and hashes.
mod row_encoder;

/// Whether two stored values are equal.
mod row_equality;

/// What owner and readers share.
mod shared;

/// A change in the making.
mod draft;

/// From removed places and new rows to a draft.
mod prepare_keyed;

/// From weighted whole rows to a draft.
mod prepare_multiset;

/// Other columns for the same rows.
pub mod alteration;

pub use alteration::{Alteration, ColumnSource};
pub use consolidate::{consolidate, row_bytes};
pub use draft::Change;
pub use error::ChangeError;
pub use key_rows::KeyRows;
pub use reader::RelationReader;
pub use relation::Relation;
pub use row_id::RowId;
pub use snapshot::RelationSnapshot;
