/// The exact sum of weighted floats.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExactSum {}

impl ExactSum {
    /// Adds `value`, `weight` times.
    pub fn add(&mut self, _value: f64, _weight: i64) { todo!() }
    /// Adds an integer, `weight` times.
    pub fn add_integer(&mut self, _value: i128, _weight: i64) { todo!() }
    /// Adds another sum.
    pub fn merge(&mut self, _other: &ExactSum) { todo!() }
    /// The sum times −1.
    #[must_use]
    pub fn negated(&self) -> ExactSum { todo!() }
    /// The sum times `factor`.
    #[must_use]
    pub fn scaled(&self, _factor: i64) -> ExactSum { todo!() }
    /// Whether the sum is zero and holds no NaN or infinity.
    #[must_use]
    pub fn is_zero(&self) -> bool { todo!() }
    /// The sum, rounded once to the nearest double, ties to even.
    #[must_use]
    pub fn to_f64(&self) -> f64 { todo!() }
    /// The sum as an integer, if it is one and fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> { todo!() }
    /// The sum divided by `count`, rounded once; `None` when `count` is zero.
    #[must_use]
    pub fn mean(&self, _count: i64) -> Option<f64> { todo!() }
    /// The one sequence of words that stands for this sum.
    #[must_use]
    pub fn to_words(&self) -> Vec<i64> { todo!() }
    /// The sum that these words stand for; `None` if [`ExactSum::to_words`] never gives them.
    #[must_use]
    pub fn from_words(_words: &[i64]) -> Option<ExactSum> { todo!() }
}
