use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;

use crate::places;

/// A cargo command in the repository, with the cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(places::repository()).env("CARGO_INCREMENTAL", "0");
    command
}

/// Another program in the repository.
pub(crate) fn program(name: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name.as_ref());
    command.args(arguments).current_dir(places::repository());
    command
}

/// Runs a command to its end; what it prints goes to this terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|e| cannot_start(command, &e))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Runs a command and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| cannot_start(command, &e))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} ended with {}: {}", shown(command), output.status, reason.trim_end()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command with both of its outputs in one stream, in the order written; each line is printed and handed on.
pub(crate) fn run_reading_lines(
    command: &mut Command,
    mut line_read: impl FnMut(&str),
) -> Result<(), String> {
    let (reader, writer) = std::io::pipe().map_err(|e| format!("cannot make a pipe: {e}"))?;
    let second_writer = writer.try_clone().map_err(|e| format!("cannot copy a pipe: {e}"))?;
    let mut child =
        command.stdout(writer).stderr(second_writer).spawn().map_err(|e| cannot_start(command, &e))?;
    // The command keeps the writing ends; while it does, the reader would never see the end of the stream.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).map_err(|e| format!("cannot read: {e}"))? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        print!("{line}");
        line_read(line.trim_end());
        bytes.clear();
    }
    let _ = std::io::stdout().flush();
    let status = child.wait().map_err(|e| format!("cannot wait for {}: {e}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", shown(command))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
