use std::fs;

use crate::results::Counts;
use crate::server::Server;
use crate::{places, process};

/// Documents whose console blocks are run.
const DOCUMENTS: [&str; 2] = ["README.md", "examples/flights/README.md"];
/// What the examples say the server's address is.
const ADDRESS: &str = "localhost:8080";

/// One command of a console block and what the document says it prints.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    command: String,
    expected: String,
}

/// Runs every `curl` of the documents' console blocks as typed, each document against a new server.
pub(crate) fn run() -> Result<Counts, String> {
    let mut counts = Counts::default();
    for document in DOCUMENTS {
        let path = places::repository().join(document);
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {document}: {e}"))?;
        let server = Server::headwater(&std::env::temp_dir())?;
        for example in examples(&text) {
            let equal = run_one(&example, &server.address)?;
            counts.add(Counts::one(equal));
        }
    }
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
