//! What was acknowledged is there after a restart, by log and by snapshots of different LSNs.

use std::path::Path;

use headwater_engine::{OpenError, WorkspaceError};
use headwater_env::sim::Arrived;
use headwater_types::Name;

use crate::world::{START_MICROS, World, delete, patch};

const PROGRAM: &str = "
    CREATE TABLE small (id INT PRIMARY KEY, v DOUBLE);
    CREATE TABLE large (a BIGINT, b VARCHAR);
    CREATE MATERIALIZED VIEW totals AS SELECT COUNT(*) AS n, SUM(v) AS v FROM small;
    CREATE MATERIALIZED VIEW by_b AS SELECT b, COUNT(*) AS n, MIN(a) AS lo, MAX(a) AS hi FROM large GROUP BY b;";

fn everything(world: &World) -> Vec<Vec<String>> {
    ["small", "large", "totals", "by_b", "quarantine"].iter().map(|relation| world.rows(relation)).collect()
}

/// Pushes that make relations grow at different speeds, so that their snapshots lie at different LSNs.
fn grow(world: &World, rounds: std::ops::Range<i64>) {
    for round in rounds {
        let rows: Vec<String> =
            (0..400).map(|a| format!(r#"{{"a":{},"b":"b{}"}}"#, round * 1_000 + a, a % 7)).collect();
        world.push("large", &format!("[{}]", rows.join(",")));
        world.push("small", &format!(r#"{{"id":{},"v":{}.5}}"#, round % 5, round));
        if round % 3 == 0 {
            world.try_push(delete("large", &format!(r#"{{"a":{},"b":"b0"}}"#, round * 1_000))).unwrap();
            world.try_push(patch("small", &format!(r#"{{"id":{},"v":0.25}}"#, round % 5))).unwrap();
        }
    }
}

#[test]
fn tables_views_and_lsn_are_the_same_after_a_restart() {
    let mut world = World::with_program(PROGRAM);
    for round in 0..4 {
        grow(&world, round * 15..(round + 1) * 15);
        let (before, lsn) = (everything(&world), world.workspace().published().lsn);
        world = world.restart();
        assert_eq!(world.workspace().published().lsn, lsn);
        assert_eq!(everything(&world), before, "round {round}");
    }
    assert!(world.workspace().status().snapshot_lsn.0 > 0, "snapshots were written");
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let world = World::with_program(PROGRAM);
    grow(&world, 0..40);
    let before = everything(&world);
    let world = World::on(world.disk.crash(&Arrived::Nothing), START_MICROS).unwrap();
    assert_eq!(everything(&world), before);
}

#[test]
fn without_syncs_a_power_cut_loses_data_and_the_harness_sees_it() {
    let world = World::with_program(PROGRAM);
    let faults = headwater_env::sim::Faults { ignores_syncs: true, ..Default::default() };
    world.disk.set_faults(faults);
    grow(&world, 0..10);
    let before = everything(&world);
    match World::on(world.disk.crash(&Arrived::Nothing), START_MICROS) {
        Ok(world) if world.engine.workspace_blocking("w").is_err() => {}
        Ok(world) => assert_ne!(everything(&world), before),
        Err(error) => assert!(matches!(error, OpenError::Log { .. } | OpenError::Recover { .. }), "{error}"),
    }
}

#[test]
fn a_damaged_snapshot_or_manifest_is_noticed() {
    let world = World::with_program(PROGRAM);
    grow(&world, 0..60);
    world.engine.shutdown();
    let files: Vec<_> = world.disk.files().into_iter().map(|(path, _)| path).collect();
    let sealed: Vec<_> = files
        .iter()
        .filter(|path| {
            path.components().any(|part| part.as_os_str() == "snapshots") || path.ends_with("MANIFEST")
        })
        .collect();
    assert!(sealed.len() >= 3, "{files:?}");
    for path in sealed {
        let disk = world.disk.restart_process();
        disk.corrupt(path, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
        })
        .unwrap();
        match World::on(disk, START_MICROS) {
            Err(error) => {
                assert!(
                    path.starts_with("/data/system") && matches!(error, OpenError::Recover { .. }),
                    "{error}"
                );
            }
            Ok(world) => {
                let refused = world.engine.workspace_blocking("w").unwrap_err();
                assert!(matches!(refused, WorkspaceError::Damaged { .. }), "{}: {refused}", path.display());
            }
        }
    }
}

#[test]
fn deleted_workspaces_stay_deleted_and_orphaned_folders_are_removed() {
    let mut world = World::with_program(PROGRAM);
    world.engine.create_workspace(&Name::new("other").unwrap()).unwrap();
    let ids: Vec<u64> = world.engine.statuses().iter().map(|status| status.id).collect();
    world.engine.delete_workspace("w").unwrap();
    assert!(!world.engine.has_workspace("w"));
    world = world.restart();
    let names: Vec<String> = world.engine.statuses().iter().map(|status| status.name.to_string()).collect();
    assert_eq!(names, ["other"]);
    let folder = format!("/data/workspaces/{}", ids[1]);
    assert!(!world.disk.files().iter().any(|(path, _)| path.starts_with(Path::new(&folder))));
    let again = world.engine.create_workspace(&Name::new("w").unwrap()).unwrap();
    assert!(!ids.contains(&again.status().id), "numbers are not used twice");
}
