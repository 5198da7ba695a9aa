use std::collections::BTreeSet;
use std::fs;

use crate::{places, process};

const UNIFY: &str = "headwater-unify";

/// Whether every selection of packages gets its dependencies with the features that the whole workspace gets them
/// with. Where one does not, cargo compiles the dataflow and SQL engines once more for it.
pub(crate) fn run() -> Result<(), String> {
    let whole = packages(&["--workspace", "--edges", "normal,build,dev"])?;
    let mut strays = Vec::new();
    for package in heavy_packages()? {
        for edges in ["normal,build,dev", "normal,build"] {
            let selection = packages(&["--package", &package, "--edges", edges])?;
            strays.extend(selection.difference(&whole).map(|stray| format!("{package} ({edges}): {stray}")));
        }
    }
    if strays.is_empty() {
        println!("features: one set for every selection of packages");
        return Ok(());
    }
    Err(format!(
        "these are compiled anew for one package, as no other has them with these features:\n{}\n\
         name the dependency in crates/unify/Cargo.toml, or trim its features in Cargo.toml",
        strays.join("\n")
    ))
}

/// Dependencies with version and features, as cargo resolves them for a selection.
fn packages(selection: &[&str]) -> Result<BTreeSet<String>, String> {
    let listing = ["tree", "--quiet", "--prefix", "none", "--format", "{p} [{f}]"];
    let printed = process::output(&mut process::cargo(&[&listing[..], selection].concat()))?;
    Ok(external(&printed))
}

/// Lines of crates from a registry; the workspace's own name their folder.
fn external(printed: &str) -> BTreeSet<String> {
    let lines = printed.lines().filter(|line| !line.is_empty() && !line.contains(" (/"));
    lines.map(|line| line.replace(" (proc-macro)", "").replace(" (*)", "")).collect()
}

/// The names of the crates that depend on the one that holds the features together.
fn heavy_packages() -> Result<Vec<String>, String> {
    let folder = places::repository().join("crates");
    let failed = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let manifest =
            fs::read_to_string(entry.map_err(failed)?.path().join("Cargo.toml")).unwrap_or_default();
        if manifest.contains(&format!("\n{UNIFY}")) {
            names.extend(package_name(&manifest));
        }
    }
    names.sort();
    Ok(names)
}

fn package_name(manifest: &str) -> Option<String> {
    let line = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
    line.split_once('"').map(|(name, _)| name.to_string())
}

#[cfg(test)]
mod tests;
