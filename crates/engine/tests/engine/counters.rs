//! received = applied + rejected + duplicate + pending, whatever happens.

use headwater_engine::{IfPaused, PushRequest};

use crate::world::{World, block_on, delete, keyed, request, skipping};

fn reconciled(world: &World) -> (u64, u64, u64, u64) {
    let status = world.workspace().status();
    let counts = status.counts["t"];
    assert!(counts.reconcile(), "{counts:?}");
    (counts.received, counts.applied, counts.rejected, counts.duplicate)
}

#[test]
fn counts_reconcile_through_refusals_duplicates_pauses_and_restarts() {
    let mut world = World::with_program("CREATE TABLE t (a INT PRIMARY KEY);");
    world.push("t", r#"[{"a":1},{"a":2}]"#);
    assert!(world.try_push(request("t", r#"{"a":"x"}"#)).is_err());
    world.try_push(skipping(request("t", r#"[{"a":3},{"a":"x"}]"#))).unwrap();
    world.try_push(skipping(delete("t", r#"[{"a":3},{"a":4}]"#))).unwrap();
    world.try_push(keyed("t", r#"[{"a":5},{"a":6}]"#, "k")).unwrap();
    world.try_push(keyed("t", r#"[{"a":5},{"a":6}]"#, "k")).unwrap();
    // Duplicates are logged with the next step.
    world.push("t", r#"{"a":7}"#);
    assert_eq!(reconciled(&world), (11, 7, 2, 2));
    block_on(world.workspace().pause()).unwrap();
    let queued = PushRequest { if_paused: IfPaused::Queue, ..request("t", r#"{"a":8}"#) };
    world.try_push(queued).unwrap();
    assert_eq!(reconciled(&world), (12, 7, 2, 2));
    world = world.restart();
    assert_eq!(reconciled(&world), (12, 7, 2, 2));
    block_on(world.workspace().resume()).unwrap();
    assert_eq!(reconciled(&world), (12, 8, 2, 2));
}
