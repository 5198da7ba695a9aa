//! Tables whose columns change keep their rows, in whatever way the change comes about.

use headwater_engine::{PlanAction, ProgramAnswer, SetProgram, SetProgramError};
use headwater_types::Lsn;

use crate::world::{World, block_on, patch, request};

const BEFORE: &str = "
    CREATE TABLE k (id INT PRIMARY KEY, name VARCHAR NOT NULL, small SMALLINT, note VARCHAR);
    CREATE TABLE m (a INT, b REAL);
    CREATE MATERIALIZED VIEW names AS SELECT name, COUNT(*) AS n FROM k GROUP BY name;
    CREATE MATERIALIZED VIEW smalls AS SELECT SUM(small) AS total FROM k;";
const AFTER: &str = "
    CREATE TABLE k (extra DOUBLE, id BIGINT PRIMARY KEY, small BIGINT, name VARCHAR NOT NULL, seven INT NOT NULL DEFAULT 7);
    CREATE TABLE m (b DOUBLE, a INT, c VARCHAR DEFAULT 'x');
    CREATE MATERIALIZED VIEW names AS SELECT name, COUNT(*) AS n FROM k GROUP BY name;
    CREATE MATERIALIZED VIEW smalls AS SELECT SUM(small) AS total FROM k;";

fn set(world: &World, sql: &str, drop_data: bool) -> Result<ProgramAnswer, SetProgramError> {
    let how = SetProgram { drop_data, ..SetProgram::default() };
    block_on(world.workspace().set_program(sql.to_owned(), how))
}

fn with_rows() -> World {
    let world = World::with_program(BEFORE);
    world.push("k", r#"[{"id":1,"name":"ada","small":5,"note":"n"},{"id":2,"name":"bob"},{"id":3,"name":"ada","small":2}]"#);
    world.push("m", r#"[{"a":1,"b":0.5},{"a":1,"b":0.5},{"a":2}]"#);
    world
}

fn incarnation(world: &World, view: &str) -> Lsn {
    let program = world.workspace().published().program.clone();
    program.views.iter().find(|v| v.definition.name.as_str() == view).unwrap().incarnation
}

fn check_rows(world: &World) {
    assert_eq!(
        world.rows("k"),
        [
            r#"{"extra":null,"id":1,"small":5,"name":"ada","seven":7}"#,
            r#"{"extra":null,"id":2,"small":null,"name":"bob","seven":7}"#,
            r#"{"extra":null,"id":3,"small":2,"name":"ada","seven":7}"#,
        ]
    );
    let twice = r#"{"b":0.5,"a":1,"c":"x"}"#;
    assert_eq!(world.rows("m"), [twice, twice, r#"{"b":null,"a":2,"c":"x"}"#]);
    assert_eq!(world.rows("names"), [r#"{"name":"ada","n":2}"#, r#"{"name":"bob","n":1}"#]);
    assert_eq!(world.rows("smalls"), [r#"{"total":7}"#]);
}

#[test]
fn columns_are_added_dropped_widened_and_moved_and_the_rows_stay() {
    let world = with_rows();
    let names = incarnation(&world, "names");
    let answer = set(&world, AFTER, true).unwrap();
    let told: Vec<_> = answer
        .entries
        .iter()
        .map(|e| (e.name.as_str(), e.action, e.reason.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            (
                "k",
                PlanAction::Alter,
                "column extra is added; column id is widened from INTEGER to BIGINT; column small is widened from \
                 SMALLINT to BIGINT; column seven is added; column note is dropped"
            ),
            ("m", PlanAction::Alter, "column b is widened from REAL to DOUBLE; column c is added"),
            ("names", PlanAction::Keep, ""),
            ("smalls", PlanAction::Replace, "it reads columns of k that change"),
        ]
    );
    check_rows(&world);
    assert_eq!(incarnation(&world, "names"), names, "a view whose columns stay goes on as it was");
    assert_eq!(incarnation(&world, "smalls"), answer.lsn);
    // Rows from before are found by key, changed and removed; views follow.
    world.push("k", r#"{"id":1,"name":"eve","small":70000}"#);
    world.try_push(patch("k", r#"{"id":2,"extra":0.25}"#)).unwrap();
    world.try_push(crate::world::delete("k", r#"{"id":3}"#)).unwrap();
    world.try_push(crate::world::delete("m", r#"{"a":1,"b":0.5,"c":"x"}"#)).unwrap();
    assert_eq!(
        world.rows("k"),
        [
            r#"{"extra":0.25,"id":2,"small":null,"name":"bob","seven":7}"#,
            r#"{"extra":null,"id":1,"small":70000,"name":"eve","seven":7}"#,
        ]
    );
    assert_eq!(world.rows("m").len(), 2);
    assert_eq!(world.rows("names"), [r#"{"name":"bob","n":1}"#, r#"{"name":"eve","n":1}"#]);
    assert_eq!(world.rows("smalls"), [r#"{"total":70000}"#]);
    let (_, row) = world.workspace().lookup("k", &["2"]).unwrap();
    assert_eq!(row.unwrap().num_rows(), 1);
}

#[test]
fn altered_rows_come_back_from_the_log_and_from_snapshots() {
    let mut world = with_rows();
    set(&world, AFTER, true).unwrap();
    world = world.restart();
    check_rows(&world);
    // Enough log for rounds of snapshots, none of which may lag behind the change of columns.
    let body = format!("[{}]", vec![r#"{"b":1.5,"a":9}"#; 4_000].join(","));
    for _ in 0..30 {
        world.push("m", &body);
        world.push("k", r#"{"id":50,"name":"many"}"#);
    }
    let snapshot = world.workspace().status().snapshot_lsn;
    assert!(snapshot.0 > 0, "no snapshot was written");
    let (k, views) = (world.rows("k"), (world.rows("names"), world.rows("smalls")));
    world = world.restart();
    assert_eq!((world.rows("k"), (world.rows("names"), world.rows("smalls"))), (k, views));
    assert_eq!(world.query("SELECT COUNT(*) AS n FROM m"), "{\"n\":120003}\n");
}

#[test]
fn a_snapshot_from_before_a_change_of_columns_is_not_read_with_them() {
    let mut world =
        World::with_program("CREATE TABLE big (a INT, text VARCHAR); CREATE TABLE other (a INT);");
    let row = format!(r#"{{"a":1,"text":"{}"}}"#, "x".repeat(100));
    let body = format!("[{}]", vec![row.as_str(); 3_000].join(","));
    world.push("big", &body);
    let others = format!("[{}]", vec![r#"{"a":7}"#; 4_000].join(","));
    while world.workspace().status().snapshot_lsn.0 == 0 {
        world.push("other", &others);
    }
    world.push("big", r#"{"a":2}"#);
    set(&world, "CREATE TABLE big (b INT DEFAULT 3, a BIGINT); CREATE TABLE other (a INT);", true).unwrap();
    let before = world.workspace().status().snapshot_lsn;
    while world.workspace().status().snapshot_lsn == before {
        world.push("other", &others);
    }
    let sums = "SELECT COUNT(*) AS n, SUM(a) AS a, SUM(b) AS b FROM big";
    assert_eq!(world.query(sums), "{\"n\":3001,\"a\":3002,\"b\":9003}\n");
    world = world.restart();
    assert_eq!(world.query(sums), "{\"n\":3001,\"a\":3002,\"b\":9003}\n");
}

#[test]
fn a_column_with_values_is_only_dropped_when_that_is_said() {
    let world = with_rows();
    let without = BEFORE.replace(", note VARCHAR", "");
    let refused = set(&world, &without, false);
    let loss = "table k: column note is dropped";
    assert!(
        matches!(refused, Err(SetProgramError::DropsData { ref losses }) if losses == &[loss]),
        "{refused:?}"
    );
    assert!(world.rows("k")[0].contains("note"), "nothing changed");
    set(&world, &without, true).unwrap();
    assert_eq!(world.rows("k").len(), 3);
}

#[test]
fn a_column_that_old_rows_have_no_value_for_is_refused_with_the_reason() {
    let world = with_rows();
    let refused = set(&world, &BEFORE.replace("b REAL", "b REAL, c INT NOT NULL"), false);
    let loss = "table m: column c is added as NOT NULL without DEFAULT";
    assert!(
        matches!(refused, Err(SetProgramError::DropsData { ref losses }) if losses == &[loss]),
        "{refused:?}"
    );
    let empty = World::with_program(BEFORE);
    set(&empty, &BEFORE.replace("b REAL", "b REAL, c INT NOT NULL"), false).unwrap();
    empty.push("m", r#"{"a":1,"c":2}"#);
}

#[test]
fn defaults_and_retention_change_without_touching_rows_or_views() {
    let world = with_rows();
    let names = incarnation(&world, "names");
    let changed = BEFORE.replace("small SMALLINT", "small SMALLINT DEFAULT 9");
    let answer = set(&world, &changed, false).unwrap();
    let k = answer.entries.iter().find(|entry| entry.name == "k").unwrap();
    assert_eq!((k.action, k.reason.as_deref()), (PlanAction::Keep, Some("column small has another DEFAULT")));
    assert_eq!(incarnation(&world, "names"), names);
    world.push("k", r#"{"id":9,"name":"new"}"#);
    assert_eq!(world.query("SELECT small FROM k WHERE id = 9"), "{\"small\":9}\n");
}

#[test]
fn a_view_over_rows_that_are_not_kept_keeps_its_own_when_columns_that_it_does_not_read_change() {
    let program = |columns: &str| {
        format!(
            "CREATE TABLE e ({columns}) WITH ('materialized' = 'false');
             CREATE MATERIALIZED VIEW big AS SELECT a FROM e WHERE b > 10;"
        )
    };
    let mut world = World::with_program(&program("a INT, b INT"));
    world.push("e", r#"[{"a":1,"b":11},{"a":2,"b":5}]"#);
    set(&world, &program("c DOUBLE, b INT, a INT"), false).unwrap();
    world.push("e", r#"{"a":3,"b":12,"c":0.5}"#);
    assert_eq!(world.rows("big"), [r#"{"a":1}"#, r#"{"a":3}"#]);
    world = world.restart();
    world.try_push(request("e", r#"{"a":4,"b":12}"#)).unwrap();
    assert_eq!(world.rows("big"), [r#"{"a":1}"#, r#"{"a":3}"#, r#"{"a":4}"#]);
}
