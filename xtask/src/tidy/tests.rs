use super::*;

fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_string(), text: text.to_string() }
}

fn paths(text: &str) -> Vec<String> {
    let exists = |path: &str| path == "docs/format.md" || path == "crates/log/tests/tear.rs";
    let read = |_: &str| Some("#[test]\nfn a_tear_is_cut() {}".to_string());
    document_paths::check(&file("docs/a.md", text), &exists, &read)
}

#[test]
fn a_long_file_of_code_is_a_breach_and_a_long_document_is_not() {
    let long = "line\n".repeat(LINES_MAX + 1);
    assert!(length(&file("crates/a/src/lib.rs", &long)).is_some());
    assert!(length(&file("crates/a/src/lib.rs", &long[5..])).is_none());
    assert!(length(&file("docs/a.md", &long)).is_none());
}

#[test]
fn a_path_in_backticks_must_exist() {
    assert!(paths("see `docs/format.md`\n").is_empty());
    assert_eq!(paths("see `docs/gone.md`\n"), ["docs/a.md:1: docs/gone.md does not exist"]);
    assert!(paths("not a path: `a/b`, nor `crates/*`\n").is_empty());
    assert!(paths("```\n`docs/gone.md`\n```\n").is_empty());
}

#[test]
fn a_test_named_after_its_file_must_be_there() {
    assert!(paths("`crates/log/tests/tear.rs::a_tear_is_cut`\n").is_empty());
    assert_eq!(
        paths("`crates/log/tests/tear.rs::rot_is_told`\n"),
        ["docs/a.md:1: crates/log/tests/tear.rs has no function rot_is_told"]
    );
}

#[test]
fn a_link_is_looked_up_from_its_document() {
    assert!(paths("[format](format.md#frames), [out](https://example.org)\n").is_empty());
    assert_eq!(paths("[gone](gone.md)\n"), ["docs/a.md:1: the link to gone.md leads nowhere"]);
}

#[test]
fn banned_words_are_found_as_whole_words() {
    let found = |line: &str| words::check(&file("a.rs", line)).len();
    assert_eq!(found(concat!("// TO", "DO: later\n")), 1);
    assert_eq!(found(concat!("let x = \"MASTO", "DON\";\n")), 0);
    assert_eq!(found(concat!("read /ho", "me/me/data\n")), 1);
    assert_eq!(found("trailing \n"), 1);
    assert_eq!(found("no end"), 1);
    assert_eq!(found("fine\n"), 0);
}

#[test]
fn a_crate_needs_its_heading_its_invariant_and_the_lints() {
    let manifest = file("crates/log/Cargo.toml", "[lints]\nworkspace = true\n");
    let with = |map: &str| crate_map::check(&[file("ARCHITECTURE.md", map), manifest.clone()]).len();
    assert_eq!(with("### `crates/log`\nInvariant: none.\n"), 0);
    assert_eq!(with("### `crates/log`\nNothing.\n### `crates/env`\nInvariant: none.\n"), 1);
    assert_eq!(with(""), 1);
    let bare = file("crates/env/Cargo.toml", "[package]\n");
    assert_eq!(
        crate_map::check(&[file("ARCHITECTURE.md", "### `crates/env`\nInvariant: x\n"), bare]).len(),
        1
    );
}
