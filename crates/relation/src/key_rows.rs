/// Keys as memcomparable bytes: equal keys have equal bytes, and bytes order as keys do (NULL first).
#[derive(Debug)]
pub struct KeyRows {}

impl KeyRows {
    /// The number of keys.
    #[must_use]
    pub fn num_rows(&self) -> usize { todo!() }
    /// The bytes of one key.
    #[must_use]
    pub fn key(&self, _row: usize) -> &[u8] { todo!() }
    /// The bytes of all keys, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> { (0..self.num_rows()).map(|row| self.key(row)) }
}
