/// The place of one row in the state published when the id was given. The next `publish` makes it void, as merges move
/// rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    place: u32,
    row: u32,
}

impl RowId {
    /// The row with this number in the segment at this place of the list.
    pub(crate) fn new(place: u32, row: u32) -> RowId {
        RowId { place, row }
    }

    /// The place of the row's segment in the list.
    pub(crate) fn place(self) -> u32 {
        self.place
    }

    /// The row's number in its segment.
    pub(crate) fn row(self) -> u32 {
        self.row
    }
}
