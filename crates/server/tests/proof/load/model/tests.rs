//! What is compared after a restart notices what it is there for.

use super::*;

/// A client that inserted three events and wrote an account.
fn model() -> Model {
    let mut model = Model::new(1);
    for lsn in 1..=3 {
        begin(&mut model);
        model.acknowledge(lsn, false);
    }
    model
}

/// A request with one event and one account.
fn begin(model: &mut Model) {
    let mut events = Events::default();
    events.add(model.next_event());
    let accounts = [(model.requests as i64, Some(Account { balance: Some(5), quarter: None }))].into();
    let (idempotency_key, path, body) = (String::new(), String::new(), String::new());
    let plan = Plan { idempotency_key, path, body, received: 2, rejected: 0, events, accounts };
    model.requests += 1;
    model.pending = Some(plan);
}

fn event(id: i64) -> Events {
    let mut event = Events::default();
    event.add(KEYS_PER_CLIENT + id);
    event
}

fn is_noticed(mut model: Model, events: Events, accounts: &Accounts, is_paused: bool) -> bool {
    model.reconcile(events, accounts, is_paused).is_err()
}

#[test]
fn what_is_lost_doubled_or_invented_is_noticed() {
    let model = model();
    let accounts = model.accounts.clone();
    assert!(!is_noticed(model.clone(), model.events, &accounts, false));
    assert!(is_noticed(model.clone(), event(0).with(event(1)), &accounts, false), "an event is lost");
    assert!(
        is_noticed(model.clone(), model.events.with(event(1)), &accounts, false),
        "an event is there twice"
    );
    assert!(is_noticed(model.clone(), model.events.with(event(9)), &accounts, false), "an event is invented");
    assert!(is_noticed(model.clone(), model.events, &Accounts::new(), false), "accounts are lost");
}

#[test]
fn a_request_without_answer_is_there_as_a_whole_or_not_at_all() {
    let mut model = model();
    let before = model.accounts.clone();
    begin(&mut model);
    let with_event = model.events.with(event(3));
    let with_account = applied(&before, model.pending.as_ref().unwrap());
    assert_eq!(model.clone().reconcile(model.events, &before, false), Ok(Found::NotTaken));
    assert_eq!(model.clone().reconcile(with_event, &with_account, false), Ok(Found::Taken));
    assert!(is_noticed(model.clone(), with_event, &before, false));
    assert!(is_noticed(model.clone(), model.events, &with_account, false));
}

#[test]
fn queued_events_come_with_the_resume_in_order_and_not_before_it() {
    let mut model = model();
    let base = model.events;
    for lsn in 4..=5 {
        begin(&mut model);
        model.acknowledge(lsn, true);
    }
    let accounts = model.accounts.clone();
    assert!(!is_noticed(model.clone(), base, &accounts, true));
    assert!(is_noticed(model.clone(), base, &accounts, false), "the resume loses what was queued");
    assert!(is_noticed(model.clone(), base.with(event(4)), &accounts, true), "the second without the first");
    assert!(!is_noticed(model.clone(), base.with(event(3)).with(event(4)), &accounts, false));
}
