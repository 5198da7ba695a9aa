use super::*;

fn every_kind() -> Vec<LogRecord> {
    let stamp = Some(Stamp {
        ingest_time: 1_700_000_000_000_000,
        workspace_clock: -5,
        program_version: 3,
        durable_lsn: 41,
        published_lsn: 40,
    });
    let rejected = RejectedRecord {
        index: 7,
        code: "type_mismatch".into(),
        column: "amount".into(),
        message: "not a number".into(),
        hint: String::new(),
        payload: "{\"amount\":\"x\"}".into(),
    };
    let operation = OperationRecord {
        relation: 16,
        kind: 5,
        if_absent: 2,
        columns: vec![0, 3],
        batch: vec![1, 2, 3].into(),
        record_indexes: vec![4, 9],
    };
    let request = RequestRecord {
        endpoint: "orders".into(),
        key_id: String::new(),
        idempotency_key: "k-1".into(),
        body_hash: vec![9; 32].into(),
        received: 3,
        applied: 2,
        operations: vec![operation],
        rejected: vec![rejected.clone()],
        skips_bad_records: true,
    };
    let counts = CountsRecord {
        endpoint: "orders".into(),
        received: 3,
        applied: 2,
        rejected: 1,
        ..Default::default()
    };
    vec![
        LogRecord::Step(StepRecord { stamp, requests: vec![request.clone()], counts: vec![counts.clone()] }),
        LogRecord::ProgramChange(ProgramChangeRecord {
            stamp,
            version: 4,
            modules: vec![ModuleRecord { name: "sql".into(), text: "CREATE TABLE t (a INT)".into() }],
            relations: vec![RelationRecord { name: "t".into(), relation: 16, incarnation: 42 }],
            errors: vec![ErrorRecord {
                view: "v".into(),
                column: "q".into(),
                reason: "divide by zero".into(),
            }],
        }),
        LogRecord::ClockTick(ClockTickRecord {
            stamp,
            mode: 2,
            cuts: vec![RetentionCut { relation: 16, column: 3, before: -1 }],
        }),
        LogRecord::Pause(PauseRecord { stamp }),
        LogRecord::Resume(ResumeRecord {
            stamp,
            requests: vec![request.clone()],
            counts: vec![counts.clone()],
        }),
        LogRecord::Queued(QueuedRecord { stamp, requests: vec![request], counts: vec![counts.clone()] }),
        LogRecord::Skip(SkipRecord {
            stamp,
            skipped_lsn: 41,
            rejected: vec![rejected],
            endpoint: "orders".into(),
            counts: vec![counts],
            unqueued: 1,
        }),
    ]
}

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    for record in every_kind() {
        let decoded = LogRecord::decode(record.kind(), record.encode().into());
        assert_eq!(decoded.expect("what was written can be read"), record);
    }
}

#[test]
fn an_unknown_kind_is_an_error_and_not_skipped() {
    let error = LogRecord::decode(200, Bytes::new()).expect_err("kind 200 does not exist");
    assert!(matches!(error, RecordReadError::UnknownKind { kind: 200 }), "{error}");
}

#[test]
fn a_field_of_a_newer_version_is_skipped() {
    let record = &every_kind()[0];
    let mut payload = record.encode();
    // Field 1000, wire type varint, value 1.
    payload.extend([0xc0, 0x3e, 0x01]);
    let decoded = LogRecord::decode(record.kind(), payload.into());
    assert_eq!(decoded.expect("unknown fields are skipped"), *record);
}

#[test]
fn no_kind_changes_its_number() {
    let kinds: Vec<u8> = every_kind().iter().map(LogRecord::kind).collect();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7]);
}
