//! Power cuts at every kind of moment of a scripted run, through the whole engine: every image starts, holds what was
//! acknowledged, and its views equal a recomputation.

use headwater_env::sim::{Arrived, SimDisk};

use crate::world::{START_MICROS, World, keyed};

const PROGRAM: &str = "
    CREATE TABLE t (id BIGINT, v DOUBLE);
    CREATE TABLE k (id BIGINT PRIMARY KEY, v BIGINT);
    CREATE MATERIALIZED VIEW s AS SELECT id % 3 AS g, COUNT(*) AS n, SUM(v) AS v FROM t GROUP BY id % 3;";
const CHANGED: &str = "CREATE MATERIALIZED VIEW top AS SELECT MAX(v) AS v FROM k;";
const IMAGES: usize = 300;

/// What had been acknowledged when the disk had done so many operations.
struct Acknowledged {
    operation: u64,
    pushes: usize,
}

fn run(disk: &SimDisk) -> (Vec<(u64, SimDisk)>, Vec<Acknowledged>) {
    let world = World::on(disk.clone(), START_MICROS).unwrap();
    world.engine.create_workspace(&headwater_types::Name::new("w").unwrap()).unwrap();
    world.set_program(PROGRAM);
    disk.start_recording();
    let mut acknowledged = vec![Acknowledged { operation: disk.operation_count(), pushes: 0 }];
    for push in 0..60_usize {
        let rows: Vec<String> =
            (0..60).map(|row| format!(r#"{{"id":{},"v":{}.25}}"#, push * 100 + row, row)).collect();
        world.try_push(keyed("t", &format!("[{}]", rows.join(",")), &format!("t{push}"))).unwrap();
        world.push("k", &format!(r#"{{"id":{},"v":{push}}}"#, push % 4));
        acknowledged.push(Acknowledged { operation: disk.operation_count(), pushes: push + 1 });
        if push == 30 {
            world.set_program(&format!("{PROGRAM} {CHANGED}"));
        }
    }
    world.engine.shutdown();
    (disk.take_recording(), acknowledged)
}

fn check(image: SimDisk, what: &str, pushes: usize) {
    let world = World::on(image, START_MICROS).unwrap_or_else(|error| panic!("{what}: {error}"));
    let rows = world.rows("t").len();
    assert!(
        rows == pushes * 60 || rows == (pushes + 1) * 60,
        "{what}: {rows} rows, {pushes} pushes acknowledged"
    );
    let view = world.query("SELECT g, n, v FROM s ORDER BY g");
    let batch = world.query("SELECT id % 3 AS g, COUNT(*) AS n, SUM(v) AS v FROM t GROUP BY 1 ORDER BY 1");
    assert_eq!(view, batch, "{what}");
    if world.workspace().published().relation("top").is_some() {
        assert_eq!(world.query("SELECT v FROM top"), world.query("SELECT MAX(v) AS v FROM k"), "{what}");
    }
    for push in 0..pushes {
        // A retry of an acknowledged push changes nothing.
        if push % 20 == 0 {
            let rows: Vec<String> =
                (0..60).map(|row| format!(r#"{{"id":{},"v":{}.25}}"#, push * 100 + row, row)).collect();
            let again = world.try_push(keyed("t", &format!("[{}]", rows.join(",")), &format!("t{push}")));
            assert!(again.unwrap().duplicate, "{what}: push {push}");
        }
    }
}

#[test]
fn every_image_starts_and_holds_what_was_acknowledged() {
    let (recording, acknowledged) = run(&SimDisk::new());
    assert!(recording.len() > 200, "only {} operations were recorded", recording.len());
    let mut seen = 0;
    for number in 0..IMAGES {
        let (operation, disk) = &recording[number * recording.len() / IMAGES];
        let pushes =
            acknowledged.iter().take_while(|point| point.operation <= *operation).last().unwrap().pushes;
        let arrived = match number % 4 {
            0 => Arrived::Nothing,
            1 => Arrived::Everything,
            _ => Arrived::Random { seed: number as u64 },
        };
        check(disk.crash(&arrived), &format!("operation {operation}, {arrived:?}"), pushes);
        seen += 1;
    }
    println!("{seen} crash images through the whole engine, of {} operations", recording.len());
}
