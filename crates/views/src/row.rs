use feldera_macros::IsNone;
use rkyv::ser::{ScratchSpace, Serializer};
use rkyv::vec::{ArchivedVec, VecResolver};
use rkyv::{Archive, Deserialize, Fallible, Serialize};
use size_of::{Context, SizeOf};
use smallvec::SmallVec;

/// A row, or a part of one, as memcomparable bytes: what the dataflow keeps as key or value of its state.
///
/// Short rows lie in place: most keys need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, IsNone)]
pub(crate) struct ByteRow(SmallVec<[u8; 24]>);

impl ByteRow {
    /// A row of these bytes.
    pub(crate) fn new(bytes: &[u8]) -> ByteRow {
        ByteRow(SmallVec::from_slice(bytes))
    }

    /// The bytes of several rows one after another. Field encodings end by themselves, so this is the encoding of
    /// the row that has the fields of all.
    pub(crate) fn concat<const N: usize>(rows: [&ByteRow; N]) -> ByteRow {
        let mut bytes = SmallVec::with_capacity(rows.iter().map(|row| row.0.len()).sum());
        rows.iter().for_each(|row| bytes.extend_from_slice(&row.0));
        ByteRow(bytes)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl SizeOf for ByteRow {
    fn size_of_children(&self, context: &mut Context) {
        if self.0.spilled() {
            context.add(self.0.capacity());
        }
    }
}

impl Archive for ByteRow {
    type Archived = ArchivedVec<u8>;
    type Resolver = VecResolver;

    unsafe fn resolve(&self, position: usize, resolver: VecResolver, out: *mut ArchivedVec<u8>) {
        // SAFETY: the caller vouches for `position` and `out`, which are handed on as they came.
        unsafe { ArchivedVec::resolve_from_slice(&self.0, position, resolver, out) }
    }
}

impl<S: ScratchSpace + Serializer + ?Sized> Serialize<S> for ByteRow {
    fn serialize(&self, serializer: &mut S) -> Result<VecResolver, S::Error> {
        ArchivedVec::<u8>::serialize_from_slice(&self.0, serializer)
    }
}

impl<D: Fallible + ?Sized> Deserialize<ByteRow, D> for ArchivedVec<u8> {
    fn deserialize(&self, _: &mut D) -> Result<ByteRow, D::Error> {
        Ok(ByteRow::new(self.as_slice()))
    }
}
