use std::fs;

use crate::results::Counts;
use crate::server::Server;
use crate::{places, process};

/// The document whose console blocks are run.
const DOCUMENT: &str = "README.md";
/// A script that takes the server's address and fails where a request fails.
const SCRIPT: &str = "examples/flights/load.sh";
/// What the examples say the server's address is.
const ADDRESS: &str = "localhost:8080";

/// One command of a console block and what the document says it prints.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    command: String,
    expected: String,
}

/// Runs every `curl` of the document's console blocks as typed, and the example's script, against a new server.
pub(crate) fn run() -> Result<Counts, String> {
    let path = places::repository().join(DOCUMENT);
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {DOCUMENT}: {e}"))?;
    let server = Server::headwater(&std::env::temp_dir())?;
    let mut counts = Counts::default();
    for example in examples(&text) {
        counts.add(Counts::one(run_one(&example, &server.address)?));
    }
    process::run(&mut process::program("bash", &[SCRIPT, &server.address]))?;
    counts.add(Counts::one(true));
    Ok(counts)
}

fn run_one(example: &Example, address: &str) -> Result<bool, String> {
    // Two places differ from what a reader types: the port, which must be free here, and curl's progress meter.
    let command = example.command.replacen("curl ", "curl -sS ", 1).replace(ADDRESS, address);
    let printed = process::output(&mut process::program("bash", &["-c", &command]))?;
    let equal = printed.trim_end() == example.expected;
    if equal {
        println!("ok    {}", first_line(&example.command));
    } else {
        println!("WRONG {}\n--- written\n{}\n--- printed\n{printed}", example.command, example.expected);
    }
    Ok(equal)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The `curl` commands of a document, in order.
fn examples(text: &str) -> Vec<Example> {
    let blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("console\n"));
    blocks.flat_map(examples_of_block).filter(|example| example.command.starts_with("curl ")).collect()
}

fn examples_of_block(block: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Example { command: command.to_string(), expected: String::new() });
        } else if let Some(example) = found.last_mut() {
            let target = if is_open(&example.command) { &mut example.command } else { &mut example.expected };
            if !target.is_empty() {
                target.push('\n');
            }
            target.push_str(line);
        }
    }
    for example in &mut found {
        example.expected = example.expected.trim_end().to_string();
    }
    found
}

/// Whether a shell would ask for another line.
fn is_open(command: &str) -> bool {
    command.matches('\'').count() % 2 == 1 || command.ends_with('\\')
}

#[cfg(test)]
mod tests;
