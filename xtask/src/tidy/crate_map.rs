use super::TextFile;

const MAP: &str = "ARCHITECTURE.md";

/// Each crate has a heading of its own on the map with an invariant below it, and takes the workspace's lints.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    let text_of = |path: &str| files.iter().find(|f| f.path == path).map(|f| f.text.as_str());
    let map = text_of(MAP).unwrap_or_default();
    let mut breaches = Vec::new();
    for file in files {
        let Some(folder) = crate_folder(&file.path) else { continue };
        match section(map, folder) {
            None => breaches.push(format!("{MAP}: no heading for `{folder}`")),
            Some(text) if !text.contains("Invariant:") => {
                breaches.push(format!("{MAP}: `{folder}` has no line \"Invariant:\""));
            }
            Some(_) => {}
        }
        if !file.text.contains("[lints]\nworkspace = true") {
            breaches.push(format!("{}: does not take the workspace's lints", file.path));
        }
    }
    breaches
}

/// `crates/log/Cargo.toml` → `crates/log`; `xtask/Cargo.toml` → `xtask`.
fn crate_folder(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    let in_workspace =
        folder == "xtask" || folder.strip_prefix("crates/").is_some_and(|name| !name.contains('/'));
    in_workspace.then_some(folder)
}

/// The text from a crate's heading to the next heading.
fn section<'a>(map: &'a str, folder: &str) -> Option<&'a str> {
    let heading = format!("### `{folder}`");
    let start = map.find(&heading)? + heading.len();
    let rest = &map[start..];
    Some(rest.find("\n#").map_or(rest, |end| &rest[..end]))
}
