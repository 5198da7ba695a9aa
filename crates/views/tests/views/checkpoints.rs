//! What a checkpoint holds, and when it is refused.

use std::collections::HashSet;
use std::path::Path;

use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name};
use headwater_views::{
    CheckpointError, Circuit, CircuitCheckpoint, CircuitOptions, CircuitStorage, RestoreError, StepError,
    StepOutput,
};
use tempfile::TempDir;

use crate::support::{changes, expected, whole};
use crate::value::{self, Row, Value};

const TABLES: &str = "CREATE TABLE t (a BIGINT, b BIGINT); CREATE TABLE u (a BIGINT, b BIGINT);";
const GROUPED: &str =
    "CREATE MATERIALIZED VIEW grouped AS SELECT a, SUM(b) AS s, MAX(b) AS m FROM t GROUP BY a;";
const JOINED: &str =
    "CREATE MATERIALIZED VIEW joined AS SELECT t.a, t.b, u.b AS c FROM t JOIN u ON t.a = u.a;";
const OTHER: &str = "CREATE MATERIALIZED VIEW other AS SELECT a, COUNT(*) AS n FROM u GROUP BY a;";
const TOTAL: &str = "CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS n, MAX(b) AS m FROM t;";
const OVER_GROUPED: &str =
    "CREATE MATERIALIZED VIEW over_grouped AS SELECT s, COUNT(*) AS n FROM grouped GROUP BY s;";

fn program(views: &[&str]) -> Program {
    compile(&(TABLES.to_owned() + &views.concat()), &CompileOptions::default()).unwrap()
}

fn options(dir: &TempDir) -> CircuitOptions {
    CircuitOptions { storage: Some(CircuitStorage::new(dir.path().to_owned())) }
}

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn delta(table: &str, rows: &[(i64, i64)]) -> (Name, Delta) {
    let rows: Vec<Row> = rows.iter().map(|(a, b)| vec![whole((*a).into()), whole((*b).into())]).collect();
    (name(table), Delta::inserted(value::batch(&program(&[]).tables[0].schema(), &rows)))
}

fn step(circuit: &mut Circuit, table: &str, rows: &[(i64, i64)]) -> StepOutput {
    circuit.step(vec![delta(table, rows)]).unwrap()
}

/// A circuit that has seen some rows.
fn running(dir: &TempDir, views: &[&str]) -> Circuit {
    let mut circuit = Circuit::new(options(dir));
    circuit.begin_change(&program(views), &HashSet::new()).unwrap();
    circuit.feed_change(Vec::new()).unwrap();
    circuit.finish_change();
    step(&mut circuit, "t", &[(1, 10), (2, 20)]);
    step(&mut circuit, "u", &[(1, 100)]);
    circuit
}

fn checkpoint(circuit: &mut Circuit) -> CircuitCheckpoint {
    circuit.prepare_checkpoint().unwrap().commit().unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("lock")).collect();
    names.sort();
    names
}

fn sorted(checkpoint: &CircuitCheckpoint) -> Vec<String> {
    let mut names: Vec<String> = checkpoint.files().map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn a_restored_circuit_goes_on_where_the_checkpoint_was_taken() {
    let dir = TempDir::new().unwrap();
    let views = [GROUPED, JOINED, OVER_GROUPED];
    let mut circuit = running(&dir, &views);
    let checkpoint = checkpoint(&mut circuit);
    step(&mut circuit, "t", &[(1, 1000)]);
    drop(circuit);
    let mut circuit = Circuit::restore(&program(&views), options(&dir), &checkpoint).unwrap();
    assert!(circuit.step(Vec::new()).unwrap().deltas.is_empty());
    let output = step(&mut circuit, "t", &[(1, 5)]);
    let group = |sum, most| vec![whole(1), whole(sum), whole(most)];
    assert_eq!(changes(&output, "grouped"), expected(&[(group(10, 10), -1), (group(15, 10), 1)]));
    assert_eq!(changes(&output, "joined"), expected(&[(vec![whole(1), whole(5), whole(100)], 1)]));
    let over = |sum| vec![whole(sum), whole(1)];
    assert_eq!(changes(&output, "over_grouped"), expected(&[(over(10), -1), (over(15), 1)]));
}

#[test]
fn the_one_group_of_an_aggregate_without_keys_is_there_once_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[TOTAL]);
    let checkpoint = checkpoint(&mut circuit);
    drop(circuit);
    let mut circuit = Circuit::restore(&program(&[TOTAL]), options(&dir), &checkpoint).unwrap();
    let rows: Vec<Row> = vec![vec![whole(1), whole(10)], vec![whole(2), whole(20)]];
    let mut removed = Delta::inserted(value::batch(&program(&[]).tables[0].schema(), &rows));
    removed.parts[0].weights = Some([-1, -1].into());
    let output = circuit.step(vec![(name("t"), removed)]).unwrap();
    let row = |n, m| vec![whole(n), m];
    assert_eq!(changes(&output, "total"), expected(&[(row(2, whole(20)), -1), (row(0, Value::Null), 1)]));
}

#[test]
fn a_part_that_never_ran_gives_its_first_rows_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let mut circuit = Circuit::new(options(&dir));
    circuit.begin_change(&program(&[TOTAL, GROUPED]), &HashSet::new()).unwrap();
    circuit.finish_change();
    let checkpoint = checkpoint(&mut circuit);
    drop(circuit);
    let mut circuit = Circuit::restore(&program(&[TOTAL, GROUPED]), options(&dir), &checkpoint).unwrap();
    let output = circuit.step(Vec::new()).unwrap();
    assert_eq!(changes(&output, "total"), expected(&[(vec![whole(0), Value::Null], 1)]));
    assert!(circuit.step(Vec::new()).unwrap().deltas.is_empty());
}

#[test]
fn parts_that_changes_added_are_restored_with_the_rest() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    let all = [GROUPED, OVER_GROUPED, OTHER];
    circuit.begin_change(&program(&all), &HashSet::from([name("grouped")])).unwrap();
    assert_eq!(circuit.change_sources(), [name("u"), name("grouped")]);
    let rows = [vec![whole(1), whole(10), whole(10)], vec![whole(2), whole(20), whole(20)]];
    let grouped = value::batch(&headwater_views::view_schema(&program(&[GROUPED]).views[0]), &rows);
    let inputs = vec![delta("u", &[(1, 100)]), (name("grouped"), Delta::inserted(grouped))];
    circuit.feed_change(inputs).unwrap();
    assert_eq!(circuit.prepare_checkpoint().unwrap_err(), CheckpointError::Changing);
    circuit.finish_change();
    let checkpoint = checkpoint(&mut circuit);
    drop(circuit);
    let mut circuit = Circuit::restore(&program(&all), options(&dir), &checkpoint).unwrap();
    let output = step(&mut circuit, "t", &[(2, -10)]);
    let over = |sum, n| vec![whole(sum), whole(n)];
    let regrouped = [(over(10, 1), -1), (over(20, 1), -1), (over(10, 2), 1)];
    assert_eq!(changes(&output, "over_grouped"), expected(&regrouped));
    let output = step(&mut circuit, "u", &[(1, 0)]);
    assert_eq!(changes(&output, "other"), expected(&[(over(1, 1), -1), (over(1, 2), 1)]));
}

#[test]
fn a_flipped_byte_in_any_file_is_refused_by_the_name_of_the_file() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED, JOINED]);
    let checkpoint = checkpoint(&mut circuit);
    drop(circuit);
    assert!(checkpoint.files().count() > 3);
    for file in checkpoint.files() {
        let path = dir.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        for position in [0, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            let error =
                Circuit::restore(&program(&[GROUPED, JOINED]), options(&dir), &checkpoint).unwrap_err();
            assert!(matches!(&error, RestoreError::File { name, .. } if name == file), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    Circuit::restore(&program(&[GROUPED, JOINED]), options(&dir), &checkpoint).unwrap();
}

#[test]
fn a_missing_or_shortened_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    let checkpoint = checkpoint(&mut circuit);
    drop(circuit);
    let path = dir.path().join(checkpoint.files().next().unwrap());
    let whole = std::fs::read(&path).unwrap();
    let refused = || Circuit::restore(&program(&[GROUPED]), options(&dir), &checkpoint).is_err();
    std::fs::write(&path, &whole[..whole.len() - 512]).unwrap();
    assert!(refused());
    std::fs::remove_file(&path).unwrap();
    assert!(refused());
}

#[test]
fn another_environment_is_refused_and_both_are_named() {
    let dir = TempDir::new().unwrap();
    let encoded = checkpoint(&mut running(&dir, &[GROUPED])).encode();
    let position = encoded.windows(9).position(|bytes| bytes == b"workers 1").unwrap();
    let mut other = encoded.clone();
    other[position + 8] = b'7';
    let other = CircuitCheckpoint::decode(&other).unwrap();
    let error = Circuit::restore(&program(&[GROUPED]), options(&dir), &other).unwrap_err().to_string();
    assert!(error.contains("workers 7") && error.contains("workers 1"), "{error}");
    assert!(CircuitCheckpoint::decode(&encoded[..encoded.len() - 3]).is_err());
}

#[test]
fn views_in_another_order_are_the_same_and_another_view_is_refused() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED, OTHER]);
    let checkpoint = CircuitCheckpoint::decode(&checkpoint(&mut circuit).encode()).unwrap();
    drop(circuit);
    let refused = |views: &[&str]| {
        let error = Circuit::restore(&program(views), options(&dir), &checkpoint).unwrap_err();
        assert!(matches!(error, RestoreError::Program(_)), "{error}");
    };
    refused(&[GROUPED]);
    refused(&[GROUPED, OTHER, TOTAL]);
    refused(&[&GROUPED.replace("MAX", "MIN"), OTHER]);
    let mut circuit = Circuit::restore(&program(&[OTHER, GROUPED]), options(&dir), &checkpoint).unwrap();
    let output = step(&mut circuit, "u", &[(1, 0)]);
    let group = |n| vec![whole(1), whole(n)];
    assert_eq!(changes(&output, "other"), expected(&[(group(1), -1), (group(2), 1)]));
}

#[test]
fn files_stay_as_long_as_a_checkpoint_names_them_or_a_part_reads_them() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    let first = checkpoint(&mut circuit);
    assert_eq!(files(dir.path()), sorted(&first));
    step(&mut circuit, "t", &[(3, 30)]);
    let second = checkpoint(&mut circuit);
    let shared: Vec<&str> = first.files().filter(|file| second.files().any(|other| other == *file)).collect();
    circuit.release_checkpoint(&first);
    let left = files(dir.path());
    assert!(sorted(&second).iter().all(|file| left.contains(file)));
    assert!(!left.iter().any(|file| sorted(&first).contains(file) && !shared.contains(&file.as_str())));
    drop(circuit);
    assert_eq!(files(dir.path()), sorted(&second));
    let mut circuit = Circuit::restore(&program(&[GROUPED]), options(&dir), &second).unwrap();
    let output = step(&mut circuit, "t", &[(3, 1)]);
    let group = |sum| vec![whole(3), whole(sum), whole(30)];
    assert_eq!(changes(&output, "grouped"), expected(&[(group(30), -1), (group(31), 1)]));
    let third = checkpoint(&mut circuit);
    circuit.release_checkpoint(&second);
    drop(circuit);
    assert_eq!(files(dir.path()), sorted(&third));
}

#[test]
fn a_checkpoint_that_is_not_committed_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    let first = checkpoint(&mut circuit);
    step(&mut circuit, "t", &[(3, 30)]);
    drop(circuit.prepare_checkpoint().unwrap());
    drop(circuit);
    assert_eq!(files(dir.path()), sorted(&first));
}

#[test]
fn a_checkpoint_is_committed_on_another_thread_while_steps_go_on() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    let prepared = circuit.prepare_checkpoint().unwrap();
    let committing = std::thread::spawn(move || prepared.commit());
    step(&mut circuit, "t", &[(1, 1)]);
    let checkpoint = committing.join().unwrap().unwrap();
    drop(circuit);
    let mut circuit = Circuit::restore(&program(&[GROUPED]), options(&dir), &checkpoint).unwrap();
    let output = step(&mut circuit, "t", &[(1, 1)]);
    let group = |sum| vec![whole(1), whole(sum), whole(10)];
    assert_eq!(changes(&output, "grouped"), expected(&[(group(10), -1), (group(11), 1)]));
}

#[test]
fn without_a_folder_there_is_no_checkpoint() {
    let mut circuit = Circuit::new(CircuitOptions::default());
    assert_eq!(circuit.prepare_checkpoint().unwrap_err(), CheckpointError::NoStorage);
}

#[test]
fn a_program_without_views_has_a_checkpoint_too() {
    let dir = TempDir::new().unwrap();
    let mut circuit = Circuit::new(options(&dir));
    circuit.begin_change(&program(&[]), &HashSet::new()).unwrap();
    circuit.finish_change();
    let checkpoint = checkpoint(&mut circuit);
    let mut circuit = Circuit::restore(&program(&[]), options(&dir), &checkpoint).unwrap();
    assert!(step(&mut circuit, "t", &[(1, 1)]).deltas.is_empty());
}

#[test]
fn what_the_disk_refuses_is_the_disks_fault_and_the_parts_can_be_built_anew() {
    let dir = TempDir::new().unwrap();
    let mut circuit = running(&dir, &[GROUPED]);
    std::fs::remove_dir_all(dir.path()).unwrap();
    let error = circuit.prepare_checkpoint().unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Storage(reason) if reason.contains("cannot create")),
        "{error}"
    );
    assert!(matches!(circuit.step(vec![delta("t", &[(1, 1)])]), Err(StepError::Panicked(_))));
    std::fs::create_dir(dir.path()).unwrap();
    circuit.begin_change(&program(&[GROUPED]), &HashSet::from([name("grouped")])).unwrap();
    assert_eq!(circuit.change_sources(), [name("t")]);
    circuit.feed_change(vec![delta("t", &[(1, 10)])]).unwrap();
    circuit.finish_change();
    checkpoint(&mut circuit);
}
