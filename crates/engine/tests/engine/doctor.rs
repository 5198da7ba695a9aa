//! What an operator sees in a data folder, and can do about one step.

use std::path::Path;

use headwater_engine::doctor::{self, SkipError};
use headwater_types::Lsn;

use crate::world::{START_MICROS, World, options};

fn stopped() -> (World, Lsn) {
    let world = World::with_program(
        "CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM t;",
    );
    world.push("t", r#"[{"a":1},{"a":2}]"#);
    let lsn = world.push("t", r#"[{"a":3},{"a":4},{"a":5}]"#).lsn;
    world.push("t", r#"{"a":6}"#);
    world.engine.shutdown();
    (world, lsn)
}

#[test]
fn a_skipped_step_is_as_if_it_had_never_come() {
    let (world, lsn) = stopped();
    let disk = world.disk.restart_process();
    let env = options(&disk, &world.clock).env;
    assert_eq!(doctor::skip(&env, Path::new("/data"), "w", lsn).unwrap(), 3);
    assert!(matches!(
        doctor::skip(&env, Path::new("/data"), "w", lsn),
        Err(SkipError::AlreadySkipped { .. })
    ));
    let world = World::on(disk, START_MICROS).unwrap();
    assert_eq!((world.rows("t").len(), world.rows("n")), (3, vec![r#"{"n":3}"#.to_owned()]));
    assert_eq!(world.workspace().status().counts["t"].applied, 3);
}

#[test]
fn what_is_not_a_step_cannot_be_skipped() {
    let (world, _) = stopped();
    let disk = world.disk.restart_process();
    let env = options(&disk, &world.clock).env;
    let skip = |workspace: &str, lsn| doctor::skip(&env, Path::new("/data"), workspace, Lsn(lsn));
    assert!(matches!(skip("w", 1), Err(SkipError::NoStep { .. })), "LSN 1 is the program");
    assert!(matches!(skip("w", 99), Err(SkipError::NoStep { .. })));
    assert!(matches!(skip("x", 2), Err(SkipError::UnknownWorkspace { .. })));
}

#[test]
fn a_folder_that_is_in_use_is_not_touched() {
    let world = World::with_program("CREATE TABLE t (a INT);");
    let env = options(&world.disk, &world.clock).env;
    assert!(matches!(doctor::skip(&env, Path::new("/data"), "w", Lsn(1)), Err(SkipError::Locked { .. })));
}

#[test]
fn the_report_names_what_is_damaged() {
    let (world, _) = stopped();
    let disk = world.disk.restart_process();
    let env = options(&disk, &world.clock).env;
    let report = doctor::examine(&env, Path::new("/data")).unwrap();
    assert!(!report.damaged, "{}", report.text);
    let segment = disk.files().into_iter().map(|(path, _)| path).find(|path| {
        path.starts_with("/data/workspaces")
            && path.extension().is_some_and(|extension| extension == "segment")
    });
    let segment = segment.unwrap();
    disk.corrupt(&segment, |bytes| bytes[700] ^= 1).unwrap();
    let report = doctor::examine(&env, Path::new("/data")).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert!(report.damaged && report.text.contains(name), "{}", report.text);
}
