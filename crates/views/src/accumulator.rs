//! The state of all linear aggregates of one group: COUNT, SUM and AVG of any number of arguments.
//!
//! It is a commutative group: sums are exact whatever the order, and taking away what was added leaves nothing.

/// Arguments as bytes, and accumulators as bytes.
mod encoding;
/// What is accumulated, and what the aggregates are computed from it.
mod linear;
#[cfg(test)]
mod tests;

use arrow::datatypes::i256;
use dbsp::algebra::{AddAssignByRef, AddByRef, HasZero, MulByRef};
use feldera_macros::IsNone;
use headwater_types::ExactSum;
use size_of::{Context, SizeOf};
use smallvec::SmallVec;

pub(crate) use linear::{Argument, LinearAggregates, LinearFunction, LinearResult, ResultType};

/// What the rows of one group add up to. The zero has no cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, IsNone)]
pub(crate) struct Accumulator {
    /// How many rows there are.
    rows: i64,
    /// Positive where the group exists though it has no rows: the one group of an aggregate without GROUP BY.
    anchors: i64,
    /// One cell per argument; none when only an anchor was added.
    cells: SmallVec<[Cell; 2]>,
}

/// What one argument adds up to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cell {
    /// How many values are not NULL.
    present: i64,
    sum: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sum {
    /// Only presence is counted.
    Presence,
    /// Integers of at most 64 bits. Weights are bounded by the rows there are, so 128 bits are never passed.
    Integer(Wide),
    /// Decimals, by their unscaled digits.
    Decimal(Box<i256>),
    Float(Box<ExactSum>),
}

/// An `i128` that is aligned like an `i64`, which keeps cells small: there is one per group and argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Wide([u8; 16]);

impl Wide {
    fn new(value: i128) -> Wide {
        Wide(value.to_le_bytes())
    }

    fn get(self) -> i128 {
        i128::from_le_bytes(self.0)
    }
}

impl Accumulator {
    /// What keeps the one group of an aggregate without GROUP BY alive.
    fn anchor() -> Accumulator {
        Accumulator { anchors: 1, ..Accumulator::default() }
    }

    fn drop_zeros(&mut self) {
        if self.rows == 0 && self.anchors == 0 && self.cells.iter().all(Cell::is_zero) {
            self.cells.clear();
        }
    }
}

impl Cell {
    fn is_zero(&self) -> bool {
        self.present == 0
            && match &self.sum {
                Sum::Presence => true,
                Sum::Integer(sum) => sum.get() == 0,
                Sum::Decimal(sum) => **sum == i256::ZERO,
                Sum::Float(sum) => sum.is_zero(),
            }
    }

    fn add(&mut self, other: &Cell) {
        self.present = self.present.wrapping_add(other.present);
        match (&mut self.sum, &other.sum) {
            (Sum::Presence, Sum::Presence) => {}
            (Sum::Integer(sum), Sum::Integer(other)) => {
                *sum = Wide::new(sum.get().wrapping_add(other.get()));
            }
            (Sum::Decimal(sum), Sum::Decimal(other)) => **sum = sum.wrapping_add(**other),
            (Sum::Float(sum), Sum::Float(other)) => sum.merge(other),
            (mine, theirs) => {
                unreachable!("cells of one column are of one kind, not {mine:?} and {theirs:?}")
            }
        }
    }

    fn scale(&mut self, weight: i64) {
        self.present = self.present.wrapping_mul(weight);
        match &mut self.sum {
            Sum::Presence => {}
            Sum::Integer(sum) => *sum = Wide::new(sum.get().wrapping_mul(i128::from(weight))),
            Sum::Decimal(sum) => **sum = sum.wrapping_mul(i256::from_i128(i128::from(weight))),
            Sum::Float(sum) => **sum = sum.scaled(weight),
        }
    }
}

impl HasZero for Accumulator {
    fn is_zero(&self) -> bool {
        self.rows == 0 && self.anchors == 0 && self.cells.is_empty()
    }

    fn zero() -> Accumulator {
        Accumulator::default()
    }
}

impl AddAssignByRef for Accumulator {
    fn add_assign_by_ref(&mut self, other: &Accumulator) {
        self.rows = self.rows.wrapping_add(other.rows);
        self.anchors = self.anchors.wrapping_add(other.anchors);
        if self.cells.is_empty() {
            self.cells.clone_from(&other.cells);
        } else {
            for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
                mine.add(theirs);
            }
        }
        self.drop_zeros();
    }
}

impl AddByRef for Accumulator {
    fn add_by_ref(&self, other: &Accumulator) -> Accumulator {
        let mut sum = self.clone();
        sum.add_assign_by_ref(other);
        sum
    }
}

impl MulByRef<dbsp::ZWeight> for Accumulator {
    type Output = Accumulator;

    fn mul_by_ref(&self, weight: &dbsp::ZWeight) -> Accumulator {
        let mut product = self.clone();
        if *weight != 1 {
            product.rows = product.rows.wrapping_mul(*weight);
            product.anchors = product.anchors.wrapping_mul(*weight);
            product.cells.iter_mut().for_each(|cell| cell.scale(*weight));
            product.drop_zeros();
        }
        product
    }
}

impl PartialOrd for Accumulator {
    fn partial_cmp(&self, other: &Accumulator) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Accumulator {
    /// The order of the bytes that stand for accumulators in files; it has no other meaning.
    fn cmp(&self, other: &Accumulator) -> std::cmp::Ordering {
        self.to_bytes().cmp(&other.to_bytes())
    }
}

impl SizeOf for Accumulator {
    fn size_of_children(&self, context: &mut Context) {
        if self.cells.spilled() {
            context.add(self.cells.capacity() * size_of::<Cell>());
        }
        for cell in &self.cells {
            context.add(match cell.sum {
                Sum::Presence | Sum::Integer(_) => 0,
                Sum::Decimal(_) => size_of::<i256>(),
                Sum::Float(_) => size_of::<ExactSum>(),
            });
        }
    }
}
