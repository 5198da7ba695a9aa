use super::step::Stamp;

/// A change of the workspace's program: all of it as it is from this LSN on.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ProgramChangeRecord {
    /// When; the stamp's program version is the one *before* the change.
    #[prost(message, optional, tag = "1")]
    pub stamp: Option<Stamp>,
    /// The version from here on.
    #[prost(uint64, tag = "2")]
    pub version: u64,
    /// Every module of the program.
    #[prost(message, repeated, tag = "3")]
    pub modules: Vec<ModuleRecord>,
    /// Every table and materialised view with its number.
    #[prost(message, repeated, tag = "4")]
    pub relations: Vec<RelationRecord>,
    /// What the new views found in rows that were there, as far as it is listed.
    #[prost(message, repeated, tag = "5")]
    pub errors: Vec<ErrorRecord>,
}

/// An expression that had no value.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ErrorRecord {
    /// The view.
    #[prost(string, tag = "1")]
    pub view: String,
    /// The column.
    #[prost(string, tag = "2")]
    pub column: String,
    /// Why.
    #[prost(string, tag = "3")]
    pub reason: String,
}

/// One named part of a program.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ModuleRecord {
    /// `sql`, `api` or a feature repository's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its text.
    #[prost(string, tag = "2")]
    pub text: String,
}

/// The number that a relation keeps as long as its rows.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RelationRecord {
    /// Its name in the program.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its number.
    #[prost(uint32, tag = "2")]
    pub relation: u32,
    /// The LSN at which it was created, or its columns changed.
    #[prost(uint64, tag = "3")]
    pub incarnation: u64,
}
