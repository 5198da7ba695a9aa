use super::report;
use crate::{places, process};

const PACKAGE: &str = "headwater-nexmark";
const HEADING: &str = "## Nexmark";

/// Builds the benchmark and runs it; all arguments but `--save` are its own.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    process::run(&mut process::cargo(&["build", "--release", "--package", PACKAGE, "--features", "bench"]))?;
    let save = arguments.iter().any(|argument| argument == "--save");
    let own: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--save").collect();
    let mut printed = String::new();
    process::run_reading_lines(
        &mut process::program(places::target().join("release").join("nexmark"), &own),
        |line| {
            if !line.starts_with('.') {
                printed.push_str(line);
                printed.push('\n');
            }
        },
    )?;
    if save { report::save_below(HEADING, "Interleaved rounds in one process", &printed) } else { Ok(()) }
}
