use super::limbs::Limbs;
use super::{ExactSum, Specials};

/// Limbs at most, and zero limbs below them at most. A double reaches limb 33; weights and as many additions as anyone
/// lives to see add three. Words beyond that were not written by [`ExactSum::to_words`].
const LIMBS_MAX: u32 = 64;

impl ExactSum {
    /// The one sequence of words that stands for this sum; empty for zero.
    ///
    /// The first word is the number of zero limbs below, plus 2^32 if NaN or infinities are counted. Then follow the
    /// counts of NaN, +∞ and −∞ (only if announced), and the limbs, lowest first.
    #[must_use]
    pub fn to_words(&self) -> Vec<i64> {
        if self.is_zero() {
            return Vec::new();
        }
        let mut words = Vec::with_capacity(4 + self.number.limbs().len());
        words.push(i64::from(self.number.low()) | i64::from(self.specials.is_some()) << 32);
        if let Some(specials) = &self.specials {
            words.extend([specials.nan, specials.infinity, specials.negative_infinity]);
        }
        words.extend(self.number.limbs().iter().map(|limb| limb.cast_signed()));
        words
    }

    /// The sum that these words stand for; `None` if [`ExactSum::to_words`] never gives them.
    #[must_use]
    pub fn from_words(words: &[i64]) -> Option<ExactSum> {
        let Some((&first, rest)) = words.split_first() else { return Some(ExactSum::default()) };
        let low = u32::try_from(first & i64::from(u32::MAX)).ok()?;
        let (specials, limbs) = match first >> 32 {
            0 => (None, rest),
            1 => {
                let (&[nan, infinity, negative_infinity], limbs) = rest.split_first_chunk::<3>()?;
                (Some(Box::new(Specials { nan, infinity, negative_infinity })), limbs)
            }
            _ => return None,
        };
        if low > LIMBS_MAX || limbs.len() > LIMBS_MAX as usize {
            return None;
        }
        let number = Limbs::new(low, limbs.iter().map(|limb| limb.cast_unsigned()).collect());
        let sum = ExactSum { number, specials };
        // Only the canonical form gives back the same words.
        (sum.to_words() == words).then_some(sum)
    }
}
