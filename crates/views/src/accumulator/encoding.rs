use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, Float64Type, Int64Type, i256};
use headwater_types::ExactSum;
use rkyv::ser::{ScratchSpace, Serializer};
use rkyv::vec::{ArchivedVec, VecResolver};
use rkyv::{Archive, Deserialize, Fallible, Serialize};

use super::{Accumulator, Argument, Cell, Sum, Wide};

/// The first byte of an anchor's value; a row's value is empty or starts with [`NULL`] or [`PRESENT`].
pub(super) const ANCHOR: u8 = 2;
const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// One linear argument of a batch, ready to be written row by row.
pub(crate) enum ArgumentColumn {
    Presence(ArrayRef),
    Integer(PrimitiveArray<Int64Type>),
    Decimal(PrimitiveArray<Decimal128Type>),
    Float(PrimitiveArray<Float64Type>),
}

impl Argument {
    /// Prepares a column of this argument.
    pub(crate) fn column(self, values: &ArrayRef) -> ArgumentColumn {
        let widened =
            |data_type| cast(values, &data_type).expect("narrow numbers fit the wide type of their kind");
        match self {
            Argument::Presence => ArgumentColumn::Presence(values.clone()),
            Argument::Integer => ArgumentColumn::Integer(widened(DataType::Int64).as_primitive().clone()),
            Argument::Decimal { .. } => match values.data_type() {
                DataType::UInt64 => {
                    ArgumentColumn::Decimal(widened(DataType::Decimal128(20, 0)).as_primitive().clone())
                }
                _ => ArgumentColumn::Decimal(values.as_primitive().clone()),
            },
            Argument::Float => ArgumentColumn::Float(widened(DataType::Float64).as_primitive().clone()),
        }
    }

    /// Reads one value from the front of `bytes`.
    fn read(self, bytes: &mut &[u8]) -> Cell {
        let present = take::<1>(bytes)[0] == PRESENT;
        let sum = match self {
            Argument::Presence => Sum::Presence,
            Argument::Integer => {
                Sum::Integer(Wide::new(if present { i64::from_le_bytes(take(bytes)).into() } else { 0 }))
            }
            Argument::Decimal { .. } => Sum::Decimal(Box::new(i256::from_i128(if present {
                i128::from_le_bytes(take(bytes))
            } else {
                0
            }))),
            Argument::Float => {
                let mut sum = ExactSum::default();
                if present {
                    sum.add(f64::from_le_bytes(take(bytes)), 1);
                }
                Sum::Float(Box::new(sum))
            }
        };
        Cell { present: i64::from(present), sum }
    }
}

impl ArgumentColumn {
    /// Appends the value of one row.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            ArgumentColumn::Presence(values) => out.push(if values.is_valid(row) { PRESENT } else { NULL }),
            ArgumentColumn::Integer(values) => write_value(values, row, out, |value| value.to_le_bytes()),
            ArgumentColumn::Decimal(values) => write_value(values, row, out, |value| value.to_le_bytes()),
            ArgumentColumn::Float(values) => write_value(values, row, out, |value| value.to_le_bytes()),
        }
    }
}

fn write_value<T: ArrowPrimitiveType, const N: usize>(
    values: &PrimitiveArray<T>,
    row: usize,
    out: &mut Vec<u8>,
    bytes: impl Fn(T::Native) -> [u8; N],
) {
    if values.is_valid(row) {
        out.push(PRESENT);
        out.extend_from_slice(&bytes(values.value(row)));
    } else {
        out.push(NULL);
    }
}

impl Accumulator {
    /// What one row adds: its arguments as [`ArgumentColumn::write`] wrote them, or an anchor.
    pub(crate) fn of_row(mut bytes: &[u8], arguments: &[Argument]) -> Accumulator {
        if bytes.first() == Some(&ANCHOR) {
            return Accumulator::anchor();
        }
        let cells = arguments.iter().map(|argument| argument.read(&mut bytes)).collect();
        Accumulator { rows: 1, anchors: 0, cells }
    }

    /// The bytes that stand for this accumulator.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.anchors.to_le_bytes());
        for cell in &self.cells {
            out.extend_from_slice(&cell.present.to_le_bytes());
            match &cell.sum {
                Sum::Presence => out.push(0),
                Sum::Integer(sum) => {
                    out.push(1);
                    out.extend_from_slice(&sum.0);
                }
                Sum::Decimal(sum) => {
                    out.push(2);
                    out.extend_from_slice(&sum.to_le_bytes());
                }
                Sum::Float(sum) => {
                    let words = sum.to_words();
                    out.push(3);
                    out.extend_from_slice(&(words.len() as u64).to_le_bytes());
                    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                }
            }
        }
        out
    }

    /// The accumulator that [`Accumulator::to_bytes`] gave these bytes for.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Accumulator {
        let bytes = &mut bytes;
        let mut accumulator = Accumulator {
            rows: i64::from_le_bytes(take(bytes)),
            anchors: i64::from_le_bytes(take(bytes)),
            ..Accumulator::default()
        };
        while !bytes.is_empty() {
            let present = i64::from_le_bytes(take(bytes));
            let sum = match take::<1>(bytes)[0] {
                0 => Sum::Presence,
                1 => Sum::Integer(Wide(take(bytes))),
                2 => Sum::Decimal(Box::new(i256::from_le_bytes(take(bytes)))),
                3 => {
                    let words = u64::from_le_bytes(take(bytes));
                    let words: Vec<i64> = (0..words).map(|_| i64::from_le_bytes(take(bytes))).collect();
                    Sum::Float(Box::new(ExactSum::from_words(&words).expect("the words were given by a sum")))
                }
                kind => unreachable!("no accumulator was written with a sum of kind {kind}"),
            };
            accumulator.cells.push(Cell { present, sum });
        }
        accumulator
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, tail) = bytes.split_first_chunk::<N>().expect("the bytes were written by this module");
    *bytes = tail;
    *head
}

impl Archive for Accumulator {
    type Archived = ArchivedVec<u8>;
    type Resolver = (usize, VecResolver);

    unsafe fn resolve(&self, position: usize, resolver: Self::Resolver, out: *mut ArchivedVec<u8>) {
        let (length, resolver) = resolver;
        // SAFETY: the caller vouches for `position` and `out`; `length` bytes were serialized for this resolver.
        unsafe { ArchivedVec::resolve_from_len(length, position, resolver, out) }
    }
}

impl<S: ScratchSpace + Serializer + ?Sized> Serialize<S> for Accumulator {
    fn serialize(&self, serializer: &mut S) -> Result<Self::Resolver, S::Error> {
        let bytes = self.to_bytes();
        Ok((bytes.len(), ArchivedVec::<u8>::serialize_from_slice(&bytes, serializer)?))
    }
}

impl<D: Fallible + ?Sized> Deserialize<Accumulator, D> for ArchivedVec<u8> {
    fn deserialize(&self, _: &mut D) -> Result<Accumulator, D::Error> {
        Ok(Accumulator::from_bytes(self.as_slice()))
    }
}
