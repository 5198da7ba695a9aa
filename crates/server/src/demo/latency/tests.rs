use super::*;

#[test]
fn percentiles_are_nearest_rank() {
    let mut latencies = Latencies::default();
    assert_eq!(latencies.percentile(50), Duration::ZERO);
    (1..=200).rev().for_each(|ms| latencies.add(Duration::from_millis(ms)));
    assert_eq!(latencies.percentile(50), Duration::from_millis(100));
    assert_eq!(latencies.percentile(99), Duration::from_millis(198));
    assert_eq!(latencies.percentile(100), Duration::from_millis(200));
}
