/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and not including, `end`.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        i64::try_from(self.next() % end).unwrap_or(0)
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(i64::try_from(from.len()).unwrap_or(1))).unwrap_or(0)]
    }

    /// Small letters.
    pub(crate) fn letters(&mut self, length: usize) -> String {
        let mut letters = String::with_capacity(length);
        while letters.len() < length {
            let mut bits = self.next();
            for _ in 0..12.min(length - letters.len()) {
                letters.push(char::from(b'a' + u8::try_from(bits % 26).unwrap_or(0)));
                bits /= 26;
            }
        }
        letters
    }
}
