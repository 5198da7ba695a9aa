//! The hooks that tests of the real binary use, in a process of their own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use headwater_env::{Disk, OpenHow, RealDisk, kill_point};

/// Runs the test `name` of this file in a process of its own with a hook set.
fn run_child(name: &str, variable: &str, value: &str) -> Output {
    let test_binary = std::env::current_exe().unwrap();
    let arguments = [name, "--exact", "--nocapture", "--ignored"];
    Command::new(test_binary).args(arguments).env(variable, value).output().unwrap()
}

#[test]
#[ignore = "run by the tests below in a process of its own"]
fn child_reaches_points() {
    kill_point::enable_from_env().unwrap();
    for number in 1..=3 {
        kill_point::reach("other.point");
        println!("reaching {number}");
        kill_point::reach("this.point");
    }
}

#[test]
#[ignore = "run by the tests below in a process of its own"]
fn child_syncs() {
    kill_point::enable_from_env().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = RealDisk.open(&folder.path().join("1.segment"), OpenHow::CreateNew).unwrap();
    let other = RealDisk.open(&folder.path().join("manifest"), OpenHow::CreateNew).unwrap();
    for _ in 0..3 {
        println!(
            "log {:?}, other {:?}",
            log.sync().map_err(|error| error.raw_os_error()),
            other.sync().is_ok()
        );
    }
}

#[test]
fn the_process_dies_the_nth_time_it_comes_by() {
    let output = run_child("child_reaches_points", "HEADWATER_KILL_AT", "this.point:2");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.signal(), Some(9), "{text}");
    assert!(text.contains("reaching 2") && !text.contains("reaching 3"), "{text}");
}

#[test]
fn nothing_happens_without_the_hook() {
    kill_point::reach("this.point");
    let output = run_child("child_reaches_points", "HEADWATER_OTHER", "1");
    assert!(output.status.success());
}

#[test]
fn the_nth_sync_of_a_log_fails_and_no_other() {
    let output = run_child("child_syncs", "HEADWATER_FAIL_SYNC_AT", "2");
    let text = String::from_utf8(output.stdout).unwrap();
    let results: Vec<&str> = text.lines().filter(|line| line.contains("other true")).collect();
    assert_eq!(results.len(), 3, "{text}");
    assert!(results[1].contains("log Err(Some(5))"), "{text}");
    assert!(results[0].contains("log Ok") && results[2].contains("log Ok"), "{text}");
}

#[test]
fn a_hook_that_makes_no_sense_is_refused() {
    for (variable, value) in [("HEADWATER_KILL_AT", "nonsense"), ("HEADWATER_FAIL_SYNC_AT", "0")] {
        let output = run_child("child_reaches_points", variable, value);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(variable));
    }
}
