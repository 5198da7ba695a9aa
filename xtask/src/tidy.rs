use std::fs;
use std::path::Path;

use crate::{places, process};

/// Every crate is on the map, with what it must never do.
mod crate_map;
/// Paths named in documents exist; tests named in documents too.
mod document_paths;
/// What must not stand in any file.
mod words;

/// No file of code is longer: beyond this it holds two concepts.
const LINES_MAX: usize = 600;

/// One text file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// From the repository's top, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

/// Runs all rules; prints each breach with its place.
pub(crate) fn run() -> Result<(), String> {
    let files = text_files()?;
    let breaches = check(&places::repository(), &files);
    breaches.iter().for_each(|breach| eprintln!("{breach}"));
    if breaches.is_empty() {
        println!("tidy: {} files", files.len());
        Ok(())
    } else {
        Err(format!("tidy: {} breaches in {} files", breaches.len(), files.len()))
    }
}

fn check(top: &Path, files: &[TextFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        breaches.extend(length(file));
        breaches.extend(words::check(file));
        breaches.extend(document_paths::check(file, &|path| top.join(path).exists(), &|path| {
            fs::read_to_string(top.join(path)).ok()
        }));
    }
    breaches.extend(crate_map::check(files));
    breaches
}

fn length(file: &TextFile) -> Option<String> {
    let is_code = [".rs", ".py", ".sh", ".lua"].iter().any(|end| file.path.ends_with(end));
    let lines = file.text.lines().count();
    (is_code && lines > LINES_MAX)
        .then(|| format!("{}: {lines} lines: split it, {LINES_MAX} is the most", file.path))
}

/// All text files that git knows or would take.
fn text_files() -> Result<Vec<TextFile>, String> {
    let listing = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let names = process::output(&mut process::program("git", &listing))?;
    let top = places::repository();
    let mut files: Vec<TextFile> = names
        .lines()
        .filter(|name| !name.ends_with("Cargo.lock"))
        .filter_map(|name| {
            Some(TextFile { path: name.to_string(), text: fs::read_to_string(top.join(name)).ok()? })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

#[cfg(test)]
mod tests;
