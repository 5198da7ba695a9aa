use super::TextFile;

/// Where paths in documents start: text in backticks that begins like this is a path of the repository.
const TOPS: [&str; 9] =
    ["crates/", "docs/", "examples/", "xtask/", "benches/", "tests/", "python/", ".ci/", ".cargo/"];

/// Each path that a document names in backticks or links to exists; `path::name` names a test in it.
pub(crate) fn check(
    file: &TextFile,
    exists: &dyn Fn(&str) -> bool,
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut breaches = Vec::new();
    let mut in_block = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let mut breach = |what: String| breaches.push(format!("{}:{}: {what}", file.path, index + 1));
        for path in quoted_paths(line) {
            let (path, name) = path.split_once("::").map_or((path, None), |(path, name)| (path, Some(name)));
            if !exists(path) {
                breach(format!("{path} does not exist"));
            } else if let Some(name) = name
                && !read(path).is_some_and(|text| text.contains(&format!("fn {name}(")))
            {
                breach(format!("{path} has no function {name}"));
            }
        }
        for target in link_targets(line) {
            let path = if folder.is_empty() { target.to_string() } else { format!("{folder}/{target}") };
            if !exists(&path) {
                breach(format!("the link to {target} leads nowhere"));
            }
        }
    }
    breaches
}

fn quoted_paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        TOPS.iter().any(|top| text.starts_with(top)) && !text.contains([' ', '*', '…', '<', '{'])
    })
}

fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let targets = targets.map(|target| target.split_once('#').map_or(target, |(path, _)| path));
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}
