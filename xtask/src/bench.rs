use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::server::{self, Server};
use crate::{http, places, process};

/// The cases: which server, which table, how many records a request.
mod cases;
/// Nexmark's queries through circuits made at run time and through compiled ones.
mod nexmark;
/// Medians over rounds, ratios, the table for the document.
mod report;
/// Running wrk and reading what its script prints.
mod wrk;

use cases::{CASES, Case, Target};
use report::Measured;

const LIMIT_SERVER: &str = "benches/limit-server";
/// A file system in memory, where a sync costs nothing.
const MEMORY_FOLDER: &str = "/dev/shm";

struct Options {
    rounds: usize,
    seconds: u64,
    save: bool,
}

/// Measures pushes, or what the first argument names.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.split_first() {
        Some((first, rest)) if first == "nexmark" => nexmark::run(rest),
        _ => pushes(arguments),
    }
}

/// Measures all cases, interleaved round by round so that a slow minute of the machine hits each alike.
fn pushes(arguments: &[String]) -> Result<(), String> {
    let options = parse(arguments)?;
    build()?;
    let disk = places::cache()?.join("bench");
    let headwater = Server::headwater(&disk)?;
    let headwater_in_memory = Server::headwater(Path::new(MEMORY_FOLDER))?;
    let limit = start_limit_server(&disk)?;
    let address = |case: &Case| match case.target {
        Target::Limit => &limit.address,
        Target::Headwater(_) if case.without_sync => &headwater_in_memory.address,
        Target::Headwater(_) => &headwater.address,
    };
    let mut measured: Vec<Measured> = CASES.iter().map(Measured::new).collect();
    for round in 1..=options.rounds {
        for entry in &mut measured {
            let case = entry.case;
            let path = prepare(case, address(case))?;
            let run = wrk::run(case, address(case), &path, options.seconds)?;
            println!("round {round}: {:<40} {run}", case.name);
            entry.runs.push(run);
        }
    }
    let table = report::table(&measured);
    println!("\n{table}");
    if options.save { report::save(&table, options.rounds, options.seconds) } else { Ok(()) }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { rounds: 3, seconds: 5, save: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            text.parse::<u64>().map_err(|e| format!("{word} {text}: {e}"))
        };
        match word.as_str() {
            "--rounds" => options.rounds = usize::try_from(number()?).map_err(|e| e.to_string())?.max(1),
            "--seconds" => options.seconds = number()?.max(1),
            "--save" => options.save = true,
            other => {
                return Err(format!("unknown option {other}: there are --rounds N, --seconds S, --save"));
            }
        }
    }
    Ok(options)
}

fn build() -> Result<(), String> {
    let wrk = Command::new("wrk").arg("--version").output();
    wrk.map_err(|e| format!("wrk cannot be started ({e}): apt-get install wrk"))?;
    process::run(&mut process::cargo(&["build", "--release", "--bin", "headwater"]))?;
    let manifest = format!("{LIMIT_SERVER}/Cargo.toml");
    process::run(
        process::cargo(&["build", "--release", "--manifest-path", &manifest])
            .env("CARGO_TARGET_DIR", limit_target()),
    )
}

fn limit_target() -> PathBuf {
    places::target().join("limit-server")
}

fn start_limit_server(parent: &Path) -> Result<Server, String> {
    let folder = server::new_folder(parent, "limit")?;
    let mut command = Command::new(limit_target().join("release").join("limit-server"));
    command.arg("127.0.0.1:0").arg(folder.join("log"));
    Server::start(command, folder, "limit server listening on http://")
}

/// Makes an empty table for the case; returns the path to push to.
fn prepare(case: &Case, address: &str) -> Result<String, String> {
    let Target::Headwater(table) = case.target else { return Ok("/push".to_string()) };
    let (status, answer) = http::request(address, "DELETE", "/v1/workspaces/bench", "")?;
    if !matches!(status, 200..=299 | 404) {
        return Err(format!("DELETE /v1/workspaces/bench answered {status}: {answer}"));
    }
    http::expect_success(address, "PUT", "/v1/workspaces/bench/program", &table.program())?;
    Ok("/v1/workspaces/bench/tables/events".to_string())
}

/// What this machine is, for the document: processor, cores, kernel.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{}, {cores} cores, Linux {} ({})", model.unwrap_or("unknown"), kernel.trim(), env::consts::ARCH)
}
