use headwater_types::Lsn;

use super::*;

const HOUR: i64 = 3_600 * 1_000_000;

fn entry(key: &str, hour: i64, lsn: u64) -> Remembered {
    Remembered {
        key_id: "id".into(),
        key: key.into(),
        body_hash: [7; 32],
        ingest_time: TimestampMicros(hour * HOUR),
        answer: PushAnswer {
            lsn: Lsn(lsn),
            received: 1,
            applied: 1,
            rejected: 0,
            errors: Vec::new(),
            applied_now: true,
            duplicate: false,
        },
    }
}

fn known(keys: &Idempotency, key: &str, hour: i64) -> Option<u64> {
    match keys.known("id", key, &[7; 32], TimestampMicros(hour * HOUR)) {
        Known::Same(answer) => Some(answer.lsn.0),
        Known::New => None,
        Known::Other => panic!("the body is the same"),
    }
}

#[test]
fn a_key_is_known_for_24_hours_of_ingest_time() {
    let mut keys = Idempotency::default();
    keys.remember(entry("a", 0, 1));
    assert_eq!(known(&keys, "a", 23), Some(1));
    assert_eq!(known(&keys, "a", 24), None);
}

#[test]
fn a_key_with_another_body_is_another_request() {
    let mut keys = Idempotency::default();
    keys.remember(entry("a", 0, 1));
    assert!(matches!(keys.known("id", "a", &[8; 32], TimestampMicros(0)), Known::Other));
}

#[test]
fn keys_of_different_api_keys_never_meet() {
    let mut keys = Idempotency::default();
    keys.remember(entry("a", 0, 1));
    assert!(matches!(keys.known("other", "a", &[8; 32], TimestampMicros(0)), Known::New));
}

#[test]
fn a_key_used_again_after_it_expired_is_remembered_anew() {
    let mut keys = Idempotency::default();
    for lsn in 0..BUCKET_ENTRIES as u64 {
        keys.remember(entry(&format!("{lsn}"), 0, lsn));
    }
    keys.remember(entry("0", 30, 99_999));
    assert_eq!(known(&keys, "0", 31), Some(99_999));
    assert_eq!(keys.len(), 1, "the bucket of the first hour is gone");
}

#[test]
fn entries_come_back_in_the_order_of_their_steps() {
    let mut keys = Idempotency::default();
    for lsn in 0..2 * BUCKET_ENTRIES as u64 + 5 {
        keys.remember(entry(&format!("{lsn}"), 0, lsn));
    }
    let lsns: Vec<u64> =
        keys.entries().iter().flat_map(|bucket| bucket.iter()).map(|entry| entry.answer.lsn.0).collect();
    assert_eq!(lsns, (0..2 * BUCKET_ENTRIES as u64 + 5).collect::<Vec<_>>());
}
