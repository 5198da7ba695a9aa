//! Any sequence of appends, cuts, closes, kills and power cuts gives back what a `Vec` would.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use headwater_env::sim::Arrived;
use headwater_log::{AppendError, FileLog, LogStore, ReadError, Record, Recovery};
use headwater_types::Lsn;
use proptest::prelude::*;
use support::{Plain, append, disk_with_folder, env_on, log_dir, open, read_all};

#[derive(Clone, Debug)]
enum Action {
    Append(Vec<Plain>),
    CutBefore(u64),
    ReadFrom(u64),
    Close,
    Kill,
    PowerCut(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let payload = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..600),
        1 => prop::collection::vec(any::<u8>(), 5_000..12_000),
    ];
    prop_oneof![
        10 => prop::collection::vec((any::<u8>(), payload), 0..5).prop_map(Action::Append),
        2 => (0_u64..60).prop_map(Action::CutBefore),
        2 => (0_u64..60).prop_map(Action::ReadFrom),
        1 => Just(Action::Close),
        1 => Just(Action::Kill),
        1 => any::<u64>().prop_map(Action::PowerCut),
    ]
}

fn plain(records: impl Iterator<Item = Record>) -> Vec<Plain> {
    records.map(|record| (record.kind, record.payload.to_vec())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_log_is_a_vec(actions in prop::collection::vec(action(), 1..40)) {
        let mut disk = disk_with_folder();
        let (mut log, _) = open(&env_on(&disk, 1));
        let mut model: Vec<Plain> = Vec::new();
        for action in actions {
            match action {
                Action::Append(group) => {
                    append(&mut log, &group).unwrap();
                    model.extend(group);
                }
                Action::CutBefore(lsn) => {
                    let before = log.first_lsn();
                    log.cut_before(Lsn(lsn)).unwrap();
                    prop_assert!(log.first_lsn() == before || log.first_lsn() <= Lsn(lsn));
                }
                Action::ReadFrom(lsn) => match log.read_from(Lsn(lsn)) {
                    Err(ReadError::Cut { from, first }) => prop_assert!(from < first && first == log.first_lsn()),
                    Err(error) => panic!("{error}"),
                    Ok(records) => {
                        let read = plain(records.map(Result::unwrap));
                        prop_assert_eq!(&read[..], model.get(lsn as usize - 1..).unwrap_or_default());
                    }
                },
                Action::Close => {
                    log.close().unwrap();
                    log = open(&env_on(&disk, 2)).0;
                }
                Action::Kill => {
                    drop(log);
                    disk = disk.restart_process();
                    log = open(&env_on(&disk, 3)).0;
                }
                Action::PowerCut(seed) => {
                    disk = disk.crash(&Arrived::Random { seed });
                    let (opened, recovery) = open(&env_on(&disk, 4));
                    prop_assert_eq!(recovery, Recovery::Clean);
                    log = opened;
                }
            }
            prop_assert_eq!(log.next_lsn(), Lsn(model.len() as u64 + 1));
            let first = log.first_lsn().0 as usize - 1;
            prop_assert_eq!(&plain(read_all(&log).into_iter())[..], &model[first..]);
            let wrong = Lsn(log.next_lsn().0 + 1);
            let is_refused = matches!(log.append(wrong, &[]), Err(AppendError::WrongLsn { .. }));
            prop_assert!(is_refused);
        }
    }
}

/// The size of the log since an LSN is what the groups from there on take, and at most 64 KiB more.
#[test]
fn the_marked_lsn_is_where_a_closed_log_ends() {
    let disk = disk_with_folder();
    let env = env_on(&disk, 1);
    assert_eq!(FileLog::marked_lsn(&env, &log_dir()).unwrap(), None);
    let (mut log, _) = open(&env);
    for _ in 0..5 {
        append(&mut log, &[(1, vec![1; 10])]).unwrap();
    }
    assert!(FileLog::marked_lsn(&env, &log_dir()).unwrap() <= Some(Lsn(5)));
    log.close().unwrap();
    assert_eq!(FileLog::marked_lsn(&env, &log_dir()).unwrap(), Some(Lsn(5)));
}

#[test]
fn bytes_since_is_close() {
    let disk = disk_with_folder();
    let (mut log, _) = open(&env_on(&disk, 1));
    let mut ends = vec![(Lsn(1), 0_u64)];
    for number in 0..600_usize {
        let payload = vec![1; number * 7 % 3_000];
        append(&mut log, &[(1, payload.clone())]).unwrap();
        let sectors = (56 + 8 + payload.len().next_multiple_of(8)).div_ceil(496);
        ends.push((log.next_lsn(), ends.last().unwrap().1 + sectors as u64 * 512));
    }
    for log in [log, open(&env_on(&disk.restart_process(), 2)).0] {
        let total = ends.last().unwrap().1;
        for (lsn, before) in &ends {
            let bytes = log.bytes_since(*lsn);
            assert!((total - before..=total - before + (64 << 10)).contains(&bytes), "LSN {lsn}: {bytes}");
        }
        assert_eq!(log.bytes_since(log.next_lsn()), 0);
    }
}
