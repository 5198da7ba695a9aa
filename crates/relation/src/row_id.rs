/// The place of one row in the state published when the id was given. The next `publish` makes it void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(u64);
