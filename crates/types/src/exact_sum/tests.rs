#![allow(clippy::unwrap_used)]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use num_bigint::BigInt;
use proptest::prelude::*;

use super::ExactSum;

/// A finite double as a multiple of 2^−1074.
fn units(value: f64) -> BigInt {
    let bits = value.abs().to_bits();
    let (exponent, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
    let magnitude = match exponent {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | 1 << 52) << (exponent - 1),
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

/// The multiples of 2^−1074 that `value` stands for; infinity is the double that would come next.
fn units_or_next(value: f64) -> BigInt {
    match value {
        f64::INFINITY => units(2_f64.powi(1023)) * 2,
        f64::NEG_INFINITY => units(2_f64.powi(1023)) * -2,
        _ => units(value),
    }
}

/// Whether no double is nearer to `numerator / denominator` units than `value`, and a tie went to the even one.
fn is_nearest(value: f64, numerator: &BigInt, denominator: i64) -> bool {
    let (numerator, denominator) = if denominator < 0 {
        (-numerator, -BigInt::from(denominator))
    } else {
        (numerator.clone(), denominator.into())
    };
    let even = value.to_bits() & 1 == 0;
    let twice = numerator * 2;
    let middle = |neighbour: f64| (units_or_next(value) + units_or_next(neighbour)) * &denominator;
    let above = value == f64::INFINITY || {
        let middle = middle(value.next_up());
        twice < middle || (twice == middle && even)
    };
    let below = value == f64::NEG_INFINITY || {
        let middle = middle(value.next_down());
        twice > middle || (twice == middle && even)
    };
    above && below
}

fn sum_of(terms: &[(f64, i64)]) -> ExactSum {
    let mut sum = ExactSum::default();
    for &(value, weight) in terms {
        sum.add(value, weight);
    }
    sum
}

fn exact_units(terms: &[(f64, i64)]) -> BigInt {
    terms.iter().map(|&(value, weight)| units(value) * weight).sum()
}

fn hash_of(sum: &ExactSum) -> u64 {
    let mut hasher = DefaultHasher::new();
    sum.hash(&mut hasher);
    hasher.finish()
}

/// Doubles of every size, with many that are near each other, tiny, huge, or cancel.
fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite()),
        (-100_000_i64..100_000).prop_map(|cents| cents as f64 / 100.0),
        (0_u64..1 << 54).prop_map(f64::from_bits),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            f64::MAX,
            f64::MIN,
            5e-324,
            -5e-324,
            2.2250738585072014e-308
        ]),
        (-1074_i32..1024).prop_map(|exponent| 2_f64.powi(exponent)),
    ]
}

fn weight() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(1_i64), 4 => Just(-1), 2 => -1000_i64..1000, 1 => any::<i64>()]
}

fn terms() -> impl Strategy<Value = Vec<(f64, i64)>> {
    prop::collection::vec((finite(), weight()), 0..24)
}

proptest! {
    #[test]
    fn the_sum_is_the_exact_one_rounded_to_the_nearest_double(terms in terms()) {
        let sum = sum_of(&terms);
        prop_assert!(is_nearest(sum.to_f64(), &exact_units(&terms), 1), "{} of {terms:?}", sum.to_f64());
    }

    #[test]
    fn the_mean_is_the_exact_quotient_rounded_to_the_nearest_double(
        terms in terms(),
        count in prop_oneof![1_i64..100, -100_i64..0, any::<i64>().prop_filter("not zero", |count| *count != 0)],
    ) {
        let mean = sum_of(&terms).mean(count).unwrap();
        prop_assert!(is_nearest(mean, &exact_units(&terms), count), "{mean} of {terms:?} by {count}");
    }

    #[test]
    fn the_order_of_additions_does_not_matter(terms in terms(), seed in any::<prop::sample::Index>()) {
        let mut turned = terms.clone();
        if !turned.is_empty() {
            let by = seed.index(turned.len());
            turned.rotate_left(by);
            turned.reverse();
        }
        let (one, other) = (sum_of(&terms), sum_of(&turned));
        prop_assert_eq!(hash_of(&one), hash_of(&other));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn merging_partial_sums_gives_the_sum_of_all(a in terms(), b in terms(), c in terms()) {
        let whole = sum_of(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (sum_of(&a), sum_of(&b), sum_of(&c));
        let mut left = a.clone();
        left.merge(&b);
        left.merge(&c);
        let mut right = c;
        right.merge(&b);
        right.merge(&a);
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(right, whole);
    }

    #[test]
    fn taking_everything_out_again_leaves_nothing(terms in terms()) {
        let mut sum = sum_of(&terms);
        for &(value, weight) in &terms {
            // −2^63 has no positive counterpart.
            match weight.checked_neg() {
                Some(negated) => sum.add(value, negated),
                None => [i64::MAX, 1].into_iter().for_each(|part| sum.add(value, part)),
            }
        }
        prop_assert!(sum.is_zero());
        prop_assert_eq!(sum, ExactSum::default());
    }

    #[test]
    fn scaling_multiplies_the_sum(terms in terms(), factor in any::<i64>()) {
        let scaled = sum_of(&terms).scaled(factor);
        prop_assert!(is_nearest(scaled.to_f64(), &(exact_units(&terms) * factor), 1));
        let mut with_one_more = sum_of(&terms).scaled(factor / 2);
        with_one_more.merge(&sum_of(&terms).scaled(factor - factor / 2));
        prop_assert_eq!(scaled, with_one_more);
    }

    #[test]
    fn sums_are_ordered_as_numbers_are(a in terms(), b in terms()) {
        let expected = exact_units(&a).cmp(&exact_units(&b));
        prop_assert_eq!(sum_of(&a).cmp(&sum_of(&b)), expected);
    }

    #[test]
    fn words_give_back_the_sum(terms in terms(), nan in -2_i64..3, infinity in -2_i64..3) {
        let mut sum = sum_of(&terms);
        sum.add(f64::NAN, nan);
        sum.add(f64::INFINITY, infinity);
        prop_assert_eq!(ExactSum::from_words(&sum.to_words()), Some(sum));
    }

    #[test]
    fn foreign_words_are_refused_or_canonical(words in prop::collection::vec(prop_oneof![-2_i64..3, any::<i64>(), 1_i64<<32..(1_i64<<32) + 3], 0..8)) {
        if let Some(sum) = ExactSum::from_words(&words) {
            prop_assert_eq!(sum.to_words(), words);
        }
    }

    #[test]
    fn integers_are_summed_exactly(terms in prop::collection::vec((any::<i128>(), weight()), 0..8)) {
        let mut sum = ExactSum::default();
        for &(value, weight) in &terms {
            sum.add_integer(value, weight);
        }
        let exact: BigInt = terms.iter().map(|&(value, weight)| BigInt::from(value) * weight).sum();
        prop_assert_eq!(sum.to_i128(), i128::try_from(&exact).ok());
        prop_assert!(is_nearest(sum.to_f64(), &(exact << 1074), 1));
    }
}

#[test]
fn a_tenth_added_ten_times_is_not_one_but_rounds_to_it() {
    let sum = sum_of(&[(0.1, 10)]);
    assert_ne!(sum, sum_of(&[(1.0, 1)]));
    assert_eq!(sum.to_f64(), 1.0);
    assert_eq!(sum.mean(10), Some(0.1));
}

#[test]
fn a_large_value_that_comes_and_goes_leaves_the_small_one() {
    assert_eq!(sum_of(&[(1e300, 1), (1e-300, 1), (1e300, -1)]).to_f64(), 1e-300);
}

#[test]
fn sums_beyond_the_largest_double_are_infinite_until_they_come_back() {
    let mut sum = sum_of(&[(f64::MAX, 2)]);
    assert_eq!(sum.to_f64(), f64::INFINITY);
    assert_eq!(sum.mean(2), Some(f64::MAX));
    sum.add(f64::MAX, -1);
    assert_eq!(sum.to_f64(), f64::MAX);
}

#[test]
fn half_a_unit_above_the_largest_double_rounds_to_infinity() {
    let half_unit = 2_f64.powi(970);
    assert_eq!(sum_of(&[(f64::MAX, 1), (half_unit, 1)]).to_f64(), f64::INFINITY);
    assert_eq!(sum_of(&[(f64::MAX, 1), (half_unit.next_down(), 1)]).to_f64(), f64::MAX);
}

#[test]
fn the_mean_of_nothing_is_none() {
    assert_eq!(sum_of(&[(1.0, 1)]).mean(0), None);
}

#[test]
fn a_mean_below_half_the_smallest_double_is_zero_without_sign() {
    assert_eq!(sum_of(&[(-5e-324, 1)]).mean(2).unwrap().to_bits(), 0);
    assert_eq!(sum_of(&[(-5e-324, 3)]).mean(4).unwrap(), -5e-324);
}

#[test]
fn nan_and_infinities_are_there_until_taken_out() {
    let mut sum = sum_of(&[(1.5, 1), (f64::INFINITY, 1)]);
    assert_eq!(sum.to_f64(), f64::INFINITY);
    sum.add(f64::NEG_INFINITY, 1);
    assert!(sum.to_f64().is_nan());
    sum.add(f64::INFINITY, -1);
    assert_eq!(sum.mean(7), Some(f64::NEG_INFINITY));
    sum.add(f64::NEG_INFINITY, -1);
    sum.add(f64::NAN, 1);
    assert!(sum.to_f64().is_nan());
    sum.add(f64::NAN, -1);
    assert_eq!(sum, sum_of(&[(1.5, 1)]));
}

#[test]
fn what_is_no_integer_or_too_large_is_no_integer() {
    assert_eq!(sum_of(&[(0.5, 1)]).to_i128(), None);
    assert_eq!(sum_of(&[(0.5, 2)]).to_i128(), Some(1));
    assert_eq!(sum_of(&[(2_f64.powi(127), -1)]).to_i128(), Some(i128::MIN));
    assert_eq!(sum_of(&[(2_f64.powi(127), 1)]).to_i128(), None);
}
