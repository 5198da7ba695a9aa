use smallvec::SmallVec;

/// An integer of any size in two's complement, sparse at the low end, in canonical form (see the parent module).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Limbs {
    /// How many zero limbs lie below the stored ones.
    low: u32,
    /// The limbs, lowest first; bit 63 of the last one is the sign.
    limbs: SmallVec<[u64; 4]>,
}

impl Limbs {
    /// The number with these limbs above `low` zero limbs, brought to canonical form.
    pub(super) fn new(low: u32, limbs: SmallVec<[u64; 4]>) -> Limbs {
        let mut number = Limbs { low, limbs };
        number.trim();
        number
    }

    pub(super) fn low(&self) -> u32 {
        self.low
    }

    pub(super) fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.limbs.last().is_some_and(|&limb| limb >> 63 == 1)
    }

    /// Adds `value` · 2^`bit`.
    pub(super) fn add_shifted(&mut self, value: i128, bit: u32) {
        if value == 0 {
            return;
        }
        // Without trailing zeros the value never reaches below the lowest limb that it needs.
        let zeros = value.trailing_zeros();
        let (value, bit) = (value >> zeros, bit + zeros);
        let shift = bit % 64;
        let shifted = value.cast_unsigned() << shift;
        // `>>` in two steps: the amount may be 128.
        let high = value >> (127 - shift) >> 1;
        let words = [low_word(shifted), low_word(shifted >> 64), low_word(high.cast_unsigned())];
        let used = words_needed(&words);
        self.add_words(&words[..used], bit / 64);
    }

    /// Adds another number.
    pub(super) fn add(&mut self, other: &Limbs) {
        self.add_words(&other.limbs, other.low);
    }

    /// The number times `factor`.
    pub(super) fn scaled(&self, factor: i64) -> Limbs {
        let mut limbs = SmallVec::with_capacity(self.limbs.len() + 1);
        let mut carry = 0_i128;
        let (last, rest) = match self.limbs.split_last() {
            Some(split) if factor != 0 => split,
            _ => return Limbs::default(),
        };
        // All limbs but the last are unsigned digits; each product plus carry stays within i128.
        for &limb in rest {
            let product = i128::from(limb) * i128::from(factor) + carry;
            limbs.push(low_word(product.cast_unsigned()));
            carry = product >> 64;
        }
        let product = i128::from(last.cast_signed()) * i128::from(factor) + carry;
        limbs.push(low_word(product.cast_unsigned()));
        limbs.push(low_word((product >> 64).cast_unsigned()));
        Limbs::new(self.low, limbs)
    }

    /// The number without its sign: `low` and unsigned limbs, the last of which is not zero unless there is none.
    pub(super) fn magnitude(&self) -> SmallVec<[u64; 4]> {
        let mut limbs = self.limbs.clone();
        if self.is_negative() {
            let mut carry = true;
            for limb in &mut limbs {
                (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
            }
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        limbs
    }

    /// The number divided by 2^`unit_bit`, if that is an integer and fits.
    pub(super) fn to_integer(&self, unit_bit: u32) -> Option<i128> {
        let magnitude = self.magnitude();
        let mut value = 0_u128;
        for (limb, place) in magnitude.iter().zip(self.low..) {
            let shift = i64::from(place) * 64 - i64::from(unit_bit);
            value |= shifted_exactly(u128::from(*limb), shift)?;
        }
        if self.is_negative() {
            // The magnitude of i128::MIN has no positive counterpart.
            (value <= 1 << 127).then(|| value.cast_signed().wrapping_neg())
        } else {
            i128::try_from(value).ok()
        }
    }

    /// Adds a two's complement number whose lowest limb is limb `low`.
    fn add_words(&mut self, words: &[u64], low: u32) {
        let Some(&last) = words.last() else { return };
        self.make_room(low, words.len());
        let extension = sign_extension(last);
        let sign = sign_extension(self.limbs[self.limbs.len() - 1]);
        let start = (low - self.low) as usize;
        let mut carry = false;
        let (head, tail) = self.limbs[start..].split_at_mut(words.len());
        for (limb, &word) in head.iter_mut().zip(words) {
            (*limb, carry) = add_with_carry(*limb, word, carry);
        }
        for limb in tail {
            // Adding 0 without carry, or −1 with carry, changes nothing from here on.
            if carry == (extension != 0) {
                break;
            }
            (*limb, carry) = add_with_carry(*limb, extension, carry);
        }
        let sum_sign = sign_extension(self.limbs[self.limbs.len() - 1]);
        if sign == extension && sum_sign != sign {
            // Two of the same sign gave the other one: the true sign needs a limb more.
            self.limbs.push(sign);
        }
        self.trim();
    }

    /// Stores limbs `low` to `low + len` at least.
    fn make_room(&mut self, low: u32, len: usize) {
        if self.limbs.is_empty() {
            self.low = low;
        } else if low < self.low {
            self.limbs.insert_many(0, std::iter::repeat_n(0, (self.low - low) as usize));
            self.low = low;
        }
        let extension = self.limbs.last().map_or(0, |&last| sign_extension(last));
        let needed = (low - self.low) as usize + len;
        if needed > self.limbs.len() {
            self.limbs.resize(needed, extension);
        }
    }

    /// Drops limbs that the canonical form does without.
    fn trim(&mut self) {
        while let [.., below, last] = self.limbs[..]
            && last == sign_extension(below)
        {
            self.limbs.pop();
        }
        if self.limbs[..] == [0] {
            self.limbs.pop();
        }
        if self.limbs.is_empty() {
            self.low = 0;
        } else if self.limbs[0] == 0 {
            let zeros = self.limbs.iter().take_while(|&&limb| limb == 0).count();
            self.limbs.drain(..zeros);
            self.low += u32::try_from(zeros).expect("a sum has far fewer than 2^32 limbs");
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low_word(value: u128) -> u64 {
    value as u64
}

/// What stands above a number whose last limb this is: all zeros or all ones.
fn sign_extension(last: u64) -> u64 {
    (last.cast_signed() >> 63).cast_unsigned()
}

/// How many of the words are more than sign extension.
fn words_needed(words: &[u64; 3]) -> usize {
    match *words {
        [a, b, c] if b == sign_extension(a) && c == sign_extension(a) => 1,
        [_, b, c] if c == sign_extension(b) => 2,
        _ => 3,
    }
}

fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first || second)
}

/// `value` · 2^`shift` if no set bit is lost.
fn shifted_exactly(value: u128, shift: i64) -> Option<u128> {
    if value == 0 {
        return Some(0);
    }
    let shift_bits = u32::try_from(shift.unsigned_abs()).ok()?;
    if shift >= 0 {
        (shift_bits <= value.leading_zeros()).then(|| value << shift_bits)
    } else {
        (shift_bits <= value.trailing_zeros()).then(|| value >> shift_bits)
    }
}
