//! A log has one writer, on the real disk as on the simulated one; looking at it needs no lock.
#![allow(clippy::unwrap_used, missing_docs)]

use headwater_env::Env;
use headwater_log::inspect::{Verdict, inspect};
use headwater_log::{FileLog, LogOptions, LogStore, NewRecord, OpenError, Recovery};
use headwater_types::Lsn;

fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 64 << 10,
        first_segment_bytes: 16 << 10,
        reserve_bytes: 64 << 10,
        first_lsn: Lsn(1),
    }
}

#[test]
fn a_second_writer_is_refused_and_a_look_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let env = Env::real();
    let (mut log, recovery) = FileLog::open(&env, &dir, options()).unwrap();
    assert_eq!(recovery, Recovery::Clean);
    assert!(matches!(FileLog::open(&env, &dir, options()), Err(OpenError::Locked { .. })));
    for number in 0..200_u64 {
        let payload = number.to_le_bytes();
        log.append(Lsn(number + 1), &[NewRecord { kind: 1, payload: &[&payload, &[7; 300]] }]).unwrap();
    }
    let report = inspect(&env, &dir).unwrap();
    assert!(matches!(report.verdict, Verdict::Clean { next_lsn: Lsn(201), .. }), "{report}");
    log.close().unwrap();
    let (log, recovery) = FileLog::open(&env, &dir, options()).unwrap();
    assert_eq!(recovery, Recovery::Clean);
    let records: Vec<_> = log.read_from(Lsn(100)).unwrap().map(Result::unwrap).collect();
    assert_eq!(records.len(), 101);
    assert_eq!(records[0].payload[..8], 99_u64.to_le_bytes());
    assert!(records.iter().all(|record| record.payload.as_ptr().align_offset(8) == 0));
}

#[test]
fn the_report_names_the_place_of_damage() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let env = Env::real();
    let (mut log, _) = FileLog::open(&env, &dir, options()).unwrap();
    for number in 1..=60 {
        log.append(Lsn(number), &[NewRecord { kind: 1, payload: &[&[7; 600]] }]).unwrap();
    }
    log.close().unwrap();
    let path = dir.join("000000000001.segment");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[512 * 7 + 100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = inspect(&env, &dir).unwrap();
    let Verdict::Damaged(damage) = &report.verdict else { panic!("{report}") };
    assert_eq!((damage.file.as_str(), damage.offset), ("000000000001.segment", 512 * 7));
    assert_eq!((damage.first_lsn_lost, damage.durable_before), (Lsn(4), Some(Lsn(61))));
    assert!(report.segments[1].first_lsn > Some(Lsn(4)), "later segments are looked at by themselves");
    assert!(FileLog::open(&env, &dir, options()).is_err());
}
