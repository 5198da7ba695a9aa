//! Prints how long one addition to an exact sum takes, for values that lie near each other and far apart.
//! `cargo run --release -p headwater-types --example exact_sum_speed`

use std::hint::black_box;
use std::time::Instant;

use headwater_types::ExactSum;

const VALUES: usize = 1 << 20;

/// Values without a pattern, the same in every run.
fn values(make: impl Fn(u64) -> f64) -> Vec<f64> {
    let number = |n: u64| (n ^ n >> 31).wrapping_mul(0x7fb5_d329_728e_a185) >> 11;
    (1..=VALUES as u64).map(|n| make(number(n))).collect()
}

fn main() {
    let cents = values(|n| (n % 10_000_000) as f64 / 100.0);
    let signed = values(|n| (n % 10_000_000) as f64 / 100.0 - 50_000.0);
    let integers = values(|n| (n % 1000) as f64);
    let spread = values(|n| 2_f64.powi((n % 200) as i32 - 100));
    for (name, values) in
        [("prices", cents), ("both signs", signed), ("integers", integers), ("2^−100…2^100", spread)]
    {
        let mut sum = ExactSum::default();
        let start = Instant::now();
        for &value in black_box(&values) {
            sum.add(value, 1);
        }
        let add_ns = start.elapsed().as_nanos() as f64 / VALUES as f64;
        let start = Instant::now();
        for _ in 0..VALUES {
            black_box(black_box(&sum).to_f64());
        }
        let round_ns = start.elapsed().as_nanos() as f64 / VALUES as f64;
        let start = Instant::now();
        for _ in 0..VALUES {
            black_box(black_box(&sum).mean(VALUES as i64));
        }
        let mean_ns = start.elapsed().as_nanos() as f64 / VALUES as f64;
        println!("{name:<14} add {add_ns:>5.1} ns   to_f64 {round_ns:>5.1} ns   mean {mean_ns:>5.1} ns");
    }
}
